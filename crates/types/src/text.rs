//! Text as people and shells take it: foreign text made printable, words quoted, long lines wrapped,
//! tables, styled pages.

mod printable;

pub mod glob;
pub mod page;
pub mod phrases;
pub mod shell;
pub mod suggest;
pub mod table;
pub mod wrap;

pub use phrases::count;
pub use printable::{is_unprintable, printable, printable_lines, printable_start};
