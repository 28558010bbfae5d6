//! What lies beyond this machine, or on a port of it: only where the user asked for that, or named it.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::aws::date::fetch_date;
use crate::aws::endpoint::EndpointUrl;
use crate::aws::proxy::Proxy;
use crate::sys::name_service;
use crate::world::World;

/// A port of this machine answers at once or not at all.
const LOOPBACK_TIMEOUT: Duration = Duration::from_millis(300);

/// An address that was named for STS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remote {
    /// It is one of AWS's own.
    Aws,
    /// A port of this machine, and whether anybody listens there.
    Loopback { is_open: bool },
    /// Somebody else's.
    Other,
}

/// What an address is; or why it is not used, in words.
pub(crate) fn classify(url: &str) -> Result<Remote, String> {
    let endpoint = EndpointUrl::parse(url).map_err(|error| error.to_string())?;
    if endpoint.is_of_aws("sts") {
        return Ok(Remote::Aws);
    }
    Ok(if endpoint.is_loopback() { Remote::Loopback { is_open: is_open(&endpoint) } } else { Remote::Other })
}

/// Whether a program listens on a port of this machine.
fn is_open(endpoint: &EndpointUrl) -> bool {
    name_service::use_own_services();
    let Ok(mut addresses) = (endpoint.host(), endpoint.port()).to_socket_addrs() else { return false };
    addresses.any(|address| TcpStream::connect_timeout(&address, LOOPBACK_TIMEOUT).is_ok())
}

/// The clock here, and that at `url`, at the same moment; or why that is not known, in words.
pub(crate) fn fetch_clocks(
    world: &World,
    url: &str,
    ca_bundle: Option<&Path>,
) -> Result<(Timestamp, Timestamp), String> {
    let endpoint = EndpointUrl::parse(url).map_err(|error| error.to_string())?;
    let proxy =
        Proxy::of_variables(|name| world.environment.text(name)).map_err(|error| error.to_string())?;
    let before = world.clock.now();
    let theirs = fetch_date(&endpoint, ca_bundle, proxy).map_err(|error| error.to_string())?;
    // The answer was made in between.
    let passed = world.clock.now().duration_since(before);
    Ok((before.saturating_add(passed / 2).unwrap_or(before), theirs))
}
