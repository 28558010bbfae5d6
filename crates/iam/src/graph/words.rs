//! What an edge says, in words: short beside the line, whole in its title.

use super::label::count;
use super::model::{Arrow, Mfa};

/// A condition longer than this is told in the title only.
const LONGEST_CONDITION: usize = 30;

/// Beside a line of a picture: `mfa`, `no mfa, if aws:SourceIp is 203.0.113.0/24`, `mfa, perhaps`.
pub(super) fn short(arrow: &Arrow<'_>) -> String {
    let mut words = mfa_word(arrow.edge.mfa).to_owned();
    match arrow.edge.conditions.as_slice() {
        [] => {}
        [one] if one.chars().count() <= LONGEST_CONDITION => words.push_str(&format!(", if {one}")),
        several => words.push_str(&format!(", {}", count(several.len(), "condition", "conditions"))),
    }
    if !arrow.edge.unknown.is_empty() {
        words.push_str(", perhaps");
    }
    words
}

pub(super) fn mfa_word(mfa: Mfa) -> &'static str {
    match mfa {
        Mfa::Required => "mfa",
        Mfa::NotRequired => "no mfa",
        Mfa::Unknown => "mfa not known",
    }
}

/// All that is known of an edge: `alice → Ops: with MFA only; if aws:SourceIp is 203.0.113.0/24`.
pub(super) fn whole(arrow: &Arrow<'_>, names: &[String]) -> String {
    let name = |at: usize| names.get(at).map(String::as_str).unwrap_or_default();
    let mut words = format!("{} → {}: ", name(arrow.edge.from), name(arrow.edge.to));
    words.push_str(match (arrow.edge.mfa, arrow.is_chained()) {
        (Mfa::Required, false) => "with MFA only",
        (Mfa::Required, true) => "asks for MFA, which a role's session never carries",
        (Mfa::Unknown, _) => "not known whether MFA is required",
        (Mfa::NotRequired, false) => "no MFA, plain access keys get in",
        (Mfa::NotRequired, true) => "no MFA",
    });
    if arrow.is_chained() {
        words.push_str("; chained, 1 h at most");
    }
    for condition in &arrow.edge.conditions {
        words.push_str(&format!("; if {condition}"));
    }
    if !arrow.edge.unknown.is_empty() {
        words.push_str(&format!("; perhaps, it hangs on {}", arrow.edge.unknown.join(", ")));
    }
    words
}
