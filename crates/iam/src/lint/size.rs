//! How long a trust policy may be.

use super::finding::Finding;
use super::rule::{Level, Rule};
use crate::admits::people::MAX_STATEMENTS;
use crate::policy::Place;

/// What AWS takes unless the quota was raised, in characters. IAM does not count white space.
pub(crate) const USUAL: usize = 2048;

/// What it takes at most.
pub(crate) const MAX: usize = 4096;

/// The characters that count.
pub(crate) fn count_characters(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace() && *c != '\u{feff}').count()
}

pub(super) fn find_too_long(text: &str, statements: usize) -> Option<Finding> {
    let count = count_characters(text);
    let (level, message) = match count {
        0..=USUAL => return None,
        _ if count <= MAX => (
            Level::Warning,
            format!("The policy has {count} characters; AWS accepts {USUAL}, unless the quota was raised."),
        ),
        _ if statements > MAX_STATEMENTS => (
            Level::Error,
            format!("The policy has {count} characters; AWS accepts {MAX} at most. MFA was not checked."),
        ),
        _ => (Level::Error, format!("The policy has {count} characters; AWS accepts {MAX} at most.")),
    };
    Some(Finding {
        rule: Rule::TooLong,
        level,
        place: Place { line: 1, column: 1 },
        statement: None,
        sid: None,
        element: String::new(),
        message,
        fix: "trust the account, and allow sts:AssumeRole in the policies of its users.".to_owned(),
    })
}
