//! A diagnosis in words: the short report, as a failing `exec` prints it, and the whole page, as `why` prints it.

use jiff::Timestamp;
use std::time::Duration;

use super::attempt::{Attempt, CodeSent, RefusedCall, SignedBy, StartKind};
use super::cause::{Evidence, Fix, Standing, Verdict};
use super::diagnosis::Diagnosis;
use hatbox_types::duration::render_duration;

/// The width of all texts but those to paste.
pub(super) const WIDTH: usize = 80;
/// The width of the labels.
const INDENT: usize = 14;

/// What a failing command prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// `AWS refused: alice may not assume prod-admin (sts:AssumeRole, AccessDenied).`
    pub headline: String,
    /// What follows, a line each.
    pub lines: Vec<String>,
}

/// Renders the short report; `None` where none of the causes speaks for itself.
pub fn render_report(call: &RefusedCall, diagnosis: &Diagnosis) -> Option<Report> {
    let mut lines = render_causes(diagnosis)?;
    lines.push(format!("{:INDENT$}hatbox why --last     for everything that was checked", ""));
    Some(Report { headline: render_headline(call, diagnosis), lines })
}

/// The first line of the report.
pub fn render_headline(call: &RefusedCall, diagnosis: &Diagnosis) -> String {
    format!("AWS refused: {} ({}, {}).", diagnosis.headline, action(&call.attempt), call.code)
}

fn action(attempt: &Attempt) -> &'static str {
    if attempt.role.is_some() { "sts:AssumeRole" } else { "sts:GetSessionToken" }
}

/// The causes that are worth telling, with what helps.
pub(super) fn render_causes(diagnosis: &Diagnosis) -> Option<Vec<String>> {
    let first = diagnosis.first()?;
    let is_said = first.standing == Standing::Cause(Evidence::AwsSaid);
    let mut lines = Vec::new();
    for (text, fix) in diagnosis.role_of_environment.iter().chain(&diagnosis.parts_of_environment) {
        lines.extend(wrap("Note", &format!("{text}.")));
        lines.extend(render_fixes("Fix", std::slice::from_ref(fix)));
    }
    if let Some(layer) = diagnosis.named_layer.as_ref().filter(|_| !is_said) {
        lines.extend(wrap("AWS said", &format!("{layer}.")));
    }
    let label = match (is_said, diagnosis.is_explained()) {
        (true, _) => "AWS said",
        (false, true) => "Most likely",
        (false, false) => "Perhaps",
    };
    lines.extend(wrap(label, &format!("{}.", first.text)));
    lines.extend(render_fixes("Fix", &first.fixes));
    let others: Vec<_> = diagnosis.others().collect();
    let which = match others.len() {
        _ if !diagnosis.is_bare => "",
        1 => "; AWS did not say which of the two",
        2 => "; AWS did not say which of the three",
        _ => "; AWS did not say which",
    };
    for (index, other) in others.iter().enumerate() {
        let end = if index + 1 == others.len() { which } else { "" };
        lines.extend(wrap("Or", &format!("{}{end}.", other.text)));
    }
    Some(lines)
}

fn render_fixes(label: &str, fixes: &[Fix]) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, fix) in fixes.iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        match fix {
            Fix::Words(words) => lines.extend(wrap(label, words)),
            // What is to be pasted stays whole.
            _ => lines.push(format!("{label:<INDENT$}{}", fix.render())),
        }
    }
    lines
}

/// A label, and a text broken into lines beside it.
pub(super) fn wrap(label: &str, text: &str) -> Vec<String> {
    let mut lines = wrap_at(text, WIDTH - INDENT).into_iter();
    let first = lines.next().unwrap_or_default();
    let rest = lines.map(|line| format!("{:INDENT$}{line}", ""));
    std::iter::once(format!("{label:<INDENT$}{first}")).chain(rest).collect()
}

/// Breaks a text at blanks; a word that is longer than a line has one of its own.
pub(super) fn wrap_at(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

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
