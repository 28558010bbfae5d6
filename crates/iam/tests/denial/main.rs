//! AWS errors and their diagnoses: one file for each case, with the whole report compared.
//!
//! A file has a sentence with the reason for the case, then `== answer` (AWS's code and message), `== attempt` (the
//! differences from the usual call, as JSON), `== known` (facts from IAM or saved policies, as JSON; optional) and
//! `== report` (the output of a failing `exec`). With `BLESS_DENIAL` set, the reports are rewritten; review the
//! difference.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "test helpers may panic, like tests; the cases are files"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hatbox_iam::denial::attempt::{Attempt, FailedCall};
use hatbox_iam::denial::json::render_diagnosis_json;
use hatbox_iam::denial::known::{CallerPolicies, Known, Role, Sourced};
use hatbox_iam::denial::report::render_page;
use hatbox_iam::denial::report::render_report;
use hatbox_iam::denial::{Assessment, Cause, Diagnosis, Evidence, diagnose};
use hatbox_iam::policy::document::Policy;
use jiff::Timestamp;
use serde_json::{Value, json};

/// 2026-01-15 10:00:10 UTC.
const NOW: i64 = 1_768_471_210;
const SECRET_ID: &str = "the-id-of-a-third-party";

struct Case {
    path: PathBuf,
    head: String,
    call: FailedCall,
    known: Known,
    report: String,
}

/// A call by Alice with an access key for a role of another account, without MFA.
fn usual() -> Value {
    json!({
        "at": NOW, "profile": "prod", "step_profile": "prod", "step": [1, 1],
        "role": "arn:aws:iam::444455556666:role/prod-admin",
        "signer": "access-key",
        "base": { "profile": "alice", "kind": "stored", "key": "****MPLE" },
        "serial": null, "code": "no", "seconds": 3600, "seconds_from": null,
        "session_name": "hatbox-prod-1768471210", "is_session_name_fixed": false,
        "has_external_id": false, "tags": [], "inherited_tags": [],
        "source_identity": null, "inherited_source_identity": null,
        "region": "eu-central-1", "endpoint": null, "clock_ahead": null,
        "around": {
            "config": "~/.aws/config", "chain": ["prod", "alice"], "devices": [], "roles": [], "variables": [],
        },
    })
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn fact<T>(origin: &str, value: T) -> Sourced<T> {
    Sourced { value, origin: origin.to_owned() }
}

fn parse_known(value: &Value) -> Known {
    let origin = value["origin"].as_str().unwrap_or("IAM, now").to_owned();
    let policy = |value: &Value| Policy::parse(&value.to_string()).unwrap();
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let is_given = |name: &str| !value[name].is_null();
    Known {
        caller: value["caller"].as_str().map(|arn| fact(&origin, arn.to_owned())),
        role: (is_given("trust") || is_given("max_session") || is_given("created_at")).then(|| {
            fact(
                &origin,
                Role {
                    trust: is_given("trust").then(|| {
                        policy(&json!({
                            "Version": "2012-10-17", "Statement": value["trust"],
                        }))
                    }),
                    max_session: value["max_session"].as_u64().map(Duration::from_secs),
                    created_at: value["created_at"].as_i64().map(|at| Timestamp::from_second(at).unwrap()),
                },
            )
        }),
        roles: is_given("roles").then(|| fact(&origin, texts(&value["roles"]))),
        policies: is_given("policies").then(|| {
            let list = |name: &str| value[name].as_array().unwrap().iter().map(policy).collect();
            let boundary = is_given("boundary").then(|| list("boundary"));
            fact(&origin, CallerPolicies { identity: list("policies"), boundary, is_partial: false })
        }),
        devices: is_given("devices").then(|| fact(&origin, texts(&value["devices"]))),
    }
}

fn load(path: &Path) -> Case {
    let text = fs::read_to_string(path).unwrap();
    let (head, report) = text.split_once("== report\n").unwrap_or_else(|| panic!("{}", path.display()));
    let part = |name: &str| {
        let (_, rest) = head.split_once(&format!("== {name}\n"))?;
        Some(rest.split("\n== ").next().unwrap().trim())
    };
    assert!(!head.starts_with("== "), "{}: no sentence says why", path.display());
    let (code, message) = part("answer").unwrap().split_once(": ").unwrap();
    let mut attempt = usual();
    if let Some(changes) = part("attempt") {
        merge(&mut attempt, &serde_json::from_str(changes).unwrap());
    }
    let known =
        part("known").map(|text| parse_known(&serde_json::from_str(text).unwrap())).unwrap_or_default();
    let attempt: Attempt = serde_json::from_value(attempt).unwrap();
    Case {
        path: path.to_owned(),
        head: head.to_owned(),
        call: FailedCall { code: code.to_owned(), message: message.to_owned(), attempt },
        known,
        report: report.to_owned(),
    }
}

fn cases() -> Vec<Case> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/denial/cases");
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 20, "cases are missing");
    paths.iter().map(|path| load(path)).collect()
}

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn diagnosis(case: &Case) -> Diagnosis {
    diagnose(&case.call.aws_error(), &case.call.attempt, &case.known, now())
}

