//! Questions about roles and who may put them on, answered offline.

pub mod graph;
pub mod refusal;
