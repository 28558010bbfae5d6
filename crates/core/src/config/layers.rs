//! The lines that apply to a profile, in order of precedence: its own, those it includes, and `[default]` for two keys.
//!
//! | layer | applies to |
//! |---|---|
//! | the profile in the credentials file, then in the config file | every key |
//! | the profile that it includes, and so on | every key |
//! | `[default]` and what that includes | `region` and `output`, nothing else |

use super::entry::Entry;
use super::error::ConfigError;
use super::files::Config;
use super::header::SectionKind;
use super::origin::{FileKind, Origin, Place, Sourced};
use super::problem::Warning;
use super::value::ValueError;
use hatbox_types::name::ProfileName;

/// The maximum depth of includes.
const MAX_DEPTH: usize = 64;

/// The lines of one profile in one file.
pub(super) struct Part<'a> {
    pub(super) file: FileKind,
    /// The header of the first of its sections.
    pub(super) place: Place,
    /// The section as shown to the user.
    pub(super) section: String,
    pub(super) entries: Vec<Entry<'a>>,
}

impl<'a> Part<'a> {
    /// Returns the last line of `key` with a value. Empty values are ignored.
    pub(super) fn find(&self, key: &str) -> Option<Sourced<String>> {
        let entry = self.entry(key).filter(|entry| !entry.value.is_empty())?;
        Some(Sourced { value: entry.value.clone().into_owned(), origin: self.origin(entry.line) })
    }

    /// Returns a warning for each line that uses `:`.
    pub(super) fn colon_warnings(&self) -> impl Iterator<Item = Warning> {
        self.entries.iter().filter_map(|entry| entry.colon_warning(self.file))
    }

    /// Returns the empty keys of [`IDENTITY`] in these lines.
    pub(super) fn empty_identity(&self) -> impl Iterator<Item = (&'static str, Origin)> {
        let empty = self.entries.iter().filter(|entry| entry.value.is_empty());
        empty.filter_map(|entry| {
            let key = IDENTITY.into_iter().find(|key| entry.has_key(key))?;
            let is_last = self.entry(key).is_some_and(|last| last.line == entry.line);
            is_last.then(|| (key, self.origin(entry.line)))
        })
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry<'a>> {
        self.entries.iter().rev().find(|entry| entry.has_key(key))
    }

    pub(super) fn origin(&self, line: u32) -> Origin {
        Origin::File { place: Place { file: self.file, line }, section: self.section.clone() }
    }
}

/// The keys that determine the identity. An empty one is an error, as in botocore.
///
/// | empty | botocore 1.43 | here |
/// |---|---|---|
/// | `role_arn`, `source_profile`, `credential_source`, `external_id`, `credential_process` | fails | an error |
/// | `mfa_serial` | asks for the code of a device without a name, then fails | an error |
/// | `sso_*`, `login_session` | fails, or uses another identity | an error |
/// | `web_identity_token_file` | finds no credentials | an error |
/// | `aws_access_key_id`, `aws_secret_access_key` | signs with an empty key | an error |
/// | `include_profile`, `web_identity_token_process` (aws-vault's) | ignores them | an error |
/// | `role_session_name`, `aws_session_token`, all other keys | uses the default | ignored |
const IDENTITY: [&str; 17] = [
    "role_arn",
    "source_profile",
    "include_profile",
    "credential_source",
    "external_id",
    "mfa_serial",
    "aws_access_key_id",
    "aws_secret_access_key",
    "credential_process",
    "web_identity_token_file",
    "web_identity_token_process",
    "sso_session",
    "sso_start_url",
    "sso_region",
    "sso_account_id",
    "sso_role_name",
    "login_session",
];

/// All lines that apply to a profile.
pub(super) struct Layers<'a> {
    /// The header of the profile itself, in the config file if it is there.
    pub(super) defined_at: Option<Place>,
    /// The lines that apply to every key.
    pub(super) parts: Vec<Part<'a>>,
    /// The lines of `[default]`.
    fallback: Vec<Part<'a>>,
    /// Warnings about `[default]`, which do not affect other profiles, and about lines that the SDKs parse differently.
    pub(super) warnings: Vec<Warning>,
}

impl Layers<'_> {
    /// Returns the value of `key` in the files.
    pub(super) fn find(&self, key: &str) -> Option<Sourced<String>> {
        self.parts.iter().find_map(|part| part.find(key))
    }

    /// Returns an error if a key of [`IDENTITY`] is empty and no line of higher precedence has a value.
    pub(super) fn check_identity(&self) -> Result<(), ConfigError> {
        for (depth, part) in self.parts.iter().enumerate() {
            for (key, origin) in part.empty_identity() {
                // An empty `include_profile` drops everything that it would include.
                let is_said = key != "include_profile"
                    && self.parts.iter().take(depth).any(|nearer| nearer.entry(key).is_some());
                if !is_said {
                    return Err(ConfigError::EmptyIdentity { key, origin });
                }
            }
        }
        Ok(())
    }

    /// Returns the value of `key` in the files, including `[default]`.
    pub(super) fn find_or_default(&self, key: &str) -> Option<Sourced<String>> {
        self.find(key).or_else(|| self.fallback.iter().find_map(|part| part.find(key)))
    }
}

