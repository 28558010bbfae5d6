//! The picture of who can assume which role: a graph, and what it looks like as SVG, text, DOT and JSON.
//!
//! [`Graph`] holds the facts in one order, whatever order they came in, so that each rendering of them is the same
//! down to the byte and can be kept under version control.

mod model;

mod outsiders;
mod survey;

mod words;

mod simplify;

mod picture;

mod order;
mod slots;

mod frames;
mod layout;

pub mod dot;
pub mod json;
pub mod svg;
pub mod text;

pub use model::{Account, Edge, Graph, Kind, Mfa, Node, Perhaps};
pub use survey::survey;
