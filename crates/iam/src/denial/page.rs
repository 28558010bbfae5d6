//! The full page, as `why` prints it: the refused call, the causes, and everything that was checked.

use std::time::Duration;

use jiff::Timestamp;

use super::attempt::{Attempt, CodeSent, RefusedCall, SignedBy, StartKind};
use super::diagnosis::Diagnosis;
use super::report::{WIDTH, render_causes, render_headline, wrap, wrap_at};
use super::verdict::{Evidence, Standing, Verdict};
use hatbox_types::duration::render_duration;

/// The width of what stands before the words of a check.
const BEFORE: usize = 32;

/// Renders all that is known of a refused call, a line each. `answered` are the actions that AWS answered since.
pub fn render_page(
    call: &RefusedCall,
    diagnosis: &Diagnosis,
    answered: &[&str],
    now: Timestamp,
) -> Vec<String> {
    let attempt = &call.attempt;
    let mut lines = vec![render_headline(call, diagnosis), String::new()];
    lines.extend(wrap("Asked for", &render_profile(attempt, now)));
    lines.extend(wrap("Call", &render_call(attempt)));
    lines.extend(wrap("Signed with", &render_signer(attempt)));
    lines.extend(wrap("Answer", &format!("{}: {}", call.code, call.message)));
    if !answered.is_empty() {
        lines.extend(wrap("Asked now", &answered.join(", ")));
    }
    lines.push(String::new());
    match render_causes(diagnosis) {
        Some(causes) => lines.extend(causes),
        None => lines.push("The cause is not known.".to_owned()),
    }
    lines.extend([String::new(), "Everything that was checked".to_owned()]);
    lines.push(format!("{:4}  {:<16}  {:<7} Because", "", "Possible cause", "Is it?"));
    let mut verdicts: Vec<_> = diagnosis.verdicts.iter().collect();
    verdicts.sort_by_key(|verdict| verdict.cause.number());
    lines.extend(verdicts.into_iter().flat_map(render_check));
    lines
}

/// What is known of how long ago it was.
fn render_profile(attempt: &Attempt, now: Timestamp) -> String {
    let seconds = u64::try_from(now.as_second() - attempt.at).unwrap_or_default();
    let ago = Duration::from_secs(if seconds < 60 { seconds } else { seconds / 60 * 60 });
    format!("profile `{}`, {} ago", attempt.profile, render_duration(ago))
}

fn render_call(attempt: &Attempt) -> String {
    let (number, count) = attempt.step;
    let what = match &attempt.role {
        Some(role) => format!("AssumeRole of {role}"),
        None => "GetSessionToken".to_owned(),
    };
    let code = match (attempt.code, &attempt.serial) {
        (CodeSent::No, _) => ", without an MFA code".to_owned(),
        (_, Some(serial)) => format!(", with a code of {serial}"),
        (_, None) => ", with an MFA code".to_owned(),
    };
    let id = if attempt.has_external_id { ", with an external id" } else { "" };
    let length = render_duration(Duration::from_secs(attempt.seconds));
    let at = attempt.endpoint.as_ref().map(|url| format!(", at {url}")).unwrap_or_default();
    format!("{number} of {count}: {what}{code}{id}, for {length}{at}")
}

fn render_signer(attempt: &Attempt) -> String {
    let base = &attempt.base;
    let key = base.key.as_ref().map(|key| format!(" {key}")).unwrap_or_default();
    let start = match base.kind {
        StartKind::Stored => format!("the access key{key} stored for `{}`", base.profile),
        StartKind::File => format!("the access key{key} of `{}` in a file", base.profile),
        StartKind::Environment => format!("the access key{key} of the environment"),
        StartKind::Other => format!("the credentials of `{}`", base.profile),
    };
    match &attempt.signer {
        SignedBy::AccessKey | SignedBy::Temporary => start,
        SignedBy::SessionToken { serial: None, .. } => {
            format!("a session without MFA, obtained with {start}")
        }
        SignedBy::SessionToken { serial: Some(serial), age } => {
            let age = age
                .and_then(|age| u64::try_from(age).ok())
                .map(|age| format!(" {} ago", render_duration(Duration::from_secs(age))))
                .unwrap_or_default();
            format!("a session with MFA of {serial}, obtained{age} with {start}")
        }
        SignedBy::Role { arn } => {
            format!("a session of {}", arn.as_deref().unwrap_or("a role"))
        }
    }
}

fn render_check(verdict: &Verdict) -> Vec<String> {
    let (mark, evidence) = match verdict.standing {
        Standing::Cause(Evidence::Likely) => ("perhaps", Some(Evidence::Likely)),
        Standing::Cause(evidence) => ("cause", Some(evidence)),
        Standing::Open => ("unknown", None),
        Standing::RuledOut(evidence) => ("no", Some(evidence)),
    };
    let evidence = evidence.map(|evidence| format!(" [{}]", evidence.label())).unwrap_or_default();
    let mut words = wrap_at(&format!("{}{evidence}", verdict.text), WIDTH - BEFORE).into_iter();
    let first = words.next().unwrap_or_default();
    let (number, label) = (verdict.cause.number(), verdict.cause.label());
    std::iter::once(format!("{number:>4}  {label:<16}  {mark:<7} {first}"))
        .chain(words.map(|line| format!("{:BEFORE$}{line}", "")))
        .collect()
}
