//! Parses IAM policies and evaluates them as AWS does, with *unknown* as a third result.
//!
//! [`document`] parses a policy, [`evaluate`] evaluates a request against all layers that apply to it, [`rows`] reads
//! requests and writes answers as lines of JSON, [`same`] compares two policies.

pub mod answer;
pub(crate) mod json;
pub(crate) mod node;

pub use hatbox_types::arn;

pub(crate) mod condition_keys;
mod matching;
pub mod request;
pub mod variable;

pub mod condition;
pub mod operator;
pub mod principal;
pub(crate) mod value;

pub mod document;
mod parse;

mod finding;
mod grant;
mod layers;
pub(crate) mod statement;
mod verdict;

pub mod evaluate;
pub mod explain;
pub mod rows;
pub mod same;

pub use node::Place;
