//! Both files together: their profiles and SSO sessions, and what is wrong in them.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};

use super::error::ConfigError;
use super::foreign::render_foreign;
use super::header::{SectionKind, find_byte};
use super::origin::{FileKind, Origin, Place};
use super::problem::{IgnoredSection, Warning};
use super::syntax::{Document, Section, TooLarge};
use hatbox_types::name::ProfileName;
use hatbox_types::text::suggest::nearest_name;

/// The config file and the credentials file. A missing one is an empty text.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "the config file is called that")]
pub struct Config {
    config: Document,
    credentials: Document,
    /// How many more suggestions may be computed; [`UNLIMITED`] for no limit.
    suggestions_left: AtomicU32,
}

/// More suggestions would be too many to read.
const SUGGESTIONS: u32 = 100;
const UNLIMITED: u32 = u32::MAX;

impl Config {
    /// Takes the bytes of both files and indexes them.
    ///
    /// # Errors
    /// If a file is larger than [`super::syntax::MAX_BYTES`].
    pub fn parse(config: impl Into<Vec<u8>>, credentials: impl Into<Vec<u8>>) -> Result<Self, TooLarge> {
        Ok(Self {
            config: Document::parse(FileKind::Config, config.into())?,
            credentials: Document::parse(FileKind::Credentials, credentials.into())?,
            suggestions_left: AtomicU32::new(UNLIMITED),
        })
    }

    /// Prepares for resolving many profiles: indexes the names, and limits suggestions for mistyped names, each of
    /// which is compared with every name in a file that may have thousands.
    #[must_use]
    pub fn for_all_profiles(mut self) -> Self {
        self.config.index_names();
        self.credentials.index_names();
        self.suggestions_left = AtomicU32::new(SUGGESTIONS);
        self
    }

    /// Whether another suggestion may be computed.
    fn may_suggest(&self) -> bool {
        let fewer = |left: u32| (left != UNLIMITED && left != 0).then(|| left - 1);
        // The previous value, whether it was changed or not.
        let (Ok(left) | Err(left)) =
            self.suggestions_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
        left != 0
    }

    /// One of the two files.
    pub fn document(&self, file: FileKind) -> &Document {
        match file {
            FileKind::Config => &self.config,
            FileKind::Credentials => &self.credentials,
        }
    }

    fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        self.config.sections().chain(self.credentials.sections())
    }

    /// Omits names that no flag or key could contain, such as those with control characters.
    fn names(&self, kind: SectionKind) -> impl Iterator<Item = ProfileName> {
        let mut seen = HashSet::new();
        self.sections()
            .filter(move |section| section.kind() == kind)
            .map(|section| section.name())
            .filter(move |name| seen.insert(name.clone()))
            .filter_map(|name| ProfileName::parse(&name).ok())
    }

    /// Lists the profiles of both files, each once, in file order, those of the config file first.
    pub fn profile_names(&self) -> Vec<ProfileName> {
        self.names(SectionKind::Profile).collect()
    }

    /// Lists the profiles that may have SSO settings: those whose own lines have such a key, and perhaps some more. A
    /// profile that includes or uses another one signs in like that one.
    pub fn profiles_with_sso(&self) -> Vec<ProfileName> {
        let mut seen = HashSet::new();
        self.sections()
            .filter(|section| section.kind() == SectionKind::Profile && may_have_key(b"sso", section.body()))
            .filter_map(|section| ProfileName::parse(&section.name()).ok())
            .filter(|name| seen.insert(name.clone()))
            .collect()
    }

    /// Lists the values of `login_session`, each once, with the profiles whose own lines have it. A profile that uses
    /// another one signs in like that one.
    pub fn login_sessions(&self) -> Vec<(String, Vec<ProfileName>)> {
        let mut all: Vec<(String, Vec<ProfileName>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for section in self.sections() {
            if section.kind() != SectionKind::Profile || !may_have_key(b"login", section.body()) {
                continue;
            }
            let Ok(profile) = ProfileName::parse(&section.name()) else { continue };
            let scan = section.scan();
            let said = scan.entries.iter().rfind(|entry| entry.has_key("login_session"));
            let session = said.map(|entry| entry.value.trim()).filter(|session| !session.is_empty());
            let Some(session) = session else { continue };
            let place = *places.entry(session.to_owned()).or_insert(all.len());
            match all.get_mut(place) {
                Some((_, profiles)) if profiles.contains(&profile) => {}
                Some((_, profiles)) => profiles.push(profile),
                None => all.push((session.to_owned(), vec![profile])),
            }
        }
        all
    }

    /// The names of the `[sso-session]` sections, each once, in the order of the file.
    pub fn sso_session_names(&self) -> Vec<String> {
        self.names(SectionKind::SsoSession).map(|name| name.as_str().to_owned()).collect()
    }

    /// Returns the header of the profile's first section, preferably in the config file; `None` if it is in neither.
    pub fn defined_at(&self, name: &ProfileName) -> Option<Place> {
        [&self.config, &self.credentials]
            .into_iter()
            .find_map(|file| file.sections_named(SectionKind::Profile, name.as_str()).next())
            .map(|section| section.place())
    }

    /// Lists the profiles whose section refers to this one with `key`, such as `source_profile`, each once.
    pub fn profiles_that_name(&self, name: &ProfileName, key: &str) -> Vec<ProfileName> {
        let mut found: Vec<ProfileName> = Vec::new();
        for section in self.sections().filter(|section| section.kind() == SectionKind::Profile) {
            let is_user = section.name() != name.as_str()
                && section
                    .scan()
                    .entries
                    .iter()
                    .any(|entry| entry.has_key(key) && entry.value == name.as_str());
            if is_user && let Ok(user) = ProfileName::parse(&section.name()) {
                found.push(user);
            }
        }
        let mut seen = HashSet::new();
        found.retain(|name| seen.insert(name.clone()));
        found
    }

    /// Whether the profile has no setting in either file. (`list` omits an empty `[default]`.)
    pub fn is_empty_profile(&self, name: &ProfileName) -> bool {
        [&self.config, &self.credentials]
            .into_iter()
            .flat_map(|file| file.sections_named(SectionKind::Profile, name.as_str()))
            .all(|section| section.scan().entries.is_empty())
    }

    /// Returns the profile whose name is most similar to a mistyped one.
    pub fn nearest_profile(&self, name: &str) -> Option<ProfileName> {
        if !self.may_suggest() {
            return None;
        }
        let names = self.profile_names();
        let nearest = nearest_name(name, names.iter().map(ProfileName::as_str))?;
        ProfileName::parse(nearest).ok()
    }

    /// Returns the SSO session or services section whose name is most similar to a mistyped one.
    pub(super) fn nearest_section(&self, kind: SectionKind, name: &str) -> Option<String> {
        if !self.may_suggest() {
            return None;
        }
        let names: Vec<_> = self.names(kind).collect();
        nearest_name(name, names.iter().map(ProfileName::as_str)).map(str::to_owned)
    }

    /// The error for a profile that is in neither file, named by `origin`.
    pub fn unknown_profile(&self, name: &ProfileName, origin: Option<Origin>) -> ConfigError {
        ConfigError::UnknownProfile {
            name: name.clone(),
            nearest: self.nearest_profile(name.as_str()),
            origin,
        }
    }

    /// Lists all warnings about both files in file order, whether they matter now or not. Parses all lines.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for document in [&self.config, &self.credentials] {
            let file = document.file();
            let mut add = |problem, line| {
                warnings.push(Warning::BadLine { problem, place: Place { file, line } });
            };
            for (problem, line) in document.scan_preamble().problems {
                add(problem, line);
            }
            let mut others = Vec::new();
            for section in document.sections() {
                if let Some(problem) = section.header_problem() {
                    add(problem, section.place().line);
                }
                let body = section.scan();
                for (problem, line) in body.problems {
                    add(problem, line);
                }
                others.extend(body.entries.iter().filter_map(|entry| entry.colon_warning(file)));
                if let Some(reason) = reason_ignored(document, &section) {
                    others.push(Warning::IgnoredSection {
                        section: render_foreign(&section.name()),
                        reason,
                        place: section.place(),
                    });
                }
            }
            warnings.append(&mut others);
        }
        warnings.sort_by_key(Warning::place);
        warnings
    }
}

