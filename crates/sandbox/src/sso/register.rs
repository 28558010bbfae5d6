//! RegisterClient, and the check of a registered client in later calls.

use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeSet;
use subtle::ConstantTimeEq;

use super::center;
use super::oauth_error::OauthError;
use super::scopes::is_scope;
use crate::clock;
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::{Params, Reply};
use crate::mint;
use crate::world::{GrantType, IdentityCenter, SsoClient, WorldSecret};

/// The lifetime of a registration.
const REGISTRATION_SECONDS: i64 = 90 * 24 * 3600;

pub(super) fn register_client(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let (now, params) = (context.now, context.params);
    let sandbox = context.world.id.clone();
    let center = center(context)?;
    let name = text(params, "clientName")?;
    if text(params, "clientType")? != "public" {
        return Err(OauthError::InvalidClientMetadata.because("the client type is not `public`"));
    }
    if params.get("issuerUrl").is_some_and(|url| !center.is_at(url)) {
        return Err(OauthError::InvalidClientMetadata.because("the issuer URL is not this instance's"));
    }
    let scopes: BTreeSet<String> = members(params, "scopes").into_iter().collect();
    if let Some(bad) = scopes.iter().find(|scope| !is_scope(scope)) {
        return Err(OauthError::InvalidScope.because(&format!("`{bad}` is not a scope")));
    }
    let redirect_uris = members(params, "redirectUris");
    if let Some(bad) = redirect_uris.iter().find(|uri| parse_loopback(uri).is_none()) {
        let why = format!("`{bad}` is not `http://127.0.0.1` with a path");
        return Err(OauthError::InvalidRedirectUri.because(&why));
    }
    let client = SsoClient {
        name: name.to_owned(),
        secret: WorldSecret::new(mint::mint_sso_secret()?),
        scopes,
        redirect_uris,
        grant_types: grant_types(params)?,
        expires_at: clock::later(clock::whole_seconds(now), REGISTRATION_SECONDS),
    };
    let id = mint::mint_sso_token("client", &sandbox)?;
    let reply = Reply::json(&json!({
        "clientId": id,
        "clientSecret": client.secret.expose(),
        "clientIdIssuedAt": now.as_second(),
        "clientSecretExpiresAt": client.expires_at.as_second(),
    }));
    center.prune(now);
    center.clients.insert(id, client);
    Ok(reply)
}

/// Returns the allowed grant types; device codes and refresh tokens if the client does not name any.
fn grant_types(params: &Params) -> Result<BTreeSet<GrantType>, ErrorResponse> {
    let named = members(params, "grantTypes");
    if named.is_empty() {
        return Ok([GrantType::DeviceCode, GrantType::RefreshToken].into());
    }
    let known = named.iter().map(|text| GrantType::parse(text)).collect::<Option<_>>();
    known.ok_or_else(|| OauthError::UnsupportedGrantType.because("a grant type is unknown"))
}

/// Checks `clientId` and `clientSecret`, and returns the client.
pub(super) fn check_client(
    center: &IdentityCenter,
    params: &Params,
    now: Timestamp,
) -> Result<(String, SsoClient), ErrorResponse> {
    let (id, secret) = (text(params, "clientId")?, text(params, "clientSecret")?);
    let client = find_client(center, id, now)?;
    if !bool::from(client.secret.expose().as_bytes().ct_eq(secret.as_bytes())) {
        return Err(OauthError::InvalidClient.because("the client secret is wrong"));
    }
    Ok((id.to_owned(), client.clone()))
}

/// Finds a client whose registration has not expired.
pub(super) fn find_client<'c>(
    center: &'c IdentityCenter,
    id: &str,
    now: Timestamp,
) -> Result<&'c SsoClient, ErrorResponse> {
    let client = center.clients.get(id);
    let client = client.ok_or_else(|| OauthError::InvalidClient.because("no client has this id"))?;
    if now >= client.expires_at {
        return Err(OauthError::InvalidClient.because("the client's registration has ended"));
    }
    Ok(client)
}

/// Returns a required parameter.
pub(super) fn text<'p>(params: &'p Params, name: &str) -> Result<&'p str, ErrorResponse> {
    let value = params.get(name).filter(|value| !value.is_empty());
    value.ok_or_else(|| OauthError::InvalidRequest.because(&format!("`{name}` is missing")))
}

fn members(params: &Params, name: &str) -> Vec<String> {
    params.list(name).iter().filter_map(|member| member.get("").map(str::to_owned)).collect()
}

/// Parses `http://127.0.0.1[:PORT][/PATH]`, the only allowed form of a redirect URI, into port and path.
pub(super) fn parse_loopback(uri: &str) -> Option<(Option<u16>, &str)> {
    let rest = uri.strip_prefix("http://127.0.0.1")?;
    let (port, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|port| *port > 0)?)
        }
        _ => return None,
    };
    let is_path = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~%".contains(&b));
    is_path.then_some((port, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_loopback_address_is_a_redirect() {
        assert_eq!(parse_loopback("http://127.0.0.1"), Some((None, "")));
        assert_eq!(parse_loopback("http://127.0.0.1/oauth/callback"), Some((None, "/oauth/callback")));
        assert_eq!(parse_loopback("http://127.0.0.1:80/a"), Some((Some(80), "/a")));
        for bad in [
            "",
            "https://127.0.0.1/a",
            "http://localhost/a",
            "http://[::1]/a",
            "http://127.0.0.1.evil.example/a",
            "http://127.0.0.1@evil.example/a",
            "http://127.0.0.1:/a",
            "http://127.0.0.1:0/a",
            "http://127.0.0.1:65536/a",
            "http://127.0.0.1:+80/a",
            "http://127.0.0.1/a?b",
            "http://127.0.0.1/a#b",
            "http://127.0.0.1/a b",
            "http://127.0.0.1/a\r\nx: y",
        ] {
            assert_eq!(parse_loopback(bad), None, "{bad}");
        }
    }
}
