//! The federation endpoint: exchanges temporary credentials for a sign-in token, and the token for a console session.

use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::cookies::{find_sessions, is_multi_session, with_session, without_sessions};
use super::{CONSOLE, bad_request, pages};
use crate::context::RequestContext;
use crate::encoding::render_base64_url;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::sigv4::Caller;
use crate::world::{ConsoleSession, Principal, REGION, SessionKind, SignInToken, digest_of};
use crate::{clock, mint};

/// The lifetime of a sign-in token.
const TOKEN_SECONDS: i64 = 900;
/// The maximum number of sessions in a browser with multi-session support.
const MOST_SESSIONS: usize = 5;
/// AWS's message for credentials that it rejects, whatever the reason.
const INVALID_CREDENTIALS: &str = "Invalid Credentials Parameter";

/// Temporary credentials, in the form that the endpoint accepts.
#[derive(Deserialize)]
struct Credentials {
    #[serde(rename = "sessionId")]
    id: String,
    #[serde(rename = "sessionKey")]
    secret: String,
    #[serde(rename = "sessionToken")]
    token: String,
}

/// Handles GET `Action=getSigninToken`.
pub(super) fn get_signin_token(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let invalid = |why: &str| bad_request(INVALID_CREDENTIALS, why);
    let sent = context.params.get("Session").unwrap_or_default();
    let sent: Credentials = serde_json::from_str(sent).map_err(|_| invalid("Session is not valid"))?;
    let Some(session) = context.world.sessions.get(&sent.id).cloned() else {
        return Err(invalid("the access key id is not one of temporary credentials"));
    };
    let is_same = |one: &str, other: &str| bool::from(one.as_bytes().ct_eq(other.as_bytes()));
    if !is_same(&sent.secret, session.secret.expose()) || !is_same(&sent.token, session.token.expose()) {
        return Err(invalid("the secret or the session token is not that of the access key id"));
    }
    let caller = Caller {
        key_id: sent.id,
        principal: session.principal.clone(),
        session: Some(session.clone()),
        region: REGION.to_owned(),
    };
    context.entry.note_caller(context.world, &caller);
    if context.now >= session.expires_at {
        return Err(invalid("the credentials have expired"));
    }
    let asked = context.params.get("SessionDuration");
    let asked = asked.map(|text| text.parse().ok().filter(|seconds| (900..=43_200).contains(seconds)));
    let seconds: Option<i64> = match (session.kind, asked) {
        (SessionKind::AssumeRole | SessionKind::GetFederationToken, None) => None,
        (SessionKind::AssumeRole, Some(Some(seconds))) if session.by_access_key => Some(seconds),
        (_, Some(None)) => return Err(invalid("SessionDuration is not 900 to 43200")),
        (SessionKind::AssumeRole, _) => {
            return Err(invalid("SessionDuration, and the role was not assumed by a user's access key"));
        }
        (SessionKind::GetFederationToken, _) => {
            return Err(invalid("SessionDuration is not for credentials of GetFederationToken"));
        }
        (SessionKind::GetSessionToken { .. } | SessionKind::AssumeRoot | SessionKind::Login, _) => {
            return Err(invalid("the credentials are neither those of a role nor of GetFederationToken"));
        }
    };
    let expires_at = seconds.map_or(session.expires_at, |seconds| clock::later(context.now, seconds));
    let token = render_base64_url(&mint::mint_bytes::<96>()?);
    let life = context.faults.take_short_life(&context.entry.action).unwrap_or(TOKEN_SECONDS);
    context.entry.granted_seconds = Some(expires_at.as_second() - context.now.as_second());
    context.world.console.prune(context.now);
    context.world.console.tokens.insert(
        digest_of(&token),
        SignInToken {
            principal: session.principal,
            session_expires_at: expires_at,
            expires_at: clock::later(context.now, life),
        },
    );
    Ok(Reply::json(&json!({ "SigninToken": token })))
}

/// Handles GET `Action=login`, which the browser sends.
pub(super) fn console_login(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let token = context.params.get("SigninToken").unwrap_or_default();
    let Some(token) = context.world.console.tokens.get(&digest_of(token)).cloned() else {
        return Err(bad_request("Token is invalid", "there is no such sign-in token"));
    };
    context.entry.caller = Some(token.principal.arn(context.world));
    if context.now >= token.expires_at {
        return Err(bad_request("Token has expired", "a sign-in token is good for 15 minutes"));
    }
    let destination = context.params.get("Destination").unwrap_or_default().to_owned();
    sign_in(context, &token.principal, token.session_expires_at, &destination)
}

