//! A diagnosis as a program reads it. Names and shapes are kept from version to version; new ones may be added.

use serde_json::{Value, json};

use super::attempt::FailedCall;
use super::cause::{Evidence, Fix, Standing, Verdict};
use super::diagnosis::Diagnosis;
use super::report::render_headline;

/// Renders a failed call and its diagnosis: `schema`, `explained`, `headline`, `aws`, `attempt`, `causes`,
/// `checked`, `asked`: the actions that AWS `answered` since.
pub fn render_diagnosis_json(call: &FailedCall, diagnosis: &Diagnosis, answered: &[&str]) -> Value {
    let causes: Vec<_> = diagnosis
        .verdicts
        .iter()
        .filter(|verdict| matches!(verdict.standing, Standing::Cause(_)))
        .map(render_verdict)
        .collect();
    let mut checked: Vec<_> = diagnosis.verdicts.iter().collect();
    checked.sort_by_key(|verdict| verdict.cause.number());
    json!({
        "schema": 1,
        "explained": diagnosis.is_explained(),
        "headline": render_headline(call, diagnosis),
        "profile": call.attempt.profile,
        "aws": { "code": call.code, "message": call.message, "named_layer": diagnosis.named_layer },
        "role_of_environment": diagnosis.role_of_environment.as_ref().map(|(text, fix)| json!({
            "text": text, "fix": render_fix(fix),
        })),
        "parts_of_environment": diagnosis.parts_of_environment.iter().map(|(text, fix)| json!({
            "text": text, "fix": render_fix(fix),
        })).collect::<Vec<_>>(),
        "attempt": call.attempt,
        "causes": causes,
        "checked": checked.into_iter().map(render_verdict).collect::<Vec<_>>(),
        "asked": answered,
    })
}

fn render_verdict(verdict: &Verdict) -> Value {
    let (standing, evidence) = match verdict.standing {
        Standing::Cause(Evidence::Likely) => ("possible", Some(Evidence::Likely)),
        Standing::Cause(evidence) => ("cause", Some(evidence)),
        Standing::Open => ("unknown", None),
        Standing::RuledOut(evidence) => ("ruled-out", Some(evidence)),
    };
    json!({
        "number": verdict.cause.number(),
        "id": verdict.cause.id(),
        "standing": standing,
        "evidence": evidence.map(Evidence::label),
        "text": verdict.text,
        "fixes": verdict.fixes.iter().map(render_fix).collect::<Vec<_>>(),
    })
}

fn render_fix(fix: &Fix) -> Value {
    match fix {
        Fix::Setting { line, file, section } => {
            json!({ "kind": "setting", "line": line, "file": file, "section": section })
        }
        Fix::Command(text) => {
            let (command, what) = text.split_once("     ").unwrap_or((text, ""));
            json!({ "kind": "command", "command": command, "what": what })
        }
        Fix::Words(text) => json!({ "kind": "words", "text": text }),
        Fix::Statement { belongs, json } => json!({ "kind": "statement", "belongs": belongs, "json": json }),
    }
}
