//! Rows of the batch format, each with AWS's answer and the reason for it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

use hatbox_iam::policy::evaluate::evaluate;
use hatbox_iam::policy::rows::{parse_row, render_answer};
use serde_json::Value;

/// Evaluates each line of `text`; returns the rows whose answer differs from the expected one.
fn differences(name: &str, text: &str) -> Vec<String> {
    let mut differences = Vec::new();
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
        let title = serde_json::from_str::<Value>(line).unwrap()["title"].clone();
        let expected = serde_json::from_str::<Value>(line).unwrap()["expect"].clone();
        let answer = match parse_row(line) {
            Ok(row) => render_answer(&row.id, &evaluate(&row.request, &row.layers)),
            Err(error) => panic!("{name}:{number}: {title}: {error}"),
        };
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let is_as_expected = expected
            .as_object()
            .expect("an object `expect`")
            .iter()
            .all(|(key, value)| answer[key] == *value);
        if !is_as_expected {
            differences.push(format!("{name}:{number}: {title}\n  expected {expected}\n  answered {answer}"));
        }
    }
    differences
}

#[test]
fn every_row_is_answered_as_aws_answers() {
    let files = [
        ("principals", include_str!("evaluate/principals.jsonl")),
        ("conditions", include_str!("evaluate/conditions.jsonl")),
        ("mfa", include_str!("evaluate/mfa.jsonl")),
        ("layers", include_str!("evaluate/layers.jsonl")),
        ("resources", include_str!("evaluate/resources.jsonl")),
    ];
    let wrong: Vec<_> = files.iter().flat_map(|(name, text)| differences(name, text)).collect();
    assert!(wrong.is_empty(), "{} rows\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_wrong_expectation_would_be_seen() {
    let row = r#"{"id":"x","title":"t","request":{"principal":"arn:aws:iam::111122223333:user/alice",
        "action":"s3:GetObject","resource":"arn:aws:s3:::b/k","resource_account":"111122223333"},
        "expect":{"decision":"allow"}}"#;
    assert_eq!(differences("test", &row.replace('\n', " ")).len(), 1);
}
