//! One thing that is wrong or will surprise, and a list in which each occurs once.

use std::collections::HashMap;

use crate::config::foreign::render_foreign;
use crate::config::origin::{Origin, Place};
use hatbox_types::level::Level;
use hatbox_types::name::ProfileName;

/// What a finding is about: the heading under which it is. In the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// The lines of the two files.
    Config,
    /// The credential plans of the profiles.
    Profiles,
    /// Who may read and write which file.
    Files,
    /// Environment variables.
    Environment,
    /// The backend that keeps the keys, what is held of it, cached sessions.
    Store,
    /// Whether a person can be asked here.
    Prompt,
    /// Programs that the config or a habit calls.
    Programs,
    /// The clock.
    Clock,
}

impl Topic {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Config,
        Self::Profiles,
        Self::Files,
        Self::Environment,
        Self::Store,
        Self::Prompt,
        Self::Programs,
        Self::Clock,
    ];

    /// Its word, in texts and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Profiles => "profiles",
            Self::Files => "files",
            Self::Environment => "environment",
            Self::Store => "store",
            Self::Prompt => "prompt",
            Self::Programs => "programs",
            Self::Clock => "clock",
        }
    }
}

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Spot {
    /// A line of the config or the credentials file.
    Line(Place),
    /// Another file, as a person writes its path.
    File(String),
    /// A variable.
    Variable(&'static str),
}

impl Spot {
    /// Where a value came from; `None` for a flag or a default.
    pub fn of_origin(origin: &Origin) -> Option<Self> {
        match origin {
            Origin::Env(name) => Some(Self::Variable(name)),
            Origin::File { place, .. } => Some(Self::Line(*place)),
            Origin::Flag(_) | Origin::Default => None,
        }
    }
}

/// What fixes it: each becomes a command to paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// Opening the line in the person's editor.
    Edit(Place),
    /// Unsetting these variables.
    Unset(Vec<&'static str>),
    /// A command as it is.
    Run(String),
}

/// One thing that is wrong or will surprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable word for it: `missing-source`.
    pub id: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What it is about.
    pub topic: Topic,
    /// Where it is.
    pub spot: Option<Spot>,
    /// One sentence.
    pub text: String,
    /// The command that fixes it, where there is one.
    pub fix: Option<Fix>,
    /// The profiles that it is about or that suffer by it.
    pub profiles: Vec<ProfileName>,
    /// Whether it has just been fixed.
    pub is_fixed: bool,
}

impl Finding {
    /// A finding without place and fix.
    pub fn new(topic: Topic, id: &'static str, level: Level, text: impl Into<String>) -> Self {
        Self {
            id,
            level,
            topic,
            spot: None,
            text: text.into(),
            fix: None,
            profiles: Vec::new(),
            is_fixed: false,
        }
    }

    /// The same in this line, which is to be edited.
    #[must_use]
    pub fn in_line(mut self, place: Place) -> Self {
        self.spot = Some(Spot::Line(place));
        self.fix = Some(Fix::Edit(place));
        self
    }

    /// The same where a value came from: a line is to be edited, a variable to be unset.
    #[must_use]
    pub fn from_origin(mut self, origin: &Origin) -> Self {
        match origin {
            Origin::File { place, .. } => self.in_line(*place),
            Origin::Env(name) => self.in_variables(&[name]),
            Origin::Flag(_) | Origin::Default => {
                self.spot = None;
                self
            }
        }
    }

    /// The same in these variables, of which the first is shown and all are to be unset.
    #[must_use]
    pub fn in_variables(mut self, names: &[&'static str]) -> Self {
        self.spot = names.first().map(|name| Spot::Variable(name));
        self.fix = Some(Fix::Unset(names.to_vec()));
        self
    }

    /// The same in a file.
    #[must_use]
    pub fn in_file(mut self, shown: impl Into<String>) -> Self {
        self.spot = Some(Spot::File(shown.into()));
        self
    }

    /// The same with this command in the place of an earlier fix.
    #[must_use]
    pub fn fixed_by(mut self, command: impl Into<String>) -> Self {
        self.fix = Some(Fix::Run(command.into()));
        self
    }

    /// The same without a command: which one is right depends on what is wanted.
    #[must_use]
    pub fn without_fix(mut self) -> Self {
        self.fix = None;
        self
    }

    /// The same about this profile.
    #[must_use]
    pub fn about(mut self, profile: &ProfileName) -> Self {
        self.profiles.push(profile.clone());
        self
    }
}

/// Findings, each once: what the same line does to many profiles is one finding about all of them.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    list: Vec<Finding>,
    index: HashMap<(&'static str, Option<Spot>, String), usize>,
}

impl Findings {
    /// Adds a finding, or what is new in it to the one that is there.
    pub fn push(&mut self, finding: Finding) {
        let key = (finding.id, finding.spot.clone(), finding.text.clone());
        let there = self.index.get(&key).and_then(|at| self.list.get_mut(*at));
        let Some(there) = there else {
            self.index.insert(key, self.list.len());
            self.list.push(finding);
            return;
        };
        there.level = there.level.max(finding.level);
        for profile in finding.profiles {
            // One profile's findings come one after the other.
            if there.profiles.last() != Some(&profile) {
                there.profiles.push(profile);
            }
        }
    }

    /// All of them: by topic, the worst of each first, then as they were found.
    pub fn into_sorted(self) -> Vec<Finding> {
        let mut list = self.list;
        list.sort_by_key(|finding| (finding.topic, std::cmp::Reverse(finding.level)));
        list
    }
}

impl Extend<Finding> for Findings {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        for finding in findings {
            self.push(finding);
        }
    }
}

/// A foreign text as it may stand in a finding: one line, not long.
pub(super) fn shown(text: &str) -> String {
    render_foreign(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_twice_is_one_finding_about_both_profiles() {
        let profile = |name| ProfileName::parse(name).unwrap();
        let found = |level, name| Finding::new(Topic::Config, "x", level, "text").about(&profile(name));
        let mut findings = Findings::default();
        findings.extend([found(Level::Info, "a"), found(Level::Error, "b"), found(Level::Info, "b")]);
        findings.push(Finding::new(Topic::Clock, "x", Level::Info, "another text"));
        let list = findings.into_sorted();
        assert_eq!(list.len(), 2);
        assert_eq!((list[0].level, list[0].profiles.len()), (Level::Error, 2));
    }

    #[test]
    fn findings_are_ordered_by_topic_and_the_worst_first() {
        let mut findings = Findings::default();
        for (topic, id, level) in [
            (Topic::Clock, "d", Level::Error),
            (Topic::Config, "b", Level::Info),
            (Topic::Config, "a", Level::Error),
            (Topic::Config, "c", Level::Info),
        ] {
            findings.push(Finding::new(topic, id, level, ""));
        }
        let ids: Vec<_> = findings.into_sorted().iter().map(|finding| finding.id).collect();
        assert_eq!(ids, ["a", "b", "c", "d"]);
        assert!(Topic::ALL.is_sorted());
    }
}
