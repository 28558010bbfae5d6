//! A problem or surprise, and a list that contains each of them once.

use std::collections::HashMap;

use crate::config::foreign::render_foreign;
use crate::config::origin::{Origin, Place};
use hatbox_types::level::Level;
use hatbox_types::name::ProfileName;

/// The topic of a finding, which is its heading. Ordered as they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Lines of the two files.
    Config,
    /// The credential plans of the profiles.
    Profiles,
    /// Who can read and write which file.
    Files,
    /// Environment variables.
    Environment,
    /// The store: its backend, unlocked state and cached sessions.
    Store,
    /// Whether the user can be asked.
    Prompt,
    /// Programs that the config names or that users call.
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

    /// Returns its word in texts and in JSON.
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

/// The place of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Spot {
    /// A line of the config or the credentials file.
    Line(Place),
    /// Another file, with its path as shown to the user.
    File(String),
    /// A variable.
    Variable(&'static str),
}

impl Spot {
    /// Returns the place where a value was set; `None` for a flag or default.
    pub fn of_origin(origin: &Origin) -> Option<Self> {
        match origin {
            Origin::Env(name) => Some(Self::Variable(name)),
            Origin::File { place, .. } => Some(Self::Line(*place)),
            Origin::Flag(_) | Origin::Default => None,
        }
    }
}

/// How to fix a finding. Each becomes a command to paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// Open the line in the user's editor.
    Edit(Place),
    /// Unset these variables.
    Unset(Vec<&'static str>),
    /// Run this command.
    Run(String),
}

/// A problem or surprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable identifier: `missing-source`.
    pub id: &'static str,
    /// How severe it is.
    pub level: Level,
    /// The topic.
    pub topic: Topic,
    /// The place, if there is one.
    pub spot: Option<Spot>,
    /// One sentence.
    pub text: String,
    /// The command that fixes it, if there is one.
    pub fix: Option<Fix>,
    /// The profiles that it is about, or that it affects.
    pub profiles: Vec<ProfileName>,
    /// Whether `--fix` has fixed it.
    pub is_fixed: bool,
}

impl Finding {
    /// Creates a finding without a place and a fix.
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

    /// Sets the line, which the fix edits.
    #[must_use]
    pub fn in_line(mut self, place: Place) -> Self {
        self.spot = Some(Spot::Line(place));
        self.fix = Some(Fix::Edit(place));
        self
    }

    /// Sets the place where a value was set: the fix edits a line or unsets a variable.
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

    /// Sets the variables, of which the first is shown and the fix unsets all.
    #[must_use]
    pub fn in_variables(mut self, names: &[&'static str]) -> Self {
        self.spot = names.first().map(|name| Spot::Variable(name));
        self.fix = Some(Fix::Unset(names.to_vec()));
        self
    }

    /// Sets the file.
    #[must_use]
    pub fn in_file(mut self, shown: impl Into<String>) -> Self {
        self.spot = Some(Spot::File(shown.into()));
        self
    }

    /// Sets the command that fixes it, replacing an earlier fix.
    #[must_use]
    pub fn fixed_by(mut self, command: impl Into<String>) -> Self {
        self.fix = Some(Fix::Run(command.into()));
        self
    }

    /// Removes the fix, because the right one depends on what the user wants.
    #[must_use]
    pub fn without_fix(mut self) -> Self {
        self.fix = None;
        self
    }

    /// Adds a profile.
    #[must_use]
    pub fn about(mut self, profile: &ProfileName) -> Self {
        self.profiles.push(profile.clone());
        self
    }
}

/// A list of findings, each once: if a line affects several profiles, one finding names all of them.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    list: Vec<Finding>,
    index: HashMap<(&'static str, Option<Spot>, String), usize>,
}

impl Findings {
    /// Adds a finding, or merges it into the existing one.
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
            // The findings of one profile are added one after the other.
            if there.profiles.last() != Some(&profile) {
                there.profiles.push(profile);
            }
        }
    }

    /// Returns all findings by topic, the most severe of each first, otherwise in the order in which they were found.
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

/// Prepares a text from outside for a finding: one line, limited length.
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
