//! Checks endpoints: on the network only with `--online`, and on a port of this machine if the user named it.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::aws::date::fetch_date;
use crate::aws::endpoint::EndpointUrl;
use crate::aws::proxy::Proxy;
use crate::sys::name_service;
use crate::world::World;

/// A port of this machine answers at once or never.
const LOOPBACK_TIMEOUT: Duration = Duration::from_millis(300);

/// An endpoint that was named for STS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remote {
    /// One of AWS's own.
    Aws,
    /// A port of this machine, and whether a program listens there.
    Loopback { is_open: bool },
    /// Any other endpoint.
    Other,
}

/// Classifies an endpoint, or returns why it cannot be used.
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

/// Returns the time here and at `url` at the same moment, or why the time there is unknown.
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
    // The server answered at some point in between.
    let passed = world.clock.now().duration_since(before);
    Ok((before.saturating_add(passed / 2).unwrap_or(before), theirs))
}
