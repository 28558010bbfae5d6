//! Checks the two files line by line: unused lines, duplicates, and an identity in `[default]`.

use std::collections::{HashMap, HashSet};

use super::finding::{Finding, Findings, Topic, shown};
use crate::config::entry::Entry;
use crate::config::header::SectionKind;
use crate::config::origin::{FileKind, Place};
use crate::config::syntax::{Document, Section};
use crate::config::{Config, nearest_known_key};
use hatbox_types::level::Level;
use hatbox_types::name::ProfileName;

/// Keys that give a profile an identity, the most specific first.
const IDENTITIES: [&str; 9] = [
    "aws_access_key_id",
    "role_arn",
    "sso_session",
    "sso_start_url",
    "credential_process",
    "login_session",
    "web_identity_token_file",
    "credential_source",
    "source_profile",
];

/// Checks every line of both files.
pub fn check_lines(config: &Config, findings: &mut Findings) {
    for warning in config.warnings() {
        let found = Finding::new(Topic::Config, warning.kind(), Level::Warning, warning.to_string());
        findings.push(match warning.place() {
            Some(place) => found.in_line(place),
            None => found,
        });
    }
    for file in [FileKind::Config, FileKind::Credentials] {
        check_document(config.document(file), findings);
    }
    findings.extend(check_default(config));
}

/// Returns the profiles that others include, which need no identity of their own.
pub(super) fn included_profiles(config: &Config) -> HashSet<String> {
    let mut included = HashSet::new();
    for file in [FileKind::Config, FileKind::Credentials] {
        for section in config.document(file).sections().filter(|s| s.kind() == SectionKind::Profile) {
            let entries = section.scan().entries;
            included
                .extend(entries.iter().filter(|e| e.has_key("include_profile")).map(|e| e.value.to_string()));
        }
    }
    included
}

