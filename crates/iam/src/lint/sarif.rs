//! Renders findings as SARIF 2.1.0, which code scanning services read
//! (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).

use hatbox_types::level::Level;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::finding::Finding;
use super::report::{Linted, Outcome};
use super::rule::RULES;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Renders a log of one run. `version` is the version of hatbox.
pub fn render_sarif(linted: &[Linted], version: &str) -> String {
    let rules: Vec<_> = RULES
        .iter()
        .map(|(_, id, level, about)| {
            json!({
                "id": id,
                "shortDescription": {"text": about},
                "defaultConfiguration": {"level": sarif_level(*level)},
            })
        })
        .collect();
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    for one in linted {
        match &one.outcome {
            Outcome::Judged(report) => {
                results.extend(report.findings.iter().map(|finding| render_result(one, finding)));
            }
            Outcome::Unreadable(error) => notifications.push(json!({
                "level": "error",
                "message": {"text": error.to_string()},
                "locations": [location(one, error.line, error.column, None)],
            })),
            Outcome::UntilApply => notifications.push(json!({
                "level": "note",
                "message": {"text": format!("the trust policy of {} is not known until apply", one.name)},
            })),
        }
    }
    let is_whole = !linted.iter().any(|one| matches!(one.outcome, Outcome::Unreadable(_)));
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "hatbox", "version": version, "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": is_whole,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn sarif_level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "note",
    }
}

fn render_result(one: &Linted, finding: &Finding) -> Value {
    let index = RULES.iter().position(|(rule, ..)| *rule == finding.rule);
    let logical = finding.statement.map(|number| {
        let element =
            if finding.element.is_empty() { String::new() } else { format!(".{}", finding.element) };
        format!("{}: Statement[{}]{element}", one.name, number - 1)
    });
    json!({
        "ruleId": finding.rule.id(),
        "ruleIndex": index,
        "level": sarif_level(finding.level),
        "message": {"text": format!("{} Fix: {}", finding.message, finding.fix)},
        "locations": [location(one, finding.place.line, finding.place.column, logical)],
    })
}

/// Renders a location. If the policy is a string within another file, only its logical name is known.
fn location(one: &Linted, line: u32, column: u32, logical: Option<String>) -> Value {
    let mut location = serde_json::Map::new();
    if let Some(file) = &one.file {
        let physical = json!({
            "artifactLocation": {"uri": to_uri(file)},
            "region": {"startLine": line, "startColumn": column},
        });
        location.insert("physicalLocation".to_owned(), physical);
    }
    let logical = logical.unwrap_or_else(|| one.name.clone());
    location.insert("logicalLocations".to_owned(), json!([{"fullyQualifiedName": logical}]));
    Value::Object(location)
}

/// Characters that need no encoding in a URI's path (RFC 3986 section 2.3).
const IN_PATH: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// Converts a path to a URI reference (RFC 3986); relative paths stay relative.
fn to_uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    format!("{scheme}{}", utf8_percent_encode(&path.replace('\\', "/"), &IN_PATH))
}
