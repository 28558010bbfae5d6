//! What changes in a policy, statement by statement, one line for each member.

use serde_json::Value;

/// A line of a diff.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Same(String),
    Gone(String),
    New(String),
}

/// The diff of statements, each with what becomes of it.
pub(super) fn render_diff(statements: &[(Value, Vec<Value>)]) -> String {
    let mut text = "--- current\n+++ with MFA\n".to_owned();
    for (number, (before, after)) in (1..).zip(statements) {
        let Some((first, rest)) = after.split_first() else { continue };
        if first != before {
            text.push_str(&format!("@@ statement {number} @@\n"));
            text.push_str(&render_lines(&lines_between(&member_lines(before), &member_lines(first))));
        }
        for new in rest {
            text.push_str(&format!("@@ new, after statement {number} @@\n"));
            text.push_str(&render_lines(&member_lines(new).into_iter().map(Line::New).collect::<Vec<_>>()));
        }
    }
    text
}

/// `"Effect": "Allow",` and so on.
fn member_lines(statement: &Value) -> Vec<String> {
    let Some(members) = statement.as_object() else { return vec![render_inline(statement)] };
    let count = members.len();
    let line = |(index, (name, value)): (usize, (&String, &Value))| {
        let comma = if index + 1 < count { "," } else { "" };
        format!("{}: {}{comma}", Value::from(name.as_str()), render_inline(value))
    };
    members.iter().enumerate().map(line).collect()
}

/// JSON on one line, with blanks as people write it.
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

/// The shortest way from one list of lines to another. Lists are as short as a statement has members.
fn lines_between(before: &[String], after: &[String]) -> Vec<Line> {
    match (before.split_first(), after.split_first()) {
        (Some((one, before)), Some((other, after))) if one == other => {
            let mut lines = vec![Line::Same(one.clone())];
            lines.extend(lines_between(before, after));
            lines
        }
        (Some((gone, rest)), _) if !after.contains(gone) => {
            let mut lines = vec![Line::Gone(gone.clone())];
            lines.extend(lines_between(rest, after));
            lines
        }
        (_, Some((new, rest))) => {
            let mut lines = vec![Line::New(new.clone())];
            lines.extend(lines_between(before, rest));
            lines
        }
        (Some((gone, rest)), None) => {
            let mut lines = vec![Line::Gone(gone.clone())];
            lines.extend(lines_between(rest, after));
            lines
        }
        (None, None) => Vec::new(),
    }
}

/// The changes, with one line of what stays on either side.
fn render_lines(lines: &[Line]) -> String {
    let is_change = |index: usize| matches!(lines.get(index), Some(Line::Gone(_) | Line::New(_)));
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        match line {
            Line::Same(same) if is_change(index + 1) || (index > 0 && is_change(index - 1)) => {
                text.push_str(&format!("       {same}\n"));
            }
            Line::Same(_) => {}
            Line::Gone(gone) => text.push_str(&format!("-      {gone}\n")),
            Line::New(new) => text.push_str(&format!("+      {new}\n")),
        }
    }
    text
}
