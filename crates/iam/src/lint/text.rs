//! Renders findings as text.

use super::finding::Finding;
use super::report::{Counts, Linted, Outcome, Report};
use crate::admits::{Admits, Mfa, Row};
use crate::assume::credentials::Credentials;
use crate::policy::answer::{Answer, Fact};
use hatbox_types::level::Level;
use hatbox_types::text::page::{Line, Page, Style, WIDTH};
use hatbox_types::text::shell::quote_path;
use hatbox_types::text::wrap::display_width;

/// The maximum number of principals shown for one policy.
const MAX_SHOWN: usize = 20;

/// How much to show of policies without findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// One line for each, if there are several policies.
    Findings,
    /// The full report, as for policies with findings.
    All,
}

/// Reports all policies: first who can assume the role, then what is wrong.
pub fn render_text(linted: &[Linted], detail: Detail) -> Page {
    let mut page = Page::default();
    if linted.is_empty() {
        page.plain("no roles");
        return page;
    }
    let is_only = linted.len() == 1;
    let mut was_line = true;
    // Unreadable policies are reported on stderr as errors.
    for one in linted {
        let (part, is_line) = match &one.outcome {
            Outcome::Judged(report) if is_only || detail == Detail::All || !report.findings.is_empty() => {
                (render_report(one, report), false)
            }
            Outcome::Judged(report) => (render_line(one, report), true),
            Outcome::UntilApply => (one_line(&format!("{}: not known until apply", one.name)), true),
            Outcome::Unreadable(_) => continue,
        };
        let is_joined = page.0.is_empty() || (was_line && is_line);
        if !is_joined {
            page.blank();
        }
        page.append(part);
        was_line = is_line;
    }
    if page.0.is_empty() {
        return page;
    }
    let has_finding = |one: &Linted| matches!(&one.outcome, Outcome::Judged(of) if !of.findings.is_empty());
    if !(is_only && linted.iter().any(has_finding)) {
        page.blank();
    }
    page.plain(&render_counts(linted));
    page
}

fn one_line(text: &str) -> Page {
    let mut page = Page::default();
    page.plain(text);
    page
}

fn render_line(one: &Linted, report: &Report) -> Page {
    let mfa = if report.admits.mfa == Mfa::Required { ", MFA required" } else { "" };
    one_line(&format!("{}: no findings{mfa}", one.name))
}

fn render_report(one: &Linted, report: &Report) -> Page {
    let mut page = Page::default();
    page.line(&[(&format!("{}: who can assume this role", one.name), Style::Strong)]);
    push_who(&mut page, report);
    push_table(&mut page, &report.admits);
    for finding in &report.findings {
        page.blank();
        push_finding(&mut page, one, finding);
    }
    page
}

fn push_who(page: &mut Page, report: &Report) {
    if report.is_closed {
        page.plain("  no one");
        return;
    }
    for who in report.who.iter().take(MAX_SHOWN) {
        page.hang(Line::of("  ", Style::Plain), who, Style::Plain, 4);
    }
    match report.who.len() {
        0 => page.plain("  no one"),
        count if count > MAX_SHOWN => page.plain(&format!("  and {} more", count - MAX_SHOWN)),
        _ => {}
    }
}

fn push_table(page: &mut Page, admits: &Admits) {
    page.blank();
    page.plain("  caller signs with                can assume it");
    let mut facts: Vec<&Fact> = Vec::new();
    for row in &admits.rows {
        let (answer, style) = match &row.answer {
            Answer::Yes if is_hole(row, admits) => ("YES   <- MFA is not enforced", Style::Bad),
            Answer::Yes => ("yes", Style::Good),
            Answer::No => ("no", Style::Plain),
            Answer::Unknown(more) => {
                facts.extend(more);
                ("depends", Style::Warning)
            }
        };
        page.line(&[(&format!("  {:<33}", row.credentials.label()), Style::Plain), (answer, style)]);
    }
    facts.sort_by_cached_key(ToString::to_string);
    facts.dedup();
    for fact in facts {
        match fact {
            Fact::Key(key) => page.plain(&format!("  depends on {key}: --context {key}=VALUE")),
            _ => page.plain(&format!("  depends on {fact}")),
        }
    }
}

/// Whether the row is a hole: no MFA, in a role that users can assume. If only roles can, it is not one, as role
/// sessions never have MFA.
fn is_hole(row: &Row, admits: &Admits) -> bool {
    let users_can =
        admits.rows.iter().any(|row| row.credentials != Credentials::RoleSession && !row.answer.is_no());
    !row.credentials.has_mfa() && users_can
}

fn push_finding(page: &mut Page, one: &Linted, finding: &Finding) {
    let (level, id) = (finding.level.as_str(), finding.rule.id());
    let mut place = match (finding.statement, &finding.sid) {
        (Some(number), Some(sid)) => format!("statement {number} ({sid})"),
        (Some(number), None) => format!("statement {number}"),
        (None, _) => "the whole policy".to_owned(),
    };
    if !finding.element.is_empty() {
        place.push_str(", ");
        place.push_str(&finding.element);
    }
    let style = match finding.level {
        Level::Error => Style::Bad,
        Level::Warning => Style::Warning,
        Level::Info => Style::Quiet,
    };
    page.line(&[(&format!("{level}[{id}]"), style), (&format!(" {place}"), Style::Plain)]);
    page.hang(Line::of("  ", Style::Plain), &finding.message, Style::Plain, 2);
    let command = one.file.as_ref().filter(|_| finding.rule.is_fixed_by_require_mfa());
    let command = command.map(|file| format!("hatbox trust require-mfa --file {}", quote_path(file)));
    page.hang(Line::of("  Fix: ", Style::Plain), &finding.fix, Style::Plain, 7);
    // Keep a command on one line, so that it can be copied.
    if let (Some(command), Some(last)) = (command, page.0.last_mut()) {
        if last.width() + 3 + display_width(&command) <= WIDTH {
            last.push(&format!("   {command}"), Style::Plain);
        } else {
            page.plain(&format!("       {command}"));
        }
    }
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
