//! Instance metadata, version 2: a request that no proxy forwarded gets a token, which all other requests need.

use hex::encode;

use super::ROLES;
use super::credentials::{grant_machine_session, no_machine};
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::world::MachineToken;
use crate::{clock, mint};

const TOKEN_HEADER: &str = "x-aws-ec2-metadata-token";
const LIFE_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const LONGEST_LIFE: i64 = 21_600;
/// The session name of an instance.
const INSTANCE_ID: &str = "i-0123456789abcdef0";

/// Issues a token.
pub(super) fn put_token(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    // Proxies, including servers that can be tricked into sending requests, add this header.
    if context.request.header("x-forwarded-for").is_some() {
        return Err(ErrorResponse::new(403, "Forbidden", "a forwarded request gets no token"));
    }
    let life = context.request.header(LIFE_HEADER).and_then(|text| text.parse().ok());
    let Some(life) = life.filter(|life| (1..=LONGEST_LIFE).contains(life)) else {
        return Err(ErrorResponse::new(
            400,
            "BadRequest",
            format!("{LIFE_HEADER} must be 1 to {LONGEST_LIFE}"),
        ));
    };
    let now = context.now;
    let Some(machine) = context.world.machine.as_mut() else { return Err(no_machine()) };
    let token = encode(mint::mint_bytes::<28>()?);
    machine.tokens.retain(|token| token.expires_at > now);
    machine.tokens.push(MachineToken {
        digest: MachineToken::digest_of(&token),
        expires_at: clock::later(clock::whole_seconds(now), life),
    });
    Ok(Reply::text(200, &token).with(LIFE_HEADER, life.to_string()))
}

/// Returns the name of the instance's role.
pub(super) fn list_roles(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    check_token(context)?;
    let machine = context.world.machine.as_ref().ok_or_else(no_machine)?;
    Ok(Reply::text(200, &machine.role))
}

/// Returns credentials of the role.
pub(super) fn get_credentials(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    check_token(context)?;
    let machine = context.world.machine.as_ref().ok_or_else(no_machine)?;
    if context.request.path.strip_prefix(ROLES) != Some(machine.role.as_str()) {
        return Err(ErrorResponse::new(404, "NotFound", "this is not the instance's role"));
    }
    let mut answer = grant_machine_session(context, INSTANCE_ID)?;
    let now = clock::render_iso(context.now);
    for (name, value) in [("Code", "Success"), ("Type", "AWS-HMAC"), ("LastUpdated", now.as_str())] {
        answer.insert(name.to_owned(), value.into());
    }
    Ok(Reply::json(&answer.into()))
}

fn check_token(context: &RequestContext) -> Result<(), ErrorResponse> {
    let token = context.request.header(TOKEN_HEADER).unwrap_or_default();
    let machine = context.world.machine.as_ref().ok_or_else(no_machine)?;
    let is_known = machine.tokens.iter().any(|known| known.is_of(token) && known.expires_at > context.now);
    if is_known {
        return Ok(());
    }
    let why = if token.is_empty() { "no token was sent" } else { "the token is unknown or has expired" };
    Err(ErrorResponse::new(401, "Unauthorized", why))
}
