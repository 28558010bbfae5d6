//! AssumeRoleWithWebIdentity: a role for the bearer of a token that an identity provider signed.
//!
//! The token comes first, and the role only then, so that nobody without a good token learns anything.
//! Sources: the STS reference; "Available keys for AWS OIDC federation" and "Pass session tags" of the IAM
//! user guide. Texts that AWS does not publish and that no transcript shows are our own.

use std::collections::{BTreeMap, BTreeSet};

use hatbox_core::name::RoleArn;
use hatbox_core::policy::evaluate::Decision;
use serde_json::{Map, Value};

use super::assume_role::check_role_maximum;
use super::session_policy::parse_session_policy;
use super::table::{are_valid_tags, is_valid_source_identity, rules_of};
use super::{Grant, mint_session};
use crate::authorize::{Ask, Keys, judge_federated, moment_keys};
use crate::control::FaultKind;
use crate::http::Reply;
use crate::jwt::Token;
use crate::log::SignedWith;
use crate::refusal::Refusal;
use crate::rules::check_params;
use crate::turn::Turn;
use crate::world::{Principal, SessionKind, WebIdentity, issuer_name, oidc_provider_arn};

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";
const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider, please reference \
                      AssumeRoleWithWebIdentity documentation for requirements";
/// How far an issuer's clock may be ahead.
const SKEW_SECONDS: i64 = 300;

/// What a good token says.
struct Bearer {
    subject: String,
    audience: String,
    identity: WebIdentity,
    tags: BTreeMap<String, String>,
    transitive_tags: BTreeSet<String>,
    source_identity: Option<String>,
}

pub(super) fn assume_role_with_web_identity(turn: &mut Turn) -> Result<Reply, Refusal> {
    let params = turn.params;
    let text = params.get("RoleArn").unwrap_or_default();
    turn.entry.resource = Some(text.to_owned());
    check_params(&rules_of("AssumeRoleWithWebIdentity"), params)?;
    let arn = RoleArn::parse(text).map_err(|_| Refusal::validation(format!("{text} is invalid")))?;
    let limits = parse_session_policy(turn)?;
    let bearer = check_token(turn, arn.account())?;
    authorize(turn, &arn, &bearer)?;
    let seconds = params.get("DurationSeconds").and_then(|text| text.parse().ok()).unwrap_or(3600);
    let role = turn.world.role_of(&arn).ok_or_else(|| refused(ACTION))?;
    check_role_maximum(role, seconds)?;
    let principal = Principal::RoleSession {
        account: arn.account().to_owned(),
        role: arn.role_name().to_owned(),
        session: params.get("RoleSessionName").unwrap_or_default().to_owned(),
    };
    let (session_arn, id) = (principal.arn(turn.world), principal.user_id(turn.world));
    let Bearer { subject, audience, identity, tags, transitive_tags, source_identity } = bearer;
    let provider = identity.provider.clone();
    let credentials = mint_session(
        turn,
        Grant {
            policies: limits.policies,
            tags,
            transitive_tags,
            source_identity: source_identity.clone(),
            web_identity: Some(identity),
            ..Grant::new(principal, SessionKind::AssumeRole, seconds)
        },
    )?;
    let packed = limits.packed_percent;
    Ok(turn.render(|xml| {
        xml.element("SubjectFromWebIdentityToken", &subject).element("Audience", &audience);
        xml.nest("AssumedRoleUser", |xml| {
            xml.element("AssumedRoleId", &id).element("Arn", &session_arn);
        });
        credentials(xml);
        xml.element("Provider", &provider).element_if("SourceIdentity", source_identity.as_deref());
        if packed > 0 {
            xml.element("PackedPolicySize", &packed.to_string());
        }
    }))
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidIdentityToken", message)
}

fn refused(action: &str) -> Refusal {
    Refusal::denied(format!("Not authorized to perform {action}"))
}

fn rejected() -> Refusal {
    Refusal::new(403, "IDPRejectedClaim", "The identity provider reported that authentication failed.")
}

/// Fails when identity providers cannot be reached.
fn reach_provider(turn: &mut Turn) -> Result<(), Refusal> {
    if turn.faults.take_one(&turn.entry.action, &FaultKind::IdentityProviderDown) {
        let text = "The identity provider could not be reached to verify the token.";
        return Err(Refusal::new(400, "IDPCommunicationError", text)
            .because("a fault was asked for: identity providers are down"));
    }
    Ok(())
}

