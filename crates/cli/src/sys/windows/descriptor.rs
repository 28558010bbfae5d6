//! Descriptors that the caller passed by number. Windows passes none but the standard streams, and of these one
//! can be read: 0.

use std::fs::File;
use std::io;
use std::os::windows::io::AsHandle;

fn check(number: i32) -> io::Result<()> {
    match number {
        0 => Ok(()),
        _ => {
            Err(io::Error::new(io::ErrorKind::Unsupported, "on Windows it can only be 0, the standard input"))
        }
    }
}

/// Keeps the descriptor from the child. What was read from a stream is not there for the child anyway.
pub(crate) fn close_on_exec(number: i32) -> io::Result<()> {
    check(number)
}

/// A handle of our own for the same open file.
pub(crate) fn duplicate(number: i32) -> io::Result<File> {
    check(number)?;
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}
