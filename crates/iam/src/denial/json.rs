//! Renders a diagnosis as JSON. Names and types stay the same in all versions; new members may be added.

use serde_json::{Value, json};

use super::attempt::FailedCall;
use super::cause::{Assessment, Evidence, Fix, WeighedCause};
use super::diagnosis::Diagnosis;
use super::report::render_headline;

/// Renders a failed call and its diagnosis: `schema`, `explained`, `headline`, `aws`, `attempt`, `causes`, `checked`,
/// and `asked` with the actions in `answered`, which AWS answered after the error.
pub fn render_diagnosis_json(call: &FailedCall, diagnosis: &Diagnosis, answered: &[&str]) -> Value {
    let causes: Vec<_> = diagnosis
        .causes
        .iter()
        .filter(|weighed| matches!(weighed.assessment, Assessment::Cause(_)))
        .map(render_weighed)
        .collect();
    let mut checked: Vec<_> = diagnosis.causes.iter().collect();
    checked.sort_by_key(|weighed| weighed.cause.number());
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
        "checked": checked.into_iter().map(render_weighed).collect::<Vec<_>>(),
        "asked": answered,
    })
}

fn render_weighed(weighed: &WeighedCause) -> Value {
    let (assessment, evidence) = match weighed.assessment {
        Assessment::Cause(Evidence::Likely) => ("possible", Some(Evidence::Likely)),
        Assessment::Cause(evidence) => ("cause", Some(evidence)),
        Assessment::Open => ("unknown", None),
        Assessment::RuledOut(evidence) => ("ruled-out", Some(evidence)),
    };
    json!({
        "number": weighed.cause.number(),
        "id": weighed.cause.id(),
        "standing": assessment,
        "evidence": evidence.map(Evidence::label),
        "text": weighed.text,
        "fixes": weighed.fixes.iter().map(render_fix).collect::<Vec<_>>(),
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
