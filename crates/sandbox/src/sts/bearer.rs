//! Verifies a token of an identity provider and extracts its claims.
//!
//! Sources: AssumeRoleWithWebIdentity in the STS reference; "Available keys for AWS OIDC federation" and "Pass session
//! tags" in the IAM user guide. Where AWS publishes no error message and no transcript shows it, the message is our
//! own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::parameters::{are_valid_tags, is_valid_source_identity};
use crate::authorize::Keys;
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::faults::FaultKind;
use crate::jwt::Token;
use crate::log::SignedWith;
use crate::world::{WebIdentity, issuer_name, oidc_provider_arn};

const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider, please reference \
                      AssumeRoleWithWebIdentity documentation for requirements";
/// The maximum time that an issuer's clock may be ahead.
const SKEW_SECONDS: i64 = 300;

/// The claims of a verified token.
pub(super) struct Bearer {
    pub(super) subject: String,
    pub(super) audience: String,
    pub(super) identity: WebIdentity,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) transitive_tags: BTreeSet<String>,
    pub(super) source_identity: Option<String>,
}

/// Verifies the token with what `account` knows about its issuer.
pub(super) fn check_token(context: &mut RequestContext, account: &str) -> Result<Bearer, ErrorResponse> {
    if context.params.has("ProviderId") {
        // An OAuth 2.0 access token, which only the provider itself can verify.
        reach_provider(context)?;
        return Err(rejected().because("the sandbox has no providers of OAuth 2.0 access tokens"));
    }
    let token = context.params.get("WebIdentityToken").and_then(Token::parse).ok_or_else(|| {
        invalid(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        )
    })?;
    let claims = Claims(&token.claims);
    let issuer = claims.text("iss")?;
    let (subject, expires) = (claims.text("sub")?, claims.seconds("exp")?);
    let issued = claims.seconds("iat")?;
    let arn = oidc_provider_arn(account, issuer);
    let provider = context.world.accounts.get(account).and_then(|account| account.oidc_providers.get(&arn));
    let Some(provider) = provider.filter(|provider| provider.url == issuer).cloned() else {
        return Err(invalid(format!("No OpenIDConnect provider found in your account for {issuer}")));
    };
    reach_provider(context)?;
    let keys = context.world.identity_providers.get(issuer);
    let key = keys.and_then(|keys| keys.key(token.key_id.as_deref())).ok_or_else(|| invalid(NO_KEY))?;
    if !token.is_signed_by(key) {
        return Err(invalid("The signature of the token is not that of its issuer"));
    }
    context.entry.caller = Some(format!("{subject} of {issuer}"));
    context.entry.signed_with = SignedWith::WebIdentity;
    let now = context.now.as_second();
    if now >= expires {
        let text = format!(
            "Token expired: current date/time {now} must be before the expiration date/time {expires}"
        );
        return Err(ErrorResponse::new(400, "ExpiredTokenException", text));
    }
    let begins = claims.seconds("nbf").map_or(issued, |begins| begins.max(issued));
    if begins > now.saturating_add(SKEW_SECONDS) {
        return Err(invalid("The token is not valid yet"));
    }
    let audiences = claims.texts("aud");
    // If the token has an authorized party (`azp`), that one must be registered instead of the audience.
    let known_as = claims.text("azp").map_or_else(|_| audiences.clone(), |party| vec![party.to_owned()]);
    let Some(audience) = known_as.into_iter().find(|audience| provider.client_ids.contains(audience)) else {
        return Err(invalid("Incorrect token audience"));
    };
    if context.faults.take_one(&context.entry.action, &FaultKind::IdentityProviderRejects) {
        return Err(rejected().because("a fault was asked for: the identity provider rejects the token"));
    }
    let name = issuer_name(issuer).to_lowercase();
    let mut keys = Keys::new();
    keys.insert(format!("{name}:sub"), vec![subject.to_owned()]);
    keys.insert(format!("{name}:aud"), vec![audience.clone()]);
    if claims.text("azp").is_ok() {
        keys.insert(format!("{name}:oaud"), audiences);
    }
    keys.insert(format!("{name}:amr"), claims.texts("amr"));
    let (tags, transitive_tags) = claims.session_tags()?;
    Ok(Bearer {
        subject: subject.to_owned(),
        audience,
        identity: WebIdentity { provider: arn, keys },
        tags,
        transitive_tags,
        source_identity: claims.source_identity()?,
    })
}

fn invalid(message: impl Into<String>) -> ErrorResponse {
    ErrorResponse::new(400, "InvalidIdentityToken", message)
}

fn rejected() -> ErrorResponse {
    ErrorResponse::new(403, "IDPRejectedClaim", "The identity provider reported that authentication failed.")
}

/// Fails if the fault that makes identity providers unreachable is pending.
fn reach_provider(context: &mut RequestContext) -> Result<(), ErrorResponse> {
    if context.faults.take_one(&context.entry.action, &FaultKind::IdentityProviderDown) {
        let text = "The identity provider could not be reached to verify the token.";
        return Err(ErrorResponse::new(400, "IDPCommunicationError", text)
            .because("a fault was asked for: identity providers are down"));
    }
    Ok(())
}

/// The claims of a token.
struct Claims<'t>(&'t Map<String, Value>);

impl<'t> Claims<'t> {
    fn text(&self, name: &str) -> Result<&'t str, ErrorResponse> {
        let text = self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| missing(name))
    }

    /// Returns a time (RFC 7519) in seconds; fractions are truncated.
    fn seconds(&self, name: &str) -> Result<i64, ErrorResponse> {
        let value = self.0.get(name).ok_or_else(|| missing(name))?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what is out of range becomes the last second there is"
        )]
        let cut = || value.as_f64().map(|seconds| seconds as i64);
        value.as_i64().or_else(cut).ok_or_else(|| missing(name))
    }

    /// Returns the values of a claim that is a text or a list of texts.
    fn texts(&self, name: &str) -> Vec<String> {
        texts_of(self.0.get(name))
    }

    /// Returns the session tags, and the keys of the transitive ones.
    fn session_tags(&self) -> Result<(BTreeMap<String, String>, BTreeSet<String>), ErrorResponse> {
        let Some(claim) = self.0.get("https://aws.amazon.com/tags") else { return Ok(Default::default()) };
        let pairs = claim.get("principal_tags").and_then(Value::as_object).into_iter().flatten();
        let tags: BTreeMap<String, String> = pairs
            .filter_map(|(key, values)| Some((key.clone(), texts_of(Some(values)).into_iter().next()?)))
            .collect();
        let transitive: BTreeSet<String> = texts_of(claim.get("transitive_tag_keys")).into_iter().collect();
        if !are_valid_tags(&tags) || !transitive.iter().all(|key| tags.contains_key(key)) {
            return Err(invalid("The session tags of the token are not valid"));
        }
        Ok((tags, transitive))
    }

    fn source_identity(&self) -> Result<Option<String>, ErrorResponse> {
        let Some(claim) = self.0.get("https://aws.amazon.com/source_identity") else { return Ok(None) };
        match claim.as_str().filter(|identity| is_valid_source_identity(identity)) {
            Some(identity) => Ok(Some(identity.to_owned())),
            None => Err(invalid("The source identity of the token is not valid")),
        }
    }
}

fn missing(name: &str) -> ErrorResponse {
    invalid(format!("Missing a required claim: {name}"))
}

fn texts_of(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
