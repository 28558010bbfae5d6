//! Text for people and shells: escaping, quoting, wrapping, tables and styled pages.

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
