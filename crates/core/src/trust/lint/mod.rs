//! What is wrong with a trust policy: findings with rule, place and way out, and who gets in.
//!
//! [`lint_policy`] judges one; [`render_text`], [`render_json`] and [`render_sarif`] tell of many.

mod finding;
mod rule;

mod confine;
mod weakness;

mod issuer;

mod conditions;
mod deputy;
mod federation;
mod mfa;
mod principals;
mod size;

mod report;

mod json;
mod sarif;
mod text;

pub use finding::Finding;
pub use json::render_json;
pub use report::{Counts, Linted, Outcome, Report, Subject, lint_policy};
pub use rule::{Level, RULES, Rule};
pub use sarif::render_sarif;
pub use text::render_text;

pub(super) use federation::is_open_to_strangers;
pub(super) use size::{MAX as MAX_CHARACTERS, USUAL as USUAL_CHARACTERS, count_characters};
pub(super) use weakness::find_weakness;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_federation;
#[cfg(test)]
mod tests_public;
