//! Keeps pages with keys in them out of the swap.

/// Locks the pages that `bytes` lie in for the life of the process (mlock(2)).
///
/// Best effort: a container may allow no locked memory at all, and that is no reason to keep the user from
/// working.
#[cfg(unix)]
#[expect(unsafe_code, reason = "rustix leaves it to the caller that the range is memory")]
pub(crate) fn keep_from_swap(bytes: &[u8]) {
    // SAFETY: the range is that of a slice; locking changes nothing that can be seen of it.
    unsafe {
        rustix::mm::mlock(bytes.as_ptr().cast_mut().cast(), bytes.len()).ok();
    }
}

#[cfg(not(unix))]
pub(crate) fn keep_from_swap(_bytes: &[u8]) {}
