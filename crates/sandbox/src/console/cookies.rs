//! What the browser keeps: a cookie for each session, and whether it keeps several.

use jiff::Timestamp;

use crate::http::{Received, Reply};
use crate::world::{ConsoleSession, World, digest_of};

/// In front of a session's id.
const SESSION: &str = "sandbox-console-";
/// Whether multi-session support is on.
const MULTI: &str = "sandbox-multi-session";

/// A session that the browser has.
pub(super) struct Held<'a> {
    /// The session's id, a part of the address of its pages.
    pub(super) id: String,
    pub(super) session: &'a ConsoleSession,
}

fn cookies(request: &Received) -> impl Iterator<Item = (&str, &str)> {
    let headers = request.headers.iter().filter(|(name, _)| name == "cookie");
    headers.flat_map(|(_, value)| value.split(';')).filter_map(|cookie| cookie.trim().split_once('='))
}

/// The browser's sessions that have not ended.
pub(super) fn find_sessions<'a>(request: &Received, world: &'a World, now: Timestamp) -> Vec<Held<'a>> {
    let found = cookies(request).filter_map(|(name, token)| {
        let id = name.strip_prefix(SESSION)?;
        let session = world.console.sessions.get(&digest_of(token))?;
        (session.id == id && now < session.expires_at).then(|| Held { id: id.to_owned(), session })
    });
    found.collect()
}

/// Whether the browser keeps several sessions.
pub(super) fn is_multi_session(request: &Received) -> bool {
    cookies(request).any(|(name, value)| name == MULTI && value == "on")
}

pub(super) fn with_session(reply: Reply, id: &str, token: &str) -> Reply {
    reply.with("set-cookie", format!("{SESSION}{id}={token}; Path=/; HttpOnly; SameSite=Lax"))
}

/// Takes every session from the browser.
pub(super) fn without_sessions(reply: Reply, request: &Received) -> Reply {
    let names = cookies(request).filter(|(name, _)| name.starts_with(SESSION)).map(|(name, _)| name);
    names.fold(reply, |reply, name| {
        reply.with("set-cookie", format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"))
    })
}

pub(super) fn with_multi_session(reply: Reply, mode: &str) -> Reply {
    reply.with("set-cookie", format!("{MULTI}={mode}; Path=/; HttpOnly; SameSite=Lax"))
}
