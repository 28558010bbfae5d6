//! Sockets, where std has no word for it.

use std::net::TcpListener;

/// Has the system keep as many connections as it can that have not been accepted yet: std keeps 128.
#[cfg(unix)]
pub(crate) fn widen_backlog(listener: &TcpListener) {
    // A system that allows fewer keeps fewer.
    rustix::net::listen(listener, 4096).ok();
}

#[cfg(not(unix))]
pub(crate) fn widen_backlog(_: &TcpListener) {}

/// Allows this process `wanted` open descriptors where that can be had. Returns how many it may have.
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
