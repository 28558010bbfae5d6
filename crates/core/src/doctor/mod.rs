//! Finds problems and surprises in a setup. The checks work on values that the caller has read.
//!
//! | module | checks |
//! |---|---|
//! | [`lines`] | the two files, line by line: unused lines, duplicates, an identity in `[default]` |
//! | [`chains`] | every profile's credential plan: plans that cannot work, and surprises in those that do |
//! | [`environment`] | variables that override a profile, apply to another one, or are left over |
//! | [`moments`] | the clock, and what expires soon |
//! | [`page`], [`json`] | render the findings |
//!
//! The command itself checks what depends on the machine (permissions, the store, the terminal, programs).

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
