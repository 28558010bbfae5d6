//! Renders findings as JSON.

use serde_json::{Map, Value, json};

use super::finding::Finding;
use super::report::{Counts, Linted, Outcome};
use crate::admits::Admits;
use crate::policy::answer::Answer;

/// Lists all policies under `policies`; for a single policy, its members are also at the top level.
pub fn render_json(linted: &[Linted]) -> String {
    let policies: Vec<_> = linted.iter().map(render_one).collect();
    let counts = Counts::of(linted);
    let mut all = Map::new();
    all.insert("schema".to_owned(), json!(1));
    if let [Value::Object(only)] = policies.as_slice() {
        all.extend(only.clone());
    }
    all.insert("errors".to_owned(), json!(counts.errors));
    all.insert("warnings".to_owned(), json!(counts.warnings));
    all.insert("infos".to_owned(), json!(counts.infos));
    all.insert("policies".to_owned(), Value::Array(policies));
    format!("{:#}\n", Value::Object(all))
}

fn render_one(one: &Linted) -> Value {
    let mut members = Map::new();
    let mut set = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    set("name", json!(one.name));
    set("file", json!(one.file));
    match &one.outcome {
        Outcome::Judged(report) => {
            set("trusts", json!(report.who));
            set("admits", render_admits(&report.admits));
            set("depends_on", json!(keys(&report.admits)));
            set("mfa", json!(report.admits.mfa.name()));
            set("findings", report.findings.iter().map(render_finding).collect());
        }
        Outcome::Unreadable(error) => {
            let (line, column) = (error.line, error.column);
            set("error", json!({"line": line, "column": column, "message": error.problem}));
        }
        Outcome::UntilApply => set("unknown", json!("not known until apply")),
    }
    Value::Object(members)
}

/// Renders `yes`, `no` or `depends` for each kind of caller; `depends_on` lists the keys.
fn render_admits(admits: &Admits) -> Value {
    let word = |answer: &Answer| match answer {
        Answer::Yes => "yes",
        Answer::No => "no",
        Answer::Unknown(_) => "depends",
    };
    let member = |row: &crate::admits::Row| (row.credentials.name().to_owned(), json!(word(&row.answer)));
    Value::Object(admits.rows.iter().map(member).collect())
}

fn keys(admits: &Admits) -> Vec<String> {
    let mut keys: Vec<_> =
        admits.rows.iter().flat_map(|row| row.answer.facts()).map(ToString::to_string).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn render_finding(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule.id(),
        "level": finding.level.as_str(),
        "line": finding.place.line,
        "column": finding.place.column,
        "statement": finding.statement,
        "sid": finding.sid,
        "element": finding.element,
        "message": finding.message,
        "fix": finding.fix,
    })
}
