//! The difference between a policy before and after, statement by statement.
//!
//! The edits are known, and each lies within one statement, so that the lines before and after it are all there
//! is to find: no search for the longest common sequence is needed.

use super::Change;

/// The lines that differ, after the line before them, under the number of each statement.
pub fn render_diff(changes: &[Change]) -> String {
    let mut text = "--- current\n+++ with MFA\n".to_owned();
    for change in changes {
        text.push_str(&format!("@@ statement {} @@\n", change.statement));
        let (before, after): (Vec<_>, Vec<_>) = (change.before.lines().collect(), change.after.lines().collect());
        let shorter = before.len().min(after.len());
        let start = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
        let end = before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count();
        let end = end.min(shorter - start);
        let mut add = |sign: char, lines: Option<&[&str]>| {
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