/// Verifies the token by what `account` knows of its issuer.
fn check_token(turn: &mut Turn, account: &str) -> Result<Bearer, Refusal> {
    if turn.params.has("ProviderId") {
        // An access token of OAuth 2.0, which only the provider itself can judge.
        reach_provider(turn)?;
        return Err(rejected().because("the sandbox has no providers of OAuth 2.0 access tokens"));
    }
    let token = turn.params.get("WebIdentityToken").and_then(Token::parse).ok_or_else(|| {
        invalid(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        )
    })?;
    let claims = Claims(&token.claims);
    let issuer = claims.text("iss")?;
    let (subject, expires) = (claims.text("sub")?, claims.seconds("exp")?);
    let issued = claims.seconds("iat")?;
    let arn = oidc_provider_arn(account, issuer);
    let provider = turn.world.accounts.get(account).and_then(|account| account.oidc_providers.get(&arn));
    let Some(provider) = provider.filter(|provider| provider.url == issuer).cloned() else {
        return Err(invalid(format!("No OpenIDConnect provider found in your account for {issuer}")));
    };
    reach_provider(turn)?;
    let keys = turn.world.identity_providers.get(issuer);
    let key = keys.and_then(|keys| keys.key(token.key_id.as_deref())).ok_or_else(|| invalid(NO_KEY))?;
    if !token.is_signed_by(key) {
        return Err(invalid("The signature of the token is not that of its issuer"));
    }
    turn.entry.caller = Some(format!("{subject} of {issuer}"));
    turn.entry.signed_with = SignedWith::WebIdentity;
    let now = turn.now.as_second();
    if now >= expires {
        let text = format!(
            "Token expired: current date/time {now} must be before the expiration date/time {expires}"
        );
        return Err(Refusal::new(400, "ExpiredTokenException", text));
    }
    let begins = claims.seconds("nbf").map_or(issued, |begins| begins.max(issued));
    if begins > now.saturating_add(SKEW_SECONDS) {
        return Err(invalid("The token is not valid yet"));
    }
    let audiences = claims.texts("aud");
    // Where the token says to whom it was given, that is who must be known.
    let known_as = claims.text("azp").map_or_else(|_| audiences.clone(), |party| vec![party.to_owned()]);
    let Some(audience) = known_as.into_iter().find(|audience| provider.client_ids.contains(audience)) else {
        return Err(invalid("Incorrect token audience"));
    };
    if turn.faults.take_one(&turn.entry.action, &FaultKind::IdentityProviderRejects) {
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

/// Asks the role's trust policy, which alone decides.
fn authorize(turn: &mut Turn, arn: &RoleArn, bearer: &Bearer) -> Result<(), Refusal> {
    let one = |value: &str| vec![value.to_owned()];
    let mut base = moment_keys(turn.now);
    base.extend(bearer.identity.condition_keys());
    let name = turn.params.get("RoleSessionName").unwrap_or_default();
    base.insert("sts:rolesessionname".to_owned(), one(name));
    let mut actions = vec![ACTION];
    if !bearer.tags.is_empty() {
        actions.push("sts:TagSession");
        base.insert("aws:tagkeys".to_owned(), bearer.tags.keys().cloned().collect());
        for (key, value) in &bearer.tags {
            base.insert(format!("aws:requesttag/{}", key.to_lowercase()), one(value));
        }
    }
    if !bearer.transitive_tags.is_empty() {
        let keys = bearer.transitive_tags.iter().cloned().collect();
        base.insert("sts:transitivetagkeys".to_owned(), keys);
    }
    if let Some(identity) = &bearer.source_identity {
        actions.push("sts:SetSourceIdentity");
        base.insert("sts:sourceidentity".to_owned(), one(identity));
    }
    let Some(role) = turn.world.role_of(arn) else {
        return Err(refused(ACTION).because("there is no such role"));
    };
    for action in actions {
        let mut ask = Ask::new(action, arn.as_str(), arn.account());
        ask.trust = Some(&role.trust);
        let judgement = judge_federated(&bearer.identity.provider, &base, &ask)?;
        if judgement.decision != Decision::Allow {
            return Err(refused(action).judged(judgement));
        }
        turn.entry.because.extend(judgement.because);
    }
    Ok(())
}

/// The claims of a token.
struct Claims<'t>(&'t Map<String, Value>);

impl<'t> Claims<'t> {
    fn text(&self, name: &str) -> Result<&'t str, Refusal> {
        let text = self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| missing(name))
    }

    /// A time of RFC 7519: seconds, of which a fraction is cut off.
    fn seconds(&self, name: &str) -> Result<i64, Refusal> {
        let value = self.0.get(name).ok_or_else(|| missing(name))?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what is out of range becomes the last second there is"
        )]
        let cut = || value.as_f64().map(|seconds| seconds as i64);
        value.as_i64().or_else(cut).ok_or_else(|| missing(name))
    }

    /// A text or a list of texts.
    fn texts(&self, name: &str) -> Vec<String> {
        texts_of(self.0.get(name))
    }

    /// Session tags, and the keys of those that go on to the next role.
    fn session_tags(&self) -> Result<(BTreeMap<String, String>, BTreeSet<String>), Refusal> {
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

    fn source_identity(&self) -> Result<Option<String>, Refusal> {
        let Some(claim) = self.0.get("https://aws.amazon.com/source_identity") else { return Ok(None) };
        match claim.as_str().filter(|identity| is_valid_source_identity(identity)) {
            Some(identity) => Ok(Some(identity.to_owned())),
            None => Err(invalid("The source identity of the token is not valid")),
        }
    }
}

fn missing(name: &str) -> Refusal {
    invalid(format!("Missing a required claim: {name}"))
}

fn texts_of(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
