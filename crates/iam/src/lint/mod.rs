//! Checks a trust policy: findings with rule, position and fix, and who can assume the role.
//!
//! [`lint_policy`] checks one policy; [`render_text`], [`render_json`] and [`render_sarif`] report many.

mod finding;
mod rule;

mod limits;
mod whole;

mod issuer;

mod actions;
mod conditions;
mod deputy;
mod federation;
mod mfa;
mod principals;
mod services;
mod shape;
mod values;

mod report;

mod json;
mod sarif;
mod text;

pub use finding::{Finding, Subject};
pub use hatbox_types::level::Level;
pub use json::render_json;
pub use report::{Counts, Linted, Outcome, Report, lint_policy};
pub use rule::{RULES, Rule};
pub use sarif::render_sarif;
pub use text::{Detail, render_text};

pub(super) use federation::is_open_to_strangers;
pub(super) use limits::find_weakness;
pub(super) use shape::{MAX as MAX_CHARACTERS, USUAL as USUAL_CHARACTERS, count_characters};

#[cfg(test)]
mod tests;