/// Collects the layers of the profile `name`, which may be in neither file.
pub(super) fn collect_layers<'a>(config: &'a Config, name: &ProfileName) -> Result<Layers<'a>, ConfigError> {
    let mut layers =
        Layers { defined_at: None, parts: Vec::new(), fallback: Vec::new(), warnings: Vec::new() };
    let mut path = vec![name.clone()];
    follow(config, &mut path, |profile| {
        let (parts, bad) = read_parts(config, profile);
        let include = find_include(&parts);
        if layers.parts.is_empty() {
            layers.defined_at = parts.last().map(|part| part.place);
        }
        layers.parts.extend(parts);
        bad.map_or(Ok(include), Err)
    })?;
    let default = ProfileName::default_profile();
    if !path.contains(&default) {
        path.push(default);
        follow(config, &mut path, |profile| {
            let (parts, bad) = read_parts(config, profile);
            let include = find_include(&parts);
            layers.fallback.extend(parts);
            if let Some(ConfigError::BadLine { problem, place, .. }) = bad {
                layers.warnings.push(Warning::BadLine { problem, place });
            }
            Ok(include)
        })?;
    }
    let colons: Vec<_> = layers.parts.iter().chain(&layers.fallback).flat_map(Part::colon_warnings).collect();
    layers.warnings.extend(colons);
    Ok(layers)
}

/// Reads the last profile of `path`, then follows its includes.
fn follow(
    config: &Config,
    path: &mut Vec<ProfileName>,
    mut read: impl FnMut(&ProfileName) -> Result<Option<Sourced<String>>, ConfigError>,
) -> Result<(), ConfigError> {
    while let Some(profile) = path.last().cloned() {
        let Some(Sourced { value, origin }) = read(&profile)? else { break };
        let include = match ProfileName::parse(&value) {
            Ok(include) => include,
            Err(reason) => {
                return Err(ConfigError::value("include_profile", &value, ValueError::Name(reason), origin));
            }
        };
        let is_met = path.contains(&include);
        path.push(include.clone());
        if is_met {
            return Err(ConfigError::IncludeLoop { path: path.clone(), origin });
        }
        if config.defined_at(&include).is_none() {
            let nearest = config.nearest_profile(include.as_str());
            return Err(ConfigError::MissingInclude { profile, include, nearest, origin });
        }
        if path.len() > MAX_DEPTH {
            let profile = path.first().cloned().unwrap_or(profile);
            return Err(ConfigError::IncludeDepth { profile, limit: MAX_DEPTH });
        }
    }
    Ok(())
}

fn find_include(parts: &[Part<'_>]) -> Option<Sourced<String>> {
    parts.iter().find_map(|part| part.find("include_profile"))
}

/// Returns the profile's lines in both files, and the error for the first invalid line.
fn read_parts<'a>(config: &'a Config, name: &ProfileName) -> (Vec<Part<'a>>, Option<ConfigError>) {
    let mut bad = None;
    let parts = [FileKind::Credentials, FileKind::Config]
        .into_iter()
        .filter_map(|file| {
            let (part, problem) = read_part(config, file, SectionKind::Profile, name.as_str())?;
            bad = bad.take().or(problem);
            Some(part)
        })
        .collect();
    (parts, bad)
}

/// Returns the lines of a section in one file, merging its parts, and the error for the first invalid line.
pub(super) fn read_part<'a>(
    config: &'a Config,
    file: FileKind,
    kind: SectionKind,
    name: &str,
) -> Option<(Part<'a>, Option<ConfigError>)> {
    let word = kind.word().unwrap_or_default();
    let mut sections = config.document(file).sections_named(kind, name).peekable();
    let place = sections.peek()?.place();
    let mut part = Part { file, place, section: format!("{word} {name}"), entries: Vec::new() };
    let mut first_bad = None;
    for section in sections {
        let body = section.scan();
        part.entries.extend(body.entries);
        let header = section.header_problem().map(|problem| (problem, section.place().line));
        first_bad = first_bad.or(header).or(body.problems.first().copied());
    }
    let bad = first_bad.map(|(problem, line)| ConfigError::BadLine {
        section: part.section.clone(),
        problem,
        place: Place { file, line },
    });
    Some((part, bad))
}
