//! One function for each parser of untrusted bytes. `cargo fuzz` runs them on generated input (fuzz/), and the test
//! below on fuzz/corpus. None of them may panic.

use hatbox_core::answer::{parse_process_answer, parse_service_answer};
use hatbox_core::cache::parse_cached_session;
use hatbox_core::config::edit::{Change, edit_section};
use hatbox_core::config::{Config, FileKind, SectionKind, Which, overrides::Overrides, resolve_profile};
use hatbox_iam::accounts::{Accounts, Origin, SourceKind};
use hatbox_iam::admits::Trial;
use hatbox_iam::assume::context::Assumptions;
use hatbox_iam::denial::aws_error::parse_aws_error;
use hatbox_iam::graph::survey;
use hatbox_iam::graph::svg::render_svg;
use hatbox_iam::lint::{Subject, lint_policy};
use hatbox_iam::policy::document::decode_json;
use hatbox_iam::policy::rows::parse_row;
use hatbox_iam::require_mfa::{Wanted, require_mfa};
use hatbox_types::secret::SecretString;
use jiff::Timestamp;

use crate::aws_vault::jwe::open;
use crate::store::index::parse_index;
use crate::store::item_text::parse_any_item;
use crate::store::{accepts_answer, accepts_item, accepts_manifest};
use crate::world::settings::load_settings;

/// A function that parses untrusted bytes.
pub type Target = fn(&[u8]);

/// The targets, by the name of their corpus.
pub const TARGETS: [(&str, Target); 16] = [
    ("account-details", sources),
    ("cached-session", |bytes| drop(parse_cached_session(bytes))),
    ("config", config),
    ("config-edit", config_edit),
    ("evaluate-row", row),
    ("given-credentials", |bytes| {
        drop(parse_process_answer(bytes, Timestamp::UNIX_EPOCH));
        drop(parse_service_answer(bytes, Timestamp::UNIX_EPOCH));
    }),
    ("helper-answer", |bytes| {
        accepts_answer(bytes);
    }),
    ("index", |bytes| drop(parse_index(bytes))),
    ("item", item),
    ("jwe", jwe),
    ("manifest", |bytes| {
        accepts_manifest(bytes);
    }),
    ("policy", policy),
    ("aws-error", aws_error),
    ("settings", settings),
    ("snapshot", sources),
    ("terraform", sources),
];

/// Runs one target.
///
/// # Panics
/// If there is no target of this name, or if the target detects a bug.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    assert!(target.is_some(), "there is no target `{name}`");
    if let Some((_, target)) = target {
        target(bytes);
    }
}

fn config(bytes: &[u8]) {
    let Ok(config) = Config::parse(bytes, bytes) else { return };
    config.warnings();
    for name in config.profile_names() {
        drop(resolve_profile(&config, &name, &Overrides::default(), Which::Target));
    }
}

/// The first line is the value, the rest is the file. Applying the same edit twice must change nothing more.
fn config_edit(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (value, file) = text.split_once('\n').unwrap_or((&text, ""));
    let set = [Change::Set { key: "role_arn".to_owned(), value: value.to_owned() }];
    let edit = |file: &[u8]| edit_section(file, FileKind::Config, SectionKind::Profile, "ops", &set);
    if let Ok(once) = edit(file.as_bytes()) {
        assert!(edit(&once).is_ok_and(|twice| twice == once), "a second edit changes it");
    }
}

fn sources(bytes: &[u8]) {
    let mut accounts = Accounts::default();
    let origin = Origin { name: "fuzz".to_owned(), kind: SourceKind::PolicyFile, taken: None };
    if accounts.add_source(bytes, origin).is_ok() {
        let given = Assumptions { context: Vec::new(), now: Timestamp::UNIX_EPOCH };
        render_svg(&survey(&accounts, &given));
    }
}

fn policy(bytes: &[u8]) {
    let trial = Trial::default();
    if let Ok(text) = decode_json(bytes) {
        drop(lint_policy(text, Subject::default(), &trial));
        drop(require_mfa(text, &Wanted { max_age: None, role: None, trial }));
    }
}

fn row(bytes: &[u8]) {
    if let Ok(row) = std::str::from_utf8(bytes).map_err(drop).and_then(|text| parse_row(text).map_err(drop)) {
        hatbox_iam::policy::evaluate::evaluate(&row.request, &row.layers);
    }
}

