//! Text as people and shells take it: foreign text made printable, words quoted, long lines wrapped.

mod printable;

pub mod phrases;
pub mod shell;
pub mod suggest;
pub mod wrap;

pub use phrases::count;
pub use printable::{is_unprintable, printable, printable_lines, printable_start};
