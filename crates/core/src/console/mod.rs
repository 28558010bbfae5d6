//! The AWS console, pure: where it is in each partition, and the links that lead there.

pub mod container;
pub mod link;
pub mod place;
pub mod target;