/// The first line is the code, the rest is the message.
fn aws_error(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (code, message) = text.split_once('\n').unwrap_or((&text, ""));
    parse_aws_error(code, message);
}

fn item(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        drop(parse_any_item(text));
    }
    accepts_item(bytes);
}

/// Written to a file, as the owner and the mode of a settings file are checked.
fn settings(bytes: &[u8]) {
    let path = std::env::temp_dir().join(format!("hatbox-fuzz-{}.toml", std::process::id()));
    if std::fs::write(&path, bytes).is_ok() {
        drop(load_settings(&path));
        std::fs::remove_file(&path).ok();
    }
}

fn jwe(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        drop(open(text, &SecretString::new("passphrase".to_owned())));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Every target has a corpus and a file for `cargo fuzz`, and every corpus has a target.
    #[test]
    fn what_is_kept_of_each_target_is_read_without_a_panic() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
        for (name, target) in TARGETS {
            let mut count = 0;
            for seed in fs::read_dir(fuzz.join("corpus").join(name)).unwrap() {
                let bytes = fs::read(seed.unwrap().path()).unwrap();
                target(&bytes);
                // Truncated input must not panic either.
                (0..bytes.len()).step_by(1 + bytes.len() / 64).for_each(|end| target(&bytes[..end]));
                count += 1;
            }
            assert!(count >= 2, "{name} has {count} seeds");
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in fuzz/Cargo.toml");
        }
        assert_eq!(fs::read_dir(fuzz.join("corpus")).unwrap().count(), TARGETS.len());
    }

    /// Returns a manifest's dependencies on Linux, those of the feature `file` and the non-optional ones, each with its
    /// version, its features and whether default features are on.
    fn dependencies(manifest: &toml::Table, workspace: &toml::Table) -> BTreeMap<String, String> {
        let linux = ["cfg(unix)", "cfg(target_os = \"linux\")"];
        let of_target = |name: &str| manifest.get("target")?.get(name)?.get("dependencies");
        let tables = manifest.get("dependencies").into_iter().chain(linux.into_iter().filter_map(of_target));
        let of_file = manifest.get("features").and_then(|features| features.get("file")?.as_array());
        let is_of_file = |name: &str| {
            of_file.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(&format!("dep:{name}"))))
        };
        let mut found: BTreeMap<String, (String, bool, BTreeSet<String>)> = BTreeMap::new();
        for (name, dependency) in tables.flat_map(|table| table.as_table().unwrap()) {
            let own = dependency.as_table().cloned().unwrap_or_default();
            let is = |key: &str| own.get(key).and_then(toml::Value::as_bool).unwrap_or(false);
            if is("optional") && !is_of_file(name) {
                continue;
            }
            let base = if is("workspace") { &workspace[name] } else { dependency };
            let version = base.as_str().or_else(|| base.get("version")?.as_str()).unwrap_or_default();
            let version = if base.get("path").is_some() { "" } else { version };
            let has_default = base.get("default-features").and_then(toml::Value::as_bool).unwrap_or(true);
            let features = [base.get("features"), own.get("features")];
            let features = features.into_iter().flatten().flat_map(|list| list.as_array().unwrap());
            let features = features.map(|feature| feature.as_str().unwrap().to_owned());
            let entry =
                found.entry(name.clone()).or_insert((version.to_owned(), has_default, BTreeSet::new()));
            entry.2.extend(features);
        }
        found.into_iter().map(|(name, entry)| (name, format!("{entry:?}"))).collect()
    }

    /// `cargo fuzz` needs nightly and takes long, so a missing dependency would be noticed late.
    #[test]
    fn the_fuzz_targets_have_the_dependencies_of_the_program() {
        let load = |path: &str| -> toml::Table {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            toml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
        };
        let (fuzz, program, workspace) =
            (load("../../fuzz/Cargo.toml"), load("Cargo.toml"), load("../../Cargo.toml"));
        let workspace = workspace["workspace"]["dependencies"].as_table().unwrap();
        let mut of_fuzz = dependencies(&fuzz, workspace);
        assert!(of_fuzz.remove("libfuzzer-sys").is_some());
        assert_eq!(of_fuzz, dependencies(&program, workspace));
        let features = |manifest: &toml::Table| -> Vec<String> {
            manifest["features"]
                .as_table()
                .unwrap()
                .keys()
                .filter(|name| *name != "default")
                .cloned()
                .collect()
        };
        assert_eq!(features(&fuzz), features(&program));
    }
}
