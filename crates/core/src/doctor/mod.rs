//! What is wrong with a setup, or will surprise: checks on values that were read elsewhere, as findings.
//!
//! | module | looks at |
//! |---|---|
//! | [`lines`] | the two files, line by line: what no one reads, what is twice, an identity in `[default]` |
//! | [`chains`] | every profile's credential plan: those that cannot work, and what surprises in those that do |
//! | [`environment`] | the variables that beat a profile, speak for another one, or are left over |
//! | [`moments`] | the clock, and what is about to end |
//! | [`page`], [`json`] | how findings are shown |
//!
//! What depends on the machine (modes, the store, the terminal, programs) is looked at by the command.

pub mod finding;

pub mod chains;
pub mod environment;
pub mod lines;
pub mod moments;

pub mod json;
pub mod page;

pub use finding::{Finding, Findings, Fix, Spot, Topic};
pub use hatbox_types::level::Level;
pub use page::{Look, Shell, Summary};
