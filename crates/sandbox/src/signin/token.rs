//! CreateOAuth2Token: exchanges a code, and later the refresh token, which rotates, for credentials.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::authorize::{check_allowed, digest, exists};
use super::proof::check_proof;
use super::{CROSS_DEVICE, SAME_DEVICE, invalid, region_of_host};
use crate::context::RequestContext;
use crate::encoding::render_base64_url;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::jwt::PublicKey;
use crate::sts::{Grant, grant_session};
use crate::world::{Curve, IdentityProvider, LoginSession, LoginState, Principal, SessionKind, WorldSecret};
use crate::{clock, mint};

/// The lifetime of credentials.
const CREDENTIAL_SECONDS: i64 = 900;
/// How long a session can be refreshed.
const SESSION_SECONDS: i64 = 12 * 3600;
/// How long a replaced refresh token is still accepted, for a client that did not receive the response.
const GRACE_SECONDS: i64 = 60;

pub(super) fn create_oauth2_token(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    if !context.request.header("content-type").unwrap_or_default().starts_with("application/json") {
        return Err(invalid("expected application/json"));
    }
    let client = context.params.get("clientId").unwrap_or_default();
    if ![SAME_DEVICE, CROSS_DEVICE].contains(&client) {
        return Err(invalid("unknown clientId"));
    }
    let key = check_proof(context)?;
    match context.params.get("grantType") {
        Some("authorization_code") => exchange(context, key),
        Some("refresh_token") => refresh(context, &key),
        _ => Err(invalid("unknown grantType")),
    }
}

fn exchange(context: &mut RequestContext, key: PublicKey) -> Result<Reply, ErrorResponse> {
    let params = context.params;
    let need = |name: &str| {
        params.get(name).map(str::to_owned).ok_or_else(|| invalid(&format!("{name} is missing")))
    };
    let (code, redirect, verifier) = (need("code")?, need("redirectUri")?, need("codeVerifier")?);
    // A code can be tried only once.
    let granted = context.world.logins.codes.remove(&digest(&code));
    let granted = granted.filter(|granted| granted.expires_at > context.now);
    let granted = granted
        .ok_or_else(|| ErrorResponse::new(403, "AUTHCODE_EXPIRED", "The authorization code has expired"))?;
    if render_base64_url(&Sha256::digest(verifier.as_bytes())) != granted.challenge {
        return Err(invalid("Invalid request").because("the code verifier is not that of the challenge"));
    }
    if redirect != granted.redirect_uri || params.get("clientId") != Some(&*granted.client_id) {
        return Err(invalid("Invalid request").because("the code belongs to another client or redirect"));
    }
    check_region(context, granted.region.as_deref())?;
    check_allowed_to_create(context, &granted.principal, &granted.client_id, granted.region.as_deref())?;
    let refresh_token = mint_refresh_token()?;
    let session = LoginSession {
        principal: granted.principal,
        client_id: granted.client_id,
        key,
        refresh_token: WorldSecret::new(refresh_token.clone()),
        previous: None,
        region: granted.region,
        expires_at: clock::later(context.now, SESSION_SECONDS),
        state: LoginState::Active,
    };
    let id_token = mint_id_token(context, &session)?;
    let mut answer = mint_credentials(context, &session.principal)?;
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("refreshToken".to_owned(), json!(refresh_token));
        fields.insert("idToken".to_owned(), json!(id_token));
    }
    context.world.logins.sessions.insert(digest(&refresh_token), session);
    Ok(Reply::json(&answer))
}

