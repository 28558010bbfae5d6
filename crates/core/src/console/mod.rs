//! The AWS console, pure: its URLs in each partition, and links to it.

pub mod container;
pub mod link;
pub mod place;
pub mod target;