/// Creates a session of `principal` in the browser, and redirects to `destination`.
pub(super) fn sign_in(
    context: &mut RequestContext,
    principal: &Principal,
    expires_at: jiff::Timestamp,
    destination: &str,
) -> Result<Reply, ErrorResponse> {
    let target = parse_destination(destination)
        .ok_or_else(|| bad_request("Invalid Destination", "it is not an address of the console"))?;
    let held = find_sessions(context.request, context.world, context.now);
    let others = held.iter().filter(|held| held.session.principal != *principal).count();
    if !is_multi_session(context.request) && others > 0 {
        let text = "You must first log out before logging into a different AWS account.";
        return Err(bad_request(text, "the browser has another session, and multi-session support is off"));
    }
    if others >= MOST_SESSIONS {
        return Err(bad_request("You are already signed in to 5 sessions", "the browser has five others"));
    }
    let id = hex::encode(mint::mint_bytes::<4>()?);
    let token = render_base64_url(&mint::mint_bytes::<32>()?);
    let session = ConsoleSession { id: id.clone(), principal: principal.clone(), expires_at };
    context.world.console.sessions.insert(digest_of(&token), session);
    let reply = pages::render_message(303, "Signed in", "Going to the console.")
        .with("location", format!("{CONSOLE}/{id}{target}"));
    Ok(with_session(reply, &id, &token))
}

/// Handles GET `/oauth?Action=logout`.
pub(super) fn logout(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    if is_multi_session(context.request) {
        return Err(bad_request("Bad Request", "multi-session support is on"));
    }
    let held: Vec<String> =
        find_sessions(context.request, context.world, context.now).into_iter().map(|held| held.id).collect();
    context.world.console.sessions.retain(|_, session| !held.contains(&session.id));
    let own = context.request.header("host").map(|host| format!("http://{host}/")).unwrap_or_default();
    let reply = match context.params.get("redirect_uri") {
        None => pages::render_message(200, "Signed out", "You are signed out of the console."),
        // Security: redirect only to the sandbox's own pages.
        Some(next) if next.starts_with(&own) && next.chars().all(|c| c.is_ascii_graphic()) => {
            pages::render_message(303, "Signed out", "Going on.").with("location", next)
        }
        Some(_) => return Err(bad_request("Invalid redirect_uri", "it is not an address of the sandbox")),
    };
    Ok(without_sessions(reply, context.request))
}

/// Returns path and query of an AWS console URL, such as `/s3/home?region=eu-west-1`.
fn parse_destination(url: &str) -> Option<String> {
    const HOSTS: [&str; 8] = [
        "console.aws.amazon.com",
        "console.amazonaws.cn",
        "console.amazonaws-us-gov.com",
        "console.amazonaws-eusc.eu",
        "console.c2shome.ic.gov",
        "console.sc2shome.sgov.gov",
        "console.csphome.adc-e.uk",
        "console.csphome.hci.ic.gov",
    ];
    let rest = url.strip_prefix("https://")?;
    let (host, target) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
    let is_console = HOSTS.iter().any(|console| {
        host.strip_suffix(console).is_some_and(|region| {
            region.is_empty()
                || region.strip_suffix('.').is_some_and(|region| {
                    region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !region.is_empty()
                })
        })
    });
    let is_plain = target.chars().all(|c| c.is_ascii_graphic());
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    (is_console && is_plain).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_console_are_led_to() {
        for (url, target) in [
            ("https://console.aws.amazon.com/", Some("/")),
            ("https://console.aws.amazon.com", Some("/")),
            (
                "https://eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1#x",
                Some("/s3/home?region=eu-west-1#x"),
            ),
            ("https://console.amazonaws-us-gov.com/a", Some("/a")),
            ("https://evil.example/", None),
            ("https://console.aws.amazon.com.evil.example/", None),
            ("https://a@b.console.aws.amazon.com/", None),
            ("http://console.aws.amazon.com/", None),
            ("https://console.aws.amazon.com/a b", None),
        ] {
            assert_eq!(parse_destination(url).as_deref(), target, "{url}");
        }
    }
}
