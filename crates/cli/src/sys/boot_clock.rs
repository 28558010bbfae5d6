//! A clock that all processes share and nobody sets: time since the machine started.

/// Nanoseconds since the machine started, sleep included.
pub(crate) fn now() -> u128 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u128::from(now.tv_sec.unsigned_abs()) * 1_000_000_000 + u128::from(now.tv_nsec.unsigned_abs())
}
