//! Text as the system takes it: UTF-16 that ends with a zero.

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;

/// The text, with the zero at its end.
///
/// # Errors
/// When there is a zero inside: the system would see less of it.
pub(super) fn wide(text: impl AsRef<OsStr>) -> io::Result<Vec<u16>> {
    let mut units: Vec<u16> = text.as_ref().encode_wide().collect();
    if units.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a NUL character in a name"));
    }
    units.push(0);
    Ok(units)
}

/// The text at `pointer`, up to its zero; empty for a null pointer.
///
/// # Safety
/// `pointer` is null, or what it points to ends with a zero.
#[expect(unsafe_code, reason = "the length is found by reading on")]
pub(super) unsafe fn text_at(pointer: *const u16) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise: every unit up to the zero can be read. Wine does not align them.
    let units: Vec<u16> =
        (0..).map(|at| unsafe { pointer.add(at).read_unaligned() }).take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}
