//! Findings as text for people.

use super::finding::Finding;
use super::report::{Counts, Linted, Outcome, Report};
use crate::admits::{Admits, Mfa, Row};
use crate::assume::credentials::Credentials;
use crate::policy::answer::{Answer, Fact};
use hatbox_types::text::shell::quote_path;

/// How many principals of one policy are shown.
const MAX_SHOWN: usize = 20;

/// How much is said of policies without findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// A line for each, where there are several policies.
    Findings,
    /// As much as of those with findings.
    All,
}

/// Reports all policies: who can assume the role first, then what is wrong.
pub fn render_text(linted: &[Linted], detail: Detail) -> String {
    if linted.is_empty() {
        return "no roles\n".to_owned();
    }
    let is_only = linted.len() == 1;
    let mut text = String::new();
    let mut was_line = true;
    // What cannot be read is said on stderr, as an error.
    for one in linted {
        let (part, is_line) = match &one.outcome {
            Outcome::Judged(report) if is_only || detail == Detail::All || !report.findings.is_empty() => {
                (render_report(one, report), false)
            }
            Outcome::Judged(report) => (render_line(one, report), true),
            Outcome::UntilApply => (format!("{}: not known until apply\n", one.name), true),
            Outcome::Unreadable(_) => continue,
        };
        let is_joined = text.is_empty() || (was_line && is_line);
        if !is_joined {
            text.push('\n');
        }
        text.push_str(&part);
        was_line = is_line;
    }
    if text.is_empty() {
        return text;
    }
    let has_finding = |one: &Linted| matches!(&one.outcome, Outcome::Judged(of) if !of.findings.is_empty());
    let gap = if is_only && linted.iter().any(has_finding) { "" } else { "\n" };
    format!("{text}{gap}{}\n", render_counts(linted))
}

fn render_line(one: &Linted, report: &Report) -> String {
    let mfa = if report.admits.mfa == Mfa::Required { ", MFA required" } else { "" };
    format!("{}: no findings{mfa}\n", one.name)
}

fn add(text: &mut String, more: &str) {
    text.push_str(more);
}

fn render_report(one: &Linted, report: &Report) -> String {
    let mut whole = format!("{}: who can assume this role\n", one.name);
    let text = &mut whole;
    render_who(text, report);
    render_table(text, &report.admits);
    for finding in &report.findings {
        text.push('\n');
        render_finding(text, one, finding);
    }
    whole
}

fn render_who(text: &mut String, report: &Report) {
    if report.is_closed {
        add(text, "  no one\n");
        return;
    }
    for who in report.who.iter().take(MAX_SHOWN) {
        add(text, &format!("  {who}\n"));
    }
    match report.who.len() {
        0 => add(text, "  no one\n"),
        count if count > MAX_SHOWN => add(text, &format!("  and {} more\n", count - MAX_SHOWN)),
        _ => {}
    }
}

fn render_table(text: &mut String, admits: &Admits) {
    add(text, "\n  caller signs with                can assume it\n");
    let mut facts: Vec<&Fact> = Vec::new();
    for row in &admits.rows {
        let answer = match &row.answer {
            Answer::Yes if is_hole(row, admits) => "YES   <- MFA is not enforced",
            Answer::Yes => "yes",
            Answer::No => "no",
            Answer::Unknown(more) => {
                facts.extend(more);
                "depends"
            }
        };
        add(text, &format!("  {:<33}{answer}\n", row.credentials.label()));
    }
    facts.sort_by_cached_key(ToString::to_string);
    facts.dedup();
    for fact in facts {
        match fact {
            Fact::Key(key) => add(text, &format!("  depends on {key}: --context {key}=VALUE\n")),
            _ => add(text, &format!("  depends on {fact}\n")),
        }
    }
}

/// A user can assume the role without MFA. A trusted role never has MFA, which is no hole by itself.
fn is_hole(row: &Row, admits: &Admits) -> bool {
    let users_can =
        admits.rows.iter().any(|row| row.credentials != Credentials::RoleSession && !row.answer.is_no());
    !row.credentials.has_mfa() && users_can
}

fn render_finding(text: &mut String, one: &Linted, finding: &Finding) {
    let (level, id) = (finding.level.name(), finding.rule.id());
    let mut place = match (finding.statement, &finding.sid) {
        (Some(number), Some(sid)) => format!("statement {number} ({sid})"),
        (Some(number), None) => format!("statement {number}"),
        (None, _) => "the whole policy".to_owned(),
    };
    if !finding.element.is_empty() {
        place.push_str(", ");
        place.push_str(&finding.element);
    }
    add(text, &format!("{level}[{id}] {place}\n  {}\n  Fix: {}", finding.message, finding.fix));
    if let Some(file) = one.file.as_ref().filter(|_| finding.rule.is_fixed_by_require_mfa()) {
        add(text, &format!("   hatbox trust require-mfa --file {}", quote_path(file)));
    }
    text.push('\n');
}

fn render_counts(linted: &[Linted]) -> String {
    let counts = Counts::of(linted);
    let of = |count: usize, one: &str| {
        (count > 0).then(|| format!("{count} {one}{}", if count == 1 { "" } else { "s" }))
    };
    let counted: Vec<_> =
        [of(counts.errors, "error"), of(counts.warnings, "warning"), of(counts.infos, "info")]
            .into_iter()
            .flatten()
            .collect();
    let mut text = if counted.is_empty() { "no findings".to_owned() } else { counted.join(", ") };
    let unread = linted.iter().filter(|one| matches!(one.outcome, Outcome::Unreadable(_))).count();
    match linted.len() - unread {
        1 if unread > 0 => text.push_str(" in 1 policy"),
        1 => {}
        read => text.push_str(&format!(" in {read} policies")),
    }
    if unread > 0 {
        text.push_str(&format!(", {unread} not read"));
    }
    text
}
