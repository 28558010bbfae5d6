//! The short report, as a failing `exec` prints it: what AWS refused, why most likely, what helps.

use super::attempt::{Attempt, RefusedCall};
use super::diagnosis::Diagnosis;
use super::verdict::{Evidence, Fix, Standing};

/// The width of all texts but those to paste.
pub(super) const WIDTH: usize = 80;
/// The width of the labels.
const INDENT: usize = 14;

/// What a failing command prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// `AWS refused: alice may not become prod-admin (sts:AssumeRole, AccessDenied).`
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
    if let Some((text, fix)) = &diagnosis.role_of_environment {
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
