//! Questions about roles, answered from what is known of the accounts: can this caller put on that role, who
//! can, and what can be reached.
//!
//! An answer is yes, no, or not known for want of named facts. It is never guessed.

mod gap;
mod names;
pub mod party;
mod wrap;

mod caller;
mod context;
mod judge;

mod change;
mod rows;

pub mod can;

pub mod edges;

mod columns;

pub mod reach;
pub mod who;

mod condition_keys;
mod words;

pub mod admits;
pub mod impact;

mod people;

pub mod lint;
pub mod require_mfa;

pub mod graph;
pub mod refusal;
