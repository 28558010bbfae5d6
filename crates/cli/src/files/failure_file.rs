//! The file of `--error-json`, which tells a program why hatbox failed before the command started.

use std::path::Path;

use crate::errors::{Failure, FailureKind};
use crate::sys::output_file::{clear_output, write_output};
use crate::world::World;

/// Deletes the file of an earlier run, which would otherwise explain a command's own exit code 125.
pub(crate) fn clear_failure_file(path: &Path) -> Result<(), Failure> {
    clear_output(path).map_err(|error| Failure::of_error(FailureKind::Usage, &error))
}

/// Writes the failure to the file. If that fails, warns; the failure itself is printed in any case.
pub(crate) fn save_failure_file(world: &World, path: &Path, failure: &Failure) {
    let text = format!("{}\n", failure.render_json());
    if let Err(error) = write_output(path, text.as_bytes()) {
        world.output.warn(&format!("the cause is not written down: {error}"));
    }
}
