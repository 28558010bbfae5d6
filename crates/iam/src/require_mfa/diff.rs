//! Renders the difference between a policy before and after, statement by statement.
//!
//! Each edit lies within one statement, so it is enough to skip the common lines at the start and the end: no search
//! for the longest common subsequence is needed.

use serde_json::Value;

use super::require::Change;

/// How statements are laid out in the diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// As in the text, unless a statement is on one line.
    AsWritten,
    /// One line for each member, whatever the text: IAM does not show policies as they were written.
    ByMember,
}

/// Renders the changed lines of each statement, with one line of context before, below the statement's number.
pub fn render_diff(changes: &[Change], layout: Layout) -> String {
    let mut text = "--- current\n+++ with MFA\n".to_owned();
    for change in changes {
        text.push_str(&format!("@@ statement {} @@\n", change.statement));
        let (before, after) = lay_out(&change.before, &change.after, layout);
        let shorter = before.len().min(after.len());
        let start = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
        let end = before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count();
        let end = end.min(shorter - start);
        let mut add = |sign: char, lines: Option<&[String]>| {
            for line in lines.unwrap_or_default() {
                text.push_str(format!("{sign}{line}").trim_end());
                text.push('\n');
            }
        };
        add(' ', before.get(start.saturating_sub(1)..start));
        add('-', before.get(start..before.len() - end));
        add('+', after.get(start..after.len() - end));
    }
    text
}

/// Returns the lines of both texts.
fn lay_out(before: &str, after: &str, layout: Layout) -> (Vec<String>, Vec<String>) {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let is_on_one_line = !before.contains('\n') && !after.contains('\n');
    if (layout == Layout::ByMember || is_on_one_line)
        && let (Some(before), Some(after)) = (statement_lines(before), statement_lines(after))
    {
        return (before, after);
    }
    (lines(before), lines(after))
}

/// Returns the members of one or more statements, each on one line: `"Effect": "Allow",`.
fn statement_lines(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    let list = if text.starts_with('[') { text.to_owned() } else { format!("[{text}]") };
    let statements: Vec<Value> = serde_json::from_str(&list).ok()?;
    let mut lines = Vec::new();
    for (index, statement) in statements.iter().enumerate() {
        if index > 0 {
            lines.push("    }, {".to_owned());
        }
        let members = statement.as_object()?;
        for (number, (name, value)) in members.iter().enumerate() {
            let comma = if number + 1 < members.len() { "," } else { "" };
            lines.push(format!("      {}: {}{comma}", Value::from(name.as_str()), render_inline(value)));
        }
    }
    Some(lines)
}

/// Renders JSON on one line, with the usual spaces.
fn render_inline(value: &Value) -> String {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), render_inline(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(render_inline).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}
