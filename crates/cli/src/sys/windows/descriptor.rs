//! Descriptors that the caller passes by number. Windows only passes the standard streams, and only 0 can be read.

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

/// Keeps the child from inheriting the descriptor. Does nothing: a consumed stream has nothing left for the child.
pub(crate) fn close_on_exec(number: i32) -> io::Result<()> {
    check(number)
}

/// Returns another handle for the same open file.
pub(crate) fn duplicate(number: i32) -> io::Result<File> {
    check(number)?;
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}
