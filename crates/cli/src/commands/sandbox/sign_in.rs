//! `hatbox sandbox sign-in`: acts as the user and the browser of a sign-in.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hatbox_sandbox::control::Consent;

use super::open_client;
use crate::args::SandboxSignInArgs;
use crate::errors::{Failure, FailureKind};
use crate::world::World;

const TIMEOUT: Duration = Duration::from_secs(10);
/// In bytes, enough for a page that says "close this window".
const ANSWER_LIMIT: u64 = 64 << 10;

pub(super) fn run(world: &World, directory: &Path, args: &SandboxSignInArgs) -> Result<(), Failure> {
    let consent = if args.deny { Consent::Deny } else { Consent::Allow };
    let done = open_client(directory)?.sign_in(&args.page, consent)?;
    if let Some((_, answer)) =
        done.redirect.as_deref().and_then(|redirect| redirect.split_once("/v1/sessions/confirmation?"))
    {
        // The page shows this text for the program on the other machine.
        world.output.data(&format!("{}\n", STANDARD.encode(answer)))?;
    } else if let Some(redirect) = &done.redirect {
        follow(redirect).map_err(|error| {
            Failure::new(FailureKind::Failed, "the client that asked did not take the answer")
                .caused_by(&error)
        })?;
    }
    let verb = if args.deny { "denied" } else { "allowed" };
    world.output.note(&format!("{} {verb} access for {}", done.user, done.client));
    Ok(())
}

/// Follows a redirect like a browser, to the client's listener on 127.0.0.1.
fn follow(redirect: &str) -> std::io::Result<()> {
    let outside = || std::io::Error::other("the redirect is not to http://127.0.0.1");
    let rest = redirect.strip_prefix("http://127.0.0.1").ok_or_else(outside)?;
    let start = rest.find(['/', '?']).ok_or_else(outside)?;
    let (port, target) = rest.split_at(start);
    let port =
        if port.is_empty() { Some(80) } else { port.strip_prefix(':').and_then(|port| port.parse().ok()) };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.ok_or_else(outside)?));
    let slash = if target.starts_with('/') { "" } else { "/" };
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let request = format!("GET {slash}{target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_LIMIT).read_to_end(&mut answer)?;
    if answer.starts_with(b"HTTP/1.") {
        Ok(())
    } else {
        Err(std::io::Error::other("the response is not HTTP"))
    }
}
