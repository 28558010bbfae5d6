//! Strings for the system: NUL-terminated UTF-16.

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;

/// Returns the text with a terminating NUL.
///
/// # Errors
/// If the text contains a NUL, at which the system would truncate it.
pub(super) fn wide(text: impl AsRef<OsStr>) -> io::Result<Vec<u16>> {
    let mut units: Vec<u16> = text.as_ref().encode_wide().collect();
    if units.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a NUL character in a name"));
    }
    units.push(0);
    Ok(units)
}

/// Returns the text at `pointer` up to its NUL; empty for a null pointer.
///
/// # Safety
/// `pointer` is null or points to NUL-terminated text.
#[expect(unsafe_code, reason = "the length is found by reading on")]
pub(super) unsafe fn text_at(pointer: *const u16) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: the caller guarantees that every unit up to the NUL is readable. Wine does not align them.
    let units: Vec<u16> =
        (0..).map(|at| unsafe { pointer.add(at).read_unaligned() }).take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}
