//! CreateToken: exchanges a code, an approved device code or a refresh token for an access token.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::center;
use super::device::take_device;
use super::oauth_error::OauthError;
use super::register::{check_client, text};
use super::scopes::has_refresh_tokens;
use crate::clock;
use crate::context::RequestContext;
use crate::encoding::render_base64_url;
use crate::error_response::ErrorResponse;
use crate::http::{Params, Reply};
use crate::log::SignedWith;
use crate::mint;
use crate::world::{AccessToken, GrantType, IdentityCenter, RefreshToken, SsoClient, SsoSession, digest_of};

/// The lifetime of an access token that can be refreshed.
const ACCESS_TOKEN_SECONDS: i64 = 3600;

pub(super) fn create_token(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let (now, params) = (context.now, context.params);
    let grant = text(params, "grantType")?;
    let grant = GrantType::parse(grant)
        .ok_or_else(|| OauthError::UnsupportedGrantType.because("the grant type is unknown"))?;
    let identity = center(context)?;
    let (client_id, client) = check_client(identity, params, now)?;
    if !client.grant_types.contains(&grant) {
        return Err(OauthError::UnauthorizedClient.because("the client did not register for this grant type"));
    }
    let session = match grant {
        GrantType::DeviceCode => {
            let user = take_device(identity, params, &client_id, now)?;
            sign_in(identity, user, client_id, client.scopes.clone(), now)?
        }
        GrantType::AuthorizationCode => {
            let (user, scopes) = take_code(identity, params, &client_id, now)?;
            sign_in(identity, user, client_id, scopes, now)?
        }
        GrantType::RefreshToken => take_refresh_token(identity, params, &client_id, now)?,
    };
    give_tokens(context, &client, &session)
}

/// Takes a code and removes it, so that after a wrong verifier there is no second guess.
fn take_code(
    center: &mut IdentityCenter,
    params: &Params,
    client_id: &str,
    now: Timestamp,
) -> Result<(String, BTreeSet<String>), ErrorResponse> {
    let (code, verifier) = (text(params, "code")?, text(params, "codeVerifier")?);
    let redirect_uri = text(params, "redirectUri")?;
    let refused = |why: &str| OauthError::InvalidGrant.because(why);
    let key = digest_of(code);
    if center.codes.get(&key).is_some_and(|code| code.client_id != client_id) {
        return Err(refused("the code was given to another client"));
    }
    let code = center.codes.remove(&key).ok_or_else(|| refused("the code is unknown or used"))?;
    if now >= code.expires_at {
        return Err(refused("the code has expired"));
    }
    if code.redirect_uri != redirect_uri {
        return Err(refused("the redirect URI is not the one that the code was sent to"));
    }
    let is_verifier = (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    let challenge = render_base64_url(&Sha256::digest(verifier));
    if !is_verifier || !bool::from(challenge.as_bytes().ct_eq(code.challenge.as_bytes())) {
        return Err(refused("the code verifier does not fit the challenge"));
    }
    Ok((code.user, code.scopes))
}

/// Takes a refresh token and removes it; returns its sign-in.
fn take_refresh_token(
    center: &mut IdentityCenter,
    params: &Params,
    client_id: &str,
    now: Timestamp,
) -> Result<String, ErrorResponse> {
    let key = digest_of(text(params, "refreshToken")?);
    let refused = |why: &str| OauthError::InvalidGrant.because(why);
    let token = center.refresh_tokens.get(&key);
    let id = token.ok_or_else(|| refused("the refresh token is unknown or used"))?.session.clone();
    let session = center.sessions.get(&id).filter(|session| now < session.expires_at);
    let session = session.ok_or_else(|| refused("the sign-in has ended"))?;
    if session.client_id != client_id {
        return Err(refused("the refresh token was given to another client"));
    }
    center.refresh_tokens.remove(&key);
    Ok(id)
}

/// Starts a sign-in and returns its id.
fn sign_in(
    center: &mut IdentityCenter,
    user: String,
    client_id: String,
    scopes: BTreeSet<String>,
    now: Timestamp,
) -> Result<String, ErrorResponse> {
    let id = mint::mint_request_id()?;
    let expires_at = clock::later(clock::whole_seconds(now), center.session_seconds);
    center.sessions.insert(id.clone(), SsoSession { user, client_id, scopes, expires_at });
    Ok(id)
}

/// Issues new tokens for a sign-in.
fn give_tokens(context: &mut RequestContext, client: &SsoClient, id: &str) -> Result<Reply, ErrorResponse> {
    let now = context.now;
    let sandbox = context.world.id.clone();
    let short_life = context.faults.take_short_life(&context.entry.action);
    let center = center(context)?;
    center.prune(now);
    let gone = || OauthError::InvalidGrant.because("the sign-in has ended");
    let session = center.sessions.get(id).ok_or_else(gone)?.clone();
    let is_refreshable =
        has_refresh_tokens(&session.scopes) && client.grant_types.contains(&GrantType::RefreshToken);
    let left = session.expires_at.as_second() - now.as_second();
    // Without a refresh token, the access token lasts as long as the sign-in.
    let seconds = if is_refreshable { ACCESS_TOKEN_SECONDS.min(left) } else { left };
    let seconds = short_life.unwrap_or(seconds);
    let access_token = mint::mint_sso_token("access", &sandbox)?;
    let expires_at = clock::later(now, seconds);
    let kept = AccessToken { session: id.to_owned(), expires_at };
    center.access_tokens.insert(digest_of(&access_token), kept);
    let mut answer = json!({ "accessToken": access_token, "tokenType": "Bearer", "expiresIn": seconds });
    if is_refreshable {
        let refresh_token = mint::mint_sso_token("refresh", &sandbox)?;
        center.refresh_tokens.insert(digest_of(&refresh_token), RefreshToken { session: id.to_owned() });
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("refreshToken".to_owned(), Value::String(refresh_token));
        }
    }
    context.entry.caller = Some(session.user);
    context.entry.signed_with = SignedWith::SsoToken;
    context.entry.granted_seconds = Some(seconds);
    Ok(Reply::json(&answer))
}
