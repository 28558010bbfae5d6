//! The page of the authorization code flow: shows what the client asks for, and redirects to it after Allow or Deny.
//!
//! PKCE (RFC 7636): the request contains the digest of a verifier that only the client knows, and the code is useless
//! without the verifier.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::center;
use super::consent::{Consent, check_origin, parse_consent};
use super::oauth_error::OauthError;
use super::page::{Button, escape, render_form, render_hidden};
use super::register::{find_client, parse_loopback, text};
use super::scopes::split_scopes;
use crate::clock;
use crate::context::RequestContext;
use crate::encoding::{parse_base64_url, render_percent};
use crate::error::Error;
use crate::error_response::ErrorResponse;
use crate::http::{Params, Reply};
use crate::mint;
use crate::world::{AuthorizationCode, GrantType, IdentityCenter, SsoClient, digest_of};

/// The lifetime of a code.
const CODE_SECONDS: i64 = 60;
/// The parameters that the form passes on in hidden fields.
const CARRIED: [&str; 7] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "code_challenge_method",
    "code_challenge",
    "scopes",
];

/// A parsed authorize request.
pub(crate) struct AuthorizeRequest {
    pub(crate) client_name: String,
    client_id: String,
    redirect_uri: String,
    state: Option<String>,
    challenge: String,
    scopes: BTreeSet<String>,
}

pub(super) fn authorize(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let (now, params) = (context.now, context.params);
    let center = center(context)?;
    let request = parse_request(center, params, now)?;
    let scopes: Vec<String> =
        request.scopes.iter().map(|scope| format!("<li>{}</li>", escape(scope))).collect();
    let mut lines = vec![
        format!(
            "<strong id=\"client\">{}</strong> wants to use your accounts.",
            escape(&request.client_name)
        ),
        format!("You sign in as <strong id=\"user\">{}</strong>.", escape(&center.browser_user)),
        format!("The answer goes to <code>{}</code>.", escape(&request.redirect_uri)),
    ];
    if !scopes.is_empty() {
        lines.push(format!("It asks for:</p><ul id=\"scopes\">{}</ul><p>", scopes.concat()));
    }
    let carried = CARRIED.iter().filter_map(|name| params.get(name).map(|value| render_hidden(name, value)));
    let scope = params.get("scope").map(|value| render_hidden("scope", value));
    let fields: String = carried.chain(scope).collect();
    let buttons = [Button::Allow, Button::Deny];
    Ok(render_form("Allow access?", &lines, &fields, ("post", "/authorize"), &buttons))
}

/// Handles the user's answer on the page.
pub(super) fn answer_authorize(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    check_origin(context.request)?;
    let (now, params) = (context.now, context.params);
    let sandbox = context.world.id.clone();
    let center = center(context)?;
    let request = parse_request(center, params, now)?;
    let consent = parse_consent(params)?;
    let location = answer_request(center, &sandbox, &request, consent, now)?;
    Ok(Reply::empty(303).with("location", location).with("cache-control", "no-store"))
}

/// Parses an authorize request, and checks that the redirect URI is registered.
pub(crate) fn parse_request(
    center: &IdentityCenter,
    params: &Params,
    now: Timestamp,
) -> Result<AuthorizeRequest, ErrorResponse> {
    let client_id = text(params, "client_id")?;
    let client = find_client(center, client_id, now)?;
    let redirect_uri = text(params, "redirect_uri")?;
    check_redirect(client, redirect_uri)?;
    if !client.grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(OauthError::UnauthorizedClient.because("the client did not register for codes"));
    }
    if text(params, "response_type")? != "code" {
        return Err(OauthError::InvalidRequest.because("the response type is not `code`"));
    }
    if text(params, "code_challenge_method")? != "S256" {
        return Err(OauthError::InvalidRequest.because("the challenge method is not `S256`"));
    }
    let challenge = text(params, "code_challenge")?;
    if parse_base64_url(challenge).is_none_or(|digest| digest.len() != 32) {
        return Err(OauthError::InvalidRequest.because("the challenge is not a SHA-256 digest in base64url"));
    }
    // The AWS CLI names the parameter `scopes`; OAuth names it `scope`.
    let asked = params.get("scopes").or_else(|| params.get("scope"));
    let scopes = asked.map_or_else(|| client.scopes.clone(), split_scopes);
    if !scopes.is_subset(&client.scopes) {
        return Err(OauthError::InvalidScope.because("a scope was not registered"));
    }
    Ok(AuthorizeRequest {
        client_name: client.name.clone(),
        client_id: client_id.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        state: params.get("state").map(str::to_owned),
        challenge: challenge.to_owned(),
        scopes,
    })
}

/// Checks that the redirect URI is a registered one; only the port may differ (RFC 8252, section 7.3).
fn check_redirect(client: &SsoClient, redirect_uri: &str) -> Result<(), ErrorResponse> {
    let asked = parse_loopback(redirect_uri).map(|(_, path)| path);
    let is_registered = |uri: &String| {
        let registered = parse_loopback(uri).map(|(_, path)| path);
        asked.is_some() && registered == asked
    };
    if client.redirect_uris.iter().any(is_registered) {
        return Ok(());
    }
    Err(OauthError::InvalidRedirectUri.because("the redirect URI was not registered"))
}

/// Returns the URL that the browser is redirected to with the user's answer.
pub(crate) fn answer_request(
    center: &mut IdentityCenter,
    sandbox: &str,
    request: &AuthorizeRequest,
    consent: Consent,
    now: Timestamp,
) -> Result<String, Error> {
    let state = request.state.as_ref();
    let state = state.map(|state| format!("&state={}", render_percent(state.as_bytes()))).unwrap_or_default();
    let uri = &request.redirect_uri;
    if consent == Consent::Deny {
        return Ok(format!("{uri}?error=access_denied&error_description=Access%20denied{state}"));
    }
    let code = mint::mint_sso_token("code", sandbox)?;
    let kept = AuthorizationCode {
        client_id: request.client_id.clone(),
        user: center.browser_user.clone(),
        redirect_uri: uri.clone(),
        challenge: request.challenge.clone(),
        scopes: request.scopes.clone(),
        expires_at: clock::later(now, CODE_SECONDS),
    };
    center.codes.insert(digest_of(&code), kept);
    Ok(format!("{uri}?code={}{state}", render_percent(code.as_bytes())))
}
