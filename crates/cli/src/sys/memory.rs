//! Keeps memory with keys from being swapped to disk.

/// Locks the pages of `value` itself, without what it points to, until the process ends (mlock(2)).
///
/// Best effort: some containers allow no locked memory, and hatbox must still work there.
#[cfg(unix)]
#[expect(unsafe_code, reason = "rustix leaves it to the caller that the range is memory")]
pub(crate) fn keep_from_swap<T: ?Sized>(value: &T) {
    let start = std::ptr::from_ref(value).cast::<std::ffi::c_void>().cast_mut();
    // SAFETY: the range is that of a value, and locking does not change its content.
    unsafe {
        rustix::mm::mlock(start, size_of_val(value)).ok();
    }
}

#[cfg(not(unix))]
pub(crate) fn keep_from_swap<T: ?Sized>(_value: &T) {}
