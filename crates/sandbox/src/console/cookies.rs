//! The browser's cookies: one for each session, and one for multi-session support.

use jiff::Timestamp;

use crate::http::{Received, Reply};
use crate::world::{ConsoleSession, World, digest_of};

/// The prefix of a session cookie's name.
const SESSION: &str = "sandbox-console-";
/// The cookie with the state of multi-session support.
const MULTI: &str = "sandbox-multi-session";

/// A session in the browser.
pub(super) struct Held<'a> {
    /// The session's id, which is part of its pages' URLs.
    pub(super) id: String,
    pub(super) session: &'a ConsoleSession,
}

fn cookies(request: &Received) -> impl Iterator<Item = (&str, &str)> {
    let headers = request.headers.iter().filter(|(name, _)| name == "cookie");
    headers.flat_map(|(_, value)| value.split(';')).filter_map(|cookie| cookie.trim().split_once('='))
}

/// Returns the browser's sessions that have not expired.
pub(super) fn find_sessions<'a>(request: &Received, world: &'a World, now: Timestamp) -> Vec<Held<'a>> {
    let found = cookies(request).filter_map(|(name, token)| {
        let id = name.strip_prefix(SESSION)?;
        let session = world.console.sessions.get(&digest_of(token))?;
        (session.id == id && now < session.expires_at).then(|| Held { id: id.to_owned(), session })
    });
    found.collect()
}

/// Returns whether multi-session support is on.
pub(super) fn is_multi_session(request: &Received) -> bool {
    cookies(request).any(|(name, value)| name == MULTI && value == "on")
}

pub(super) fn with_session(reply: Reply, id: &str, token: &str) -> Reply {
    reply.with("set-cookie", format!("{SESSION}{id}={token}; Path=/; HttpOnly; SameSite=Lax"))
}

/// Deletes the cookies of all sessions.
pub(super) fn without_sessions(reply: Reply, request: &Received) -> Reply {
    let names = cookies(request).filter(|(name, _)| name.starts_with(SESSION)).map(|(name, _)| name);
    names.fold(reply, |reply, name| {
        reply.with("set-cookie", format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"))
    })
}

pub(super) fn with_multi_session(reply: Reply, mode: &str) -> Reply {
    reply.with("set-cookie", format!("{MULTI}={mode}; Path=/; HttpOnly; SameSite=Lax"))
}
