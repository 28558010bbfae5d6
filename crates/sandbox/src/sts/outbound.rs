//! GetWebIdentityToken: returns a token that identifies the caller to external services.
//!
//! Source: the STS reference, and "Federating AWS identities to external services" in the IAM user guide.

use serde_json::{Map, Value, json};

use crate::authorize::{Ask, principal_tags};
use crate::clock;
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::mint;
use crate::sigv4::Caller;

const DEFAULT_SECONDS: i64 = 300;
/// The claim that contains all AWS-specific claims.
const AWS_CLAIMS: &str = "https://sts.amazonaws.com/";

pub(super) fn get_web_identity_token(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    let algorithm = context.params.get("SigningAlgorithm").unwrap_or_default();
    if !["ES384", "RS256"].contains(&algorithm) {
        return Err(ErrorResponse::validation(format!(
            "1 validation error detected: Value '{algorithm}' at 'signingAlgorithm' failed to satisfy \
             constraint: Member must satisfy enum value set: [RS256, ES384]"
        )));
    }
    let asked = context.params.get("DurationSeconds").and_then(|text| text.parse().ok());
    let seconds: i64 = asked.unwrap_or(DEFAULT_SECONDS);
    let audiences: Vec<String> = context
        .params
        .list("Audience")
        .iter()
        .filter_map(|member| member.get("").map(str::to_owned))
        .collect();
    let account = caller.account().to_owned();
    let mut ask = Ask::new("sts:GetWebIdentityToken", "*", &account);
    ask.keys.insert("sts:identitytokenaudience".to_owned(), audiences.clone());
    ask.keys.insert("sts:durationseconds".to_owned(), vec![seconds.to_string()]);
    ask.keys.insert("sts:signingalgorithm".to_owned(), vec![algorithm.to_owned()]);
    let tags = request_tags(context);
    if !tags.is_empty() {
        ask.also_actions.push("sts:TagGetWebIdentityToken".to_owned());
        ask.keys.insert("aws:tagkeys".to_owned(), tags.keys().cloned().collect());
        for (key, value) in &tags {
            let value = value.as_str().unwrap_or_default().to_owned();
            ask.keys.insert(format!("aws:requesttag/{}", key.to_lowercase()), vec![value]);
        }
    }
    context.authorize(caller, &ask, "")?;
    let issuer = context.world.accounts.get(&account).and_then(|account| account.outbound_issuer.clone());
    let provider = issuer.as_ref().and_then(|issuer| context.world.identity_providers.get(issuer));
    let Some((issuer, provider)) = issuer.zip(provider) else {
        let text = "Outbound web identity federation is not enabled for this account.";
        return Err(ErrorResponse::new(403, "OutboundWebIdentityFederationDisabledException", text));
    };
    if algorithm == "RS256" {
        let text = "The sandbox has no RSA key to sign with: ask for ES384.";
        return Err(ErrorResponse::new(501, "NotImplemented", text));
    }
    let issued_at = clock::whole_seconds(context.now);
    let expires_at = clock::later(issued_at, seconds);
    if caller.session.as_ref().is_some_and(|session| expires_at > session.expires_at) {
        let text = "The token would outlast the session that asks for it.";
        return Err(ErrorResponse::new(403, "SessionDurationEscalationException", text));
    }
    let audience = match audiences.as_slice() {
        [only] => json!(only),
        all => json!(all),
    };
    let mut own = json!({
        "aws_account": account,
        "source_region": caller.region,
        "principal_tags": principal_tags(context.world, caller),
        "request_tags": tags,
    });
    if let Some(own) = own.as_object_mut() {
        own.retain(|_, value| *value != json!({}));
    }
    let claims = json!({
        "iss": issuer,
        "sub": caller.principal.principal_arn(context.world),
        "aud": audience,
        "iat": issued_at.as_second(),
        "exp": expires_at.as_second(),
        "jti": hex::encode(mint::mint_bytes::<16>()?),
        AWS_CLAIMS: own,
    });
    let claims = claims.as_object().cloned().unwrap_or_default();
    let token = provider.sign(&claims).transpose()?.ok_or_else(|| {
        ErrorResponse::new(500, "InternalFailure", "The sandbox could not carry out the request.")
            .because("the issuer of the account has no key with a secret half")
    })?;
    context.entry.granted_seconds = Some(seconds);
    Ok(context.render(|xml| {
        xml.element("WebIdentityToken", &token).element("Expiration", &clock::render_iso(expires_at));
    }))
}

fn request_tags(context: &RequestContext) -> Map<String, Value> {
    let pair = |tag: &crate::http::Params| {
        (tag.get("Key").unwrap_or_default().to_owned(), json!(tag.get("Value").unwrap_or_default()))
    };
    context.params.list("Tags").iter().map(pair).collect()
}