fn refresh(context: &mut RequestContext, key: &PublicKey) -> Result<Reply, ErrorResponse> {
    let params = context.params;
    let sent = params.get("refreshToken").ok_or_else(|| invalid("refreshToken is missing"))?;
    let is_of = |session: &LoginSession| {
        session.refresh_token.expose() == sent
            || session.previous.as_ref().is_some_and(|(token, _)| token.expose() == sent)
    };
    let found = context.world.logins.sessions.iter().find(|(_, session)| is_of(session));
    let Some((id, session)) = found.map(|(id, session)| (id.clone(), session.clone())) else {
        return Err(ended("TOKEN_EXPIRED").because("there is no session of this refresh token"));
    };
    // A caller that has the token but not the key learns nothing about the session.
    if session.key != *key || params.get("clientId") != Some(&*session.client_id) {
        return Err(invalid("Invalid request").because("the session is bound to another key or client"));
    }
    check_region(context, session.region.as_deref())?;
    match session.state {
        LoginState::Active => {}
        LoginState::Revoked => return Err(ended("TOKEN_EXPIRED").because("the session was revoked")),
        LoginState::CredentialsChanged => return Err(ended("USER_CREDENTIALS_CHANGED")),
    }
    if session.expires_at <= context.now || !exists(context.world, &session.principal) {
        return Err(ended("TOKEN_EXPIRED").because("the session has ended"));
    }
    let is_current = session.refresh_token.expose() == sent;
    let since = session.previous.as_ref().map(|(_, at)| context.now.as_second() - at.as_second());
    if !is_current && since.is_none_or(|seconds| seconds > GRACE_SECONDS) {
        return Err(ended("TOKEN_EXPIRED").because("the refresh token was replaced"));
    }
    check_allowed_to_create(context, &session.principal, &session.client_id, session.region.as_deref())?;
    let next = if is_current { mint_refresh_token()? } else { session.refresh_token.expose().to_owned() };
    let mut answer = mint_credentials(context, &session.principal)?;
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("refreshToken".to_owned(), json!(next));
    }
    let now = context.now;
    if let Some(kept) = context.world.logins.sessions.get_mut(&id).filter(|_| is_current) {
        let old = std::mem::replace(&mut kept.refresh_token, WorldSecret::new(next));
        kept.previous = Some((old, now));
    }
    Ok(Reply::json(&answer))
}

fn check_allowed_to_create(
    context: &mut RequestContext,
    principal: &Principal,
    client_id: &str,
    region: Option<&str>,
) -> Result<(), ErrorResponse> {
    check_allowed(context, principal, "signin:CreateOAuth2Token", client_id, region)
}

/// Checks the region: a session exists only in the region in which it was created.
fn check_region(context: &RequestContext, of_session: Option<&str>) -> Result<(), ErrorResponse> {
    let asked = region_of_host(context.request);
    match (asked.as_deref(), of_session) {
        (Some(asked), Some(own)) if asked != own => {
            Err(invalid("Invalid request").because(format!("the session is one of {own}, not of {asked}")))
        }
        _ => Ok(()),
    }
}

fn ended(code: &str) -> ErrorResponse {
    ErrorResponse::new(403, code, "The session has ended; sign in again")
}

fn mint_refresh_token() -> Result<String, ErrorResponse> {
    Ok(render_base64_url(&mint::mint_bytes::<96>()?))
}

/// Mints a token with the identity that signed in. Its key is discarded: clients read the token without verifying it.
fn mint_id_token(context: &RequestContext, session: &LoginSession) -> Result<String, ErrorResponse> {
    let now = context.now.as_second();
    let claims = json!({
        "iss": "https://signin.sandbox.example", "sub": session.principal.arn(context.world),
        "aud": session.client_id, "iat": now, "exp": now + CREDENTIAL_SECONDS,
    });
    let claims = claims.as_object().cloned().unwrap_or_default();
    let signed = IdentityProvider::mint(Curve::P256)?.sign(&claims);
    Ok(signed.transpose()?.unwrap_or_default())
}

/// Mints credentials of `principal`, and renders their part of the response.
fn mint_credentials(context: &mut RequestContext, principal: &Principal) -> Result<Value, ErrorResponse> {
    let grant = Grant::new(principal.clone(), SessionKind::Login, CREDENTIAL_SECONDS);
    let (key_id, session) = grant_session(context, grant)?;
    Ok(json!({
        "accessToken": {
            "accessKeyId": key_id, "secretAccessKey": session.secret.expose(),
            "sessionToken": session.token.expose(),
        },
        "tokenType": "aws_sigv4",
        "expiresIn": session.expires_at.duration_since(session.issued_at).as_secs(),
    }))
}
