//! The file of `--error-json`: why hatbox failed before the command, for a program to read.

use std::path::Path;

use crate::errors::{Failure, FailureKind};
use crate::sys::output_file::{clear_output, write_output};
use crate::world::World;

/// Deletes one from an earlier run: it would be blamed for a command that ends with 125 by itself.
pub(crate) fn clear_failure_file(path: &Path) -> Result<(), Failure> {
    clear_output(path).map_err(|error| Failure::of_error(FailureKind::Usage, &error))
}

/// Writes the failure down; when it cannot, that is a warning, and the failure is printed all the same.
pub(crate) fn save_failure_file(world: &World, path: &Path, failure: &Failure) {
    let text = format!("{}\n", failure.render_json());
    if let Err(error) = write_output(path, text.as_bytes()) {
        world.output.warn(&format!("the cause is not written down: {error}"));
    }
}