fn check_document(document: &Document, findings: &mut Findings) {
    // `[default]` and `[profile default]` are not merged: the first is ignored.
    let mut first: HashMap<(&'static str, bool, String), u32> = HashMap::new();
    for section in document.sections() {
        // Other sections belong to other programs.
        let Some(word) = section.kind().word() else { continue };
        let (name, place) = (section.name().into_owned(), section.place());
        let name_shown = shown(&name);
        let key = (word, section.is_bare_default(), name);
        if let Some(line) = first.get(&key) {
            findings.push(
                Finding::new(
                    Topic::Config,
                    "section-twice",
                    Level::Warning,
                    format!(
                        "the {word} `{name_shown}` is already in line {line}: hatbox merges the two, the \
                         AWS CLI rejects the file"
                    ),
                )
                .in_line(place),
            );
        } else {
            first.insert(key, place.line);
        }
        check_section(&section, &format!("{word} {name_shown}"), findings);
    }
}

fn check_section(section: &Section<'_>, named: &str, findings: &mut Findings) {
    let body = section.scan();
    let mut first: HashMap<String, u32> = HashMap::new();
    for Entry { key, line, .. } in &body.entries {
        let place = Place { file: section.place().file, line: *line };
        if let Some(before) = first.get(&key.to_ascii_lowercase()) {
            let text = format!(
                "`{}` is in `{named}` twice, first in line {before}: hatbox uses the last, the AWS CLI \
                 rejects the file",
                shown(key)
            );
            findings.push(Finding::new(Topic::Config, "key-twice", Level::Warning, text).in_line(place));
        } else {
            first.insert(key.to_ascii_lowercase(), *line);
        }
        // The keys of `[services]` are names of services.
        if section.kind() != SectionKind::Services
            && let Some(meant) = nearest_known_key(key)
        {
            let text =
                format!("nothing reads the key `{}` of `{named}`; did you mean `{meant}`?", shown(key));
            findings.push(Finding::new(Topic::Config, "unknown-key", Level::Warning, text).in_line(place));
        }
    }
}

fn check_default(config: &Config) -> Option<Finding> {
    let default = ProfileName::default_profile();
    let mut found: Vec<(usize, Place)> = Vec::new();
    for file in [FileKind::Credentials, FileKind::Config] {
        for section in config.document(file).sections_named(SectionKind::Profile, default.as_str()) {
            for entry in &section.scan().entries {
                let rank = IDENTITIES.iter().position(|key| entry.has_key(key));
                if let Some(rank) = rank.filter(|_| !entry.value.is_empty()) {
                    found.push((rank, Place { file, line: entry.line }));
                }
            }
        }
    }
    let (rank, place) = found.into_iter().min_by_key(|(rank, _)| *rank)?;
    let key = IDENTITIES.get(rank)?;
    let text = format!(
        "`[default]` has credentials (`{key}`): commands without a profile use them, and AWS's SDKs prefer \
         them to a credential server"
    );
    Some(Finding::new(Topic::Config, "default-identity", Level::Warning, text).in_line(place).about(&default))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(config: &str, credentials: &str) -> Vec<(&'static str, u32, String)> {
        let config = Config::parse(config, credentials).unwrap();
        let mut findings = Findings::default();
        check_lines(&config, &mut findings);
        let line = |finding: &Finding| match finding.spot {
            Some(super::super::Spot::Line(place)) => place.line,
            _ => 0,
        };
        findings.into_sorted().into_iter().map(|f| (f.id, line(&f), f.text)).collect()
    }

    fn ids(config: &str, credentials: &str) -> Vec<(&'static str, u32)> {
        found(config, credentials).into_iter().map(|(id, line, _)| (id, line)).collect()
    }

    #[test]
    fn each_check_of_lines_fires_where_it_should_and_not_beside_it() {
        for (config, credentials, expected) in [
            ("[profile a]\nregion = x\n", "[a]\n", vec![]),
            ("[profile a]\nno equals\n", "", vec![("bad-line", 2)]),
            ("[a]\n", "", vec![("ignored-section", 1)]),
            ("[profile a]\n[profile b]\n[profile a]\n", "", vec![("section-twice", 3)]),
            ("[profile a]\n[sso-session a]\n[services a]\n", "", vec![]),
            ("", "[a]\n[a]\n", vec![("section-twice", 2)]),
            ("[default]\n[profile default]\n", "", vec![("ignored-section", 1)]),
            ("[profile a]\nregion = x\nREGION = y\n", "", vec![("key-twice", 3)]),
            ("[profile a]\nmfa_seriall = x\n", "", vec![("unknown-key", 2)]),
            ("[sso-session a]\nsso_regoin = x\n", "", vec![("unknown-key", 2)]),
            ("[profile a]\nmy_own_word = x\n[services a]\nregoin =\n  endpoint_url = x\n", "", vec![]),
            ("[tool x]\nregoin = x\n", "", vec![]),
            ("[default]\nregion = x\nmfa_serial = GAHT12345678\n", "", vec![]),
            ("[default]\nregion = x\nrole_arn = x\nsource_profile = a\n", "", vec![("default-identity", 3)]),
            (
                "[default]\nsso_session = x\n",
                "[default]\naws_access_key_id = x\n",
                vec![("default-identity", 2)],
            ),
        ] {
            assert_eq!(ids(config, credentials), expected, "{config}{credentials}");
        }
    }

    #[test]
    fn a_key_of_another_length_than_a_line_is_not_shown_whole() {
        let text = format!("[profile a]\nmfa_serial = GAHT12345678\n{} = 1\n", "k".repeat(10_000));
        assert_eq!(found(&text, ""), []);
        let twice = format!("[profile a]\n{0} = 1\n{0} = 1\n", "k".repeat(10_000));
        assert!(found(&twice, "")[0].2.len() < 400);
    }

    #[test]
    fn a_profile_that_is_included_is_known_as_such() {
        let config =
            Config::parse("[profile a]\ninclude_profile = b\n", "[c]\nInclude_Profile = d\n").unwrap();
        let mut included: Vec<_> = included_profiles(&config).into_iter().collect();
        included.sort();
        assert_eq!(included, ["b", "d"]);
    }
}
