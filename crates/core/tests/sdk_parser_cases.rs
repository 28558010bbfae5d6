//! Runs the parser cases that AWS publishes with its Rust SDK, except where hatbox differs on purpose.
#![expect(clippy::disallowed_methods, reason = "the cases are a file of another crate")]
#![expect(clippy::disallowed_types, reason = "only cargo knows where that crate's source is")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use hatbox_core::config::header::SectionKind;
use hatbox_core::config::origin::FileKind;
use hatbox_core::config::problem::ProblemKind;
use hatbox_core::config::{Config, Warning};
use serde_json::Value;

/// Cases in which hatbox differs on purpose: the case's name and the reason.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "Profile names support alphanumeric characters and - / . % @ _ : +",
        "botocore takes any name, so `[profile foo!bar]` works in the AWS CLI",
    ),
    (
        "Invalid profile names are ignored.",
        "the AWS CLI writes and reads a name with blanks as `[in valid 2]` in the credentials file",
    ),
    (
        "Property definitions must contain an equals sign.",
        "botocore divides at `:` too, so the AWS CLI uses `key : value`; there is a warning",
    ),
    ("Invalid property names are ignored.", "they are kept, so that `explain` can show them as unknown"),
];

/// The result of a case: profiles and SSO sessions, or the problems.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Sections { profiles: Sections, sso_sessions: Sections },
    Problems(BTreeSet<String>),
}

type Sections = BTreeMap<String, BTreeMap<String, String>>;

fn load_cases() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let package =
        metadata["packages"].as_array().unwrap().iter().find(|p| p["name"] == "aws-runtime").unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let path = manifest.with_file_name("test-data").join("profile-parser-tests.json");
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: Value = serde_json::from_slice(&text).unwrap();
    file["tests"].as_array().unwrap().clone()
}

fn read(config: &Config, kind: SectionKind, names: impl IntoIterator<Item = String>) -> Sections {
    let read_one = |name: &str| {
        let mut keys = BTreeMap::new();
        for file in [FileKind::Config, FileKind::Credentials] {
            for section in config.document(file).sections_named(kind, name) {
                for entry in section.scan().entries {
                    let nested = entry.nested.iter().map(|n| format!("\n{} = {}", n.key, n.value));
                    let nested: String = nested.map(|line| line.trim_end().to_owned()).collect();
                    keys.insert(entry.key.to_ascii_lowercase(), format!("{}{nested}", entry.value));
                }
            }
        }
        keys
    };
    names.into_iter().map(|name| (name.clone(), read_one(&name))).collect()
}

fn actual(case: &Value) -> Outcome {
    let text = |key| case["input"][key].as_str().unwrap_or_default();
    let config = Config::parse(text("configFile"), text("credentialsFile")).unwrap();
    let problems: BTreeSet<_> = config
        .warnings()
        .into_iter()
        .filter_map(
            |w| if let Warning::BadLine { problem, .. } = w { Some(problem.to_string()) } else { None },
        )
        .collect();
    if !problems.is_empty() {
        return Outcome::Problems(problems);
    }
    let names = config.profile_names().into_iter().map(|name| name.as_str().to_owned());
    Outcome::Sections {
        profiles: read(&config, SectionKind::Profile, names),
        sso_sessions: read(&config, SectionKind::SsoSession, config.sso_session_names()),
    }
}

fn expected(case: &Value) -> Outcome {
    if let Some(text) = case["output"]["errorContaining"].as_str() {
        let problem = match text {
            "Profile definition must end with ']'" => ProblemKind::UnclosedHeader,
            "Expected a profile definition" => ProblemKind::OutsideSection,
            "Property did not have a name" => ProblemKind::NoKey,
            "Expected an '=' sign defining a property" => ProblemKind::NoEquals,
            "Expected an '=' sign defining a sub-property" => ProblemKind::NestedNoEquals,
            "Sub-property did not have a name" => ProblemKind::NestedNoKey,
            text if text.starts_with("Expected a property definition") => ProblemKind::ContinuesNothing,
            text => panic!("the SDK has a new error: {text}"),
        };
        return Outcome::Problems([problem.to_string()].into());
    }
    let sections = |key| serde_json::from_value(case["output"]["config"][key].clone()).unwrap_or_default();
    Outcome::Sections { profiles: sections("profiles"), sso_sessions: sections("sso_sessions") }
}

#[test]
fn the_cases_of_the_rust_sdk_hold_except_for_those_that_differ_on_purpose() {
    let cases = load_cases();
    assert!(cases.len() >= 60, "only {} cases were found", cases.len());
    for (name, _) in DIFFERENT {
        assert!(cases.iter().any(|case| case["name"] == *name), "the SDK no longer has the case `{name}`");
    }
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let (actual, expected) = (actual(case), expected(case));
        match DIFFERENT.iter().find(|(different, _)| *different == name) {
            None => assert_eq!(actual, expected, "{name}: {}", case["input"]),
            Some((_, why)) => assert_ne!(actual, expected, "`{name}` no longer differs, though {why}"),
        }
    }
}