fn reason_ignored(document: &Document, section: &Section<'_>) -> Option<IgnoredSection> {
    let name = section.name();
    let word = name.split([' ', '\t']).next().unwrap_or_default();
    let is_reserved = matches!(word, "profile" | "sso-session" | "services") && word.len() < name.len();
    match section.kind() {
        SectionKind::Profile if section.is_bare_default() && document.has_worded_default() => {
            Some(IgnoredSection::ReplacedDefault)
        }
        SectionKind::Profile | SectionKind::SsoSession | SectionKind::Services => {
            ProfileName::parse(&name).is_err().then_some(IgnoredSection::NoName)
        }
        SectionKind::Other if section.header_problem().is_some() => None,
        SectionKind::Other if name == "DEFAULT" => Some(IgnoredSection::UpperCaseDefault),
        SectionKind::Other if is_reserved => Some(match document.file() {
            FileKind::Config => IgnoredSection::NotOneWord,
            FileKind::Credentials => IgnoredSection::WordInCredentials,
        }),
        // These are the AWS CLI's own sections, and a section with an unknown word may belong to another tool.
        SectionKind::Other if matches!(&*name, "preview" | "plugins") || word.len() < name.len() => None,
        SectionKind::Other => Some(IgnoredSection::NoProfileWord),
    }
}
/// Whether these lines contain this word with a `_` behind it. Does not parse lines, as a config may have thousands of
/// profiles.
fn may_have_key(word: &[u8], mut lines: &[u8]) -> bool {
    while let Some(at) = find_byte(lines, b'_') {
        let (before, rest) = lines.split_at(at);
        let end = before.len().checked_sub(word.len()).and_then(|start| before.get(start..));
        if end.is_some_and(|end| end.eq_ignore_ascii_case(word)) {
            return true;
        }
        lines = rest.get(1..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_of_identity_center_are_found_by_their_own_lines() {
        let config = "[profile a]\nrole_arn = x\nsource_profile = b\n[profile b]\nSSO_Start_URL = https://x\n\
                      [profile c]\nregion = eu_sso\n_sso=1\n[sso-session d]\nsso_region = x\n[profile b]\nsso_session = d\n\
                      [profile e]\nsso_session = d";
        let config = Config::parse(config, "[f]\nsso_role_name = x\n").unwrap();
        let names: Vec<_> = config.profiles_with_sso().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["b", "e", "f"]);
    }

    #[test]
    fn login_sessions_are_listed_once_with_the_profiles_that_name_them() {
        let config = "[profile a]\nLOGIN_Session = x \n[profile b]\nregion = login_session\n[profile c]\nlogin_session = y\n\
                      [profile d]\nsource_profile = a\n[profile e]\nlogin_session = x\n[profile f]\nlogin_session =\n\
                      [sso-session g]\nlogin_session = z\n";
        let config = Config::parse(config, "[a]\nlogin_session = x\n").unwrap();
        let shown: Vec<_> = config
            .login_sessions()
            .iter()
            .map(|(session, profiles)| {
                format!(
                    "{session}: {}",
                    profiles.iter().map(ProfileName::as_str).collect::<Vec<_>>().join(" ")
                )
            })
            .collect();
        assert_eq!(shown, ["x: a e", "y: c"]);
    }
}
