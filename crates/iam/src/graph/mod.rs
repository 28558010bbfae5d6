//! The graph of who can assume which role, rendered as SVG, text, DOT and JSON.
//!
//! [`Graph`] sorts the facts, whatever order they are given in, so that equal facts give identical output, which can be
//! kept under version control.

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
