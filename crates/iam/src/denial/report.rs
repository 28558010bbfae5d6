//! Renders a diagnosis as text: the short report that a failing `exec` prints, and the full page that `why` prints.

use jiff::Timestamp;
use std::time::Duration;

use super::attempt::{Attempt, CodeSent, FailedCall, SignedBy, StartKind};
use super::cause::{Assessment, Evidence, Fix, WeighedCause};
use super::diagnosis::Diagnosis;
use hatbox_types::duration::render_duration;
use hatbox_types::text::page::{Line, Page, Style};

/// The width of the labels, in columns.
const INDENT: usize = 14;

/// The report that a failing command prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The first line: `access denied: alice may not assume prod-admin (sts:AssumeRole, AccessDenied)`
    pub headline: String,
    /// The text after the first line.
    pub page: Page,
}

/// Renders the short report; `None` if there is no evidence for any of the causes.
pub fn render_report(call: &FailedCall, diagnosis: &Diagnosis) -> Option<Report> {
    let mut page = render_causes(diagnosis)?;
    page.plain(&format!("{:INDENT$}hatbox why --last     shows everything that was checked", ""));
    Some(Report { headline: render_headline(call, diagnosis), page })
}

/// Renders the first line of the report.
pub fn render_headline(call: &FailedCall, diagnosis: &Diagnosis) -> String {
    let start = if call.code.starts_with("AccessDenied") { "access denied" } else { "AWS returned an error" };
    format!("{start}: {} ({}, {})", diagnosis.headline, action(&call.attempt), call.code)
}

fn action(attempt: &Attempt) -> &'static str {
    if attempt.role.is_some() { "sts:AssumeRole" } else { "sts:GetSessionToken" }
}

/// Renders the causes that are worth showing, with their fixes.
pub(super) fn render_causes(diagnosis: &Diagnosis) -> Option<Page> {
    let first = diagnosis.first()?;
    let is_said = first.assessment == Assessment::Cause(Evidence::AwsSaid);
    let mut page = Page::default();
    for (text, fix) in diagnosis.role_of_environment.iter().chain(&diagnosis.parts_of_environment) {
        push_labelled(&mut page, "Note", &format!("{text}."));
        push_fixes(&mut page, "Fix", std::slice::from_ref(fix));
    }
    if let Some(layer) = diagnosis.named_layer.as_ref().filter(|_| !is_said) {
        push_labelled(&mut page, "AWS said", &format!("{layer}."));
    }
    let label = match (is_said, diagnosis.is_explained()) {
        (true, _) => "AWS said",
        (false, true) => "Most likely",
        (false, false) => "Perhaps",
    };
    push_labelled(&mut page, label, &format!("{}.", first.text));
    push_fixes(&mut page, "Fix", &first.fixes);
    let others: Vec<_> = diagnosis.others().collect();
    let which = match others.len() {
        _ if !diagnosis.is_bare => "",
        1 => "; AWS did not say which of the two",
        2 => "; AWS did not say which of the three",
        _ => "; AWS did not say which",
    };
    for (index, other) in others.iter().enumerate() {
        let end = if index + 1 == others.len() { which } else { "" };
        push_labelled(&mut page, "Or", &format!("{}{end}.", other.text));
    }
    Some(page)
}

fn push_fixes(page: &mut Page, label: &str, fixes: &[Fix]) {
    for (index, fix) in fixes.iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        match fix {
            Fix::Words(words) => push_labelled(page, label, words),
            // Do not wrap text that users copy.
            _ => page.0.push(lead(label).with(&fix.render(), Style::Plain)),
        }
    }
}

/// Adds a label with wrapped text beside it.
fn push_labelled(page: &mut Page, label: &str, text: &str) {
    page.hang(lead(label), text, Style::Plain, INDENT);
}

fn lead(label: &str) -> Line {
    let mut lead = Line::of(label, Style::Strong);
    lead.pad_to(INDENT);
    lead
}

/// The width of a check before its text, in columns.
const BEFORE: usize = 32;

/// Renders everything known about a failed call. `answered` are the actions that AWS answered after the error.
pub fn render_page(call: &FailedCall, diagnosis: &Diagnosis, answered: &[&str], now: Timestamp) -> Page {
    let attempt = &call.attempt;
    let mut page = Page::default();
    page.line(&[(&render_headline(call, diagnosis), Style::Strong)]);
    page.blank();
    push_labelled(&mut page, "Profile", &render_profile(attempt, now));
    push_labelled(&mut page, "Call", &render_call(attempt));
    push_labelled(&mut page, "Signed with", &render_signer(attempt));
    push_labelled(&mut page, "Response", &format!("{}: {}", call.code, call.message));
    if !answered.is_empty() {
        push_labelled(&mut page, "Checked now", &answered.join(", "));
    }
    page.blank();
    match render_causes(diagnosis) {
        Some(causes) => page.append(causes),
        None => page.line(&[("The cause is not known.", Style::Warning)]),
    }
    page.blank();
    page.line(&[("Everything that was checked", Style::Strong)]);
    page.plain(&format!("{:4}  {:<16}  {:<7} Because", "", "Possible cause", "Is it?"));
    let mut causes: Vec<_> = diagnosis.causes.iter().collect();
    causes.sort_by_key(|weighed| weighed.cause.number());
    for weighed in causes {
        push_check(&mut page, weighed);
    }
    page
}

/// Renders the profile, and how long ago the call was made.
fn render_profile(attempt: &Attempt, now: Timestamp) -> String {
    let seconds = u64::try_from(now.as_second() - attempt.at).unwrap_or_default();
    let ago = Duration::from_secs(if seconds < 60 { seconds } else { seconds / 60 * 60 });
    format!("`{}`, {} ago", attempt.profile, render_duration(ago))
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
    let id = if attempt.has_external_id { ", with an external ID" } else { "" };
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

fn push_check(page: &mut Page, weighed: &WeighedCause) {
    let (mark, style, evidence) = match weighed.assessment {
        Assessment::Cause(Evidence::Likely) => ("perhaps", Style::Warning, Some(Evidence::Likely)),
        Assessment::Cause(evidence) => ("cause", Style::Bad, Some(evidence)),
        Assessment::Open => ("unknown", Style::Warning, None),
        Assessment::RuledOut(evidence) => ("no", Style::Plain, Some(evidence)),
    };
    let evidence = evidence.map(|evidence| format!(" [{}]", evidence.label())).unwrap_or_default();
    let (number, label) = (weighed.cause.number(), weighed.cause.label());
    let mut lead = Line::of(&format!("{number:>4}  {label:<16}  "), Style::Plain).with(mark, style);
    lead.pad_to(BEFORE);
    page.hang(lead, &format!("{}{evidence}", weighed.text), Style::Plain, BEFORE);
}
