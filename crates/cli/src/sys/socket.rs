//! Sockets, beyond what std covers.

use std::net::TcpListener;

/// Raises the backlog of connections that were not accepted yet to the system's maximum; std sets 128.
#[cfg(unix)]
pub(crate) fn widen_backlog(listener: &TcpListener) {
    // The system reduces the value to its own limit.
    rustix::net::listen(listener, 4096).ok();
}

#[cfg(not(unix))]
pub(crate) fn widen_backlog(_: &TcpListener) {}

/// Raises the limit of open descriptors of this process to `wanted`, if possible. Returns the limit.
#[cfg(unix)]
pub(crate) fn raise_limit(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let all =
        |limit: Option<u64>| limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let (now, most) = (all(limit.current), all(limit.maximum));
    if now >= wanted {
        return wanted;
    }
    let raised = wanted.min(most);
    let limit = Rlimit { current: Some(raised as u64), ..limit };
    if setrlimit(Resource::Nofile, limit).is_ok() { raised } else { now }
}

#[cfg(not(unix))]
pub(crate) fn raise_limit(wanted: usize) -> usize {
    wanted
}
