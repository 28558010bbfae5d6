//! Cleans this process's own environment: removes what opens the store once it has been read.

/// Removes the variables that `is_secret` selects, and overwrites their values in memory: programs that a library
/// starts would inherit them, and `/proc/PID/environ` shows that memory even after a variable is removed.
///
/// Call this while the process has only one thread.
#[cfg(unix)]
#[expect(unsafe_code, reason = "environ has no safe interface")]
pub(crate) fn forget(is_secret: impl Fn(&str) -> bool) {
    use std::ffi::CStr;

    unsafe extern "C" {
        static mut environ: *mut *mut libc::c_char;
    }
    let mut names = Vec::new();
    // SAFETY: there is no other thread that could change the list. The list ends with a null pointer, and its entries
    // end with a NUL byte (environ(7)). The kernel placed the first ones in writable memory.
    unsafe {
        let mut entry = environ;
        while !entry.is_null() && !(*entry).is_null() {
            let start = *entry;
            entry = entry.add(1);
            let text = CStr::from_ptr(start).to_bytes();
            let Some(at) = text.iter().position(|byte| *byte == b'=') else { continue };
            let Some(Ok(name)) = text.get(..at).map(std::str::from_utf8) else { continue };
            if !is_secret(name) {
                continue;
            }
            names.push(name.to_owned());
            let (value, length) = (start.add(at + 1), text.len() - at - 1);
            value.write_bytes(0, length);
            std::hint::black_box(value);
        }
        for name in names {
            std::env::remove_var(name);
        }
    }
}

/// Removes the variables that `is_secret` selects. Call this while the process has only one thread.
#[cfg(not(unix))]
#[expect(unsafe_code, reason = "other threads could be reading it")]
pub(crate) fn forget(is_secret: impl Fn(&str) -> bool) {
    let names: Vec<_> = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    for name in names.into_iter().filter(|name| is_secret(name)) {
        // SAFETY: there is no other thread.
        unsafe { std::env::remove_var(name) };
    }
}
