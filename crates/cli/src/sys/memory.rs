//! Keeps pages with keys in them out of the swap.

/// Locks the pages that `value` itself lies in, without what it points to, for the life of the process (mlock(2)).
///
/// Best effort: a container may allow no locked memory at all, and that is no reason to keep the user from
/// working.
#[cfg(unix)]
#[expect(unsafe_code, reason = "rustix leaves it to the caller that the range is memory")]
pub(crate) fn keep_from_swap<T: ?Sized>(value: &T) {
    let start = std::ptr::from_ref(value).cast::<std::ffi::c_void>().cast_mut();
    // SAFETY: the range is that of a value; locking changes nothing that can be seen of it.
    unsafe {
        rustix::mm::mlock(start, size_of_val(value)).ok();
    }
}

#[cfg(not(unix))]
pub(crate) fn keep_from_swap<T: ?Sized>(_value: &T) {}