fn number_of(path: &Path) -> usize {
    path.file_name().unwrap().to_str().unwrap().split('-').next().unwrap().parse().unwrap()
}

#[test]
fn each_refusal_is_explained_as_its_case_says() {
    let mut problems = Vec::new();
    for case in cases() {
        let report = render_report(&case.call, &diagnosis(&case));
        let shown =
            report.map_or_else(String::new, |report| format!("{}\n\n{}", report.headline, report.page));
        if shown == case.report {
            continue;
        }
        if std::env::var_os("BLESS_DENIAL").is_some() {
            fs::write(&case.path, format!("{}== report\n{shown}", case.head)).unwrap();
        }
        problems.push(format!("{}\n{shown}", case.path.display()));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[test]
fn every_cause_has_a_case_in_which_it_is_the_first() {
    let cases = cases();
    let mut found = BTreeSet::new();
    for case in &cases {
        let diagnosis = diagnosis(case);
        let first = diagnosis.first().map(|weighed| weighed.cause.number());
        let expected = number_of(&case.path);
        assert_eq!(first.unwrap_or_default(), expected, "{}", case.path.display());
        found.insert(expected);
    }
    let missing: Vec<_> = Cause::ALL.iter().filter(|cause| !found.contains(&cause.number())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn what_is_only_likely_is_never_said_with_certainty() {
    for case in cases() {
        let diagnosis = diagnosis(&case);
        let Some(first) = diagnosis.first() else { continue };
        let report = render_report(&case.call, &diagnosis).unwrap().page.to_string();
        let is_said = first.assessment == Assessment::Cause(Evidence::AwsSaid);
        let expected = !is_said && diagnosis.is_explained();
        assert_eq!(report.contains("Most likely "), expected, "{report}");
    }
}

#[test]
fn pages_and_json_show_every_cause_and_no_external_id() {
    for case in cases() {
        let diagnosis = diagnosis(&case);
        let page = render_page(&case.call, &diagnosis, &[], now()).to_string();
        let json = render_diagnosis_json(&case.call, &diagnosis, &[]);
        // The table has a heading, and its middle column answers the question that is its heading.
        let table: Vec<_> =
            page.lines().skip_while(|line| *line != "Everything that was checked").skip(1).collect();
        assert_eq!(table.first(), Some(&"      Possible cause    Is it?  Because"), "{page}");
        let rows =
            table.iter().skip(1).filter(|line| line.get(..4).is_some_and(|n| n.trim().parse::<u8>().is_ok()));
        let answers: Vec<_> = rows.filter_map(|line| line.get(24..32)).map(str::trim).collect();
        assert_eq!(answers.len(), Cause::ALL.len(), "{page}");
        assert!(
            answers.iter().all(|answer| ["cause", "perhaps", "unknown", "no"].contains(answer)),
            "{page}"
        );
        for cause in Cause::ALL {
            assert!(page.contains(&format!("{:>4}  {}", cause.number(), cause.label())), "{page}");
        }
        assert_eq!(json["checked"].as_array().unwrap().len(), Cause::ALL.len());
        assert_eq!(json["schema"], 1);
        assert!(!format!("{page}{json}").contains(SECRET_ID), "{}", case.path.display());
        for line in page.lines().filter(|line| line.chars().count() > 80) {
            let is_pasted = [
                "mfa_serial = ",
                "role_arn = ",
                "{\"Effect\"",
                "arn:",
                "access denied: ",
                "AWS returned an error: ",
            ];
            assert!(is_pasted.iter().any(|start| line.contains(start)), "{line}");
        }
    }
}

#[test]
fn what_is_recorded_is_read_again() {
    for case in cases() {
        let text = serde_json::to_string(&case.call).unwrap();
        assert_eq!(serde_json::from_str::<FailedCall>(&text).unwrap(), case.call);
    }
}
