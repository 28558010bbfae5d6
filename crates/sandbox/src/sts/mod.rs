//! The Security Token Service: who am I, a role's session, a user's session.
//!
//! [`table`] says what parameters may be, [`mfa`] judges codes; each call has its own file.

mod assume_role;
mod assume_root;
mod bearer;
mod caller_identity;
mod delegated;
mod mfa;
mod outbound;
mod saml;
mod session_policy;
mod table;
mod tokens;
mod web_identity;

use std::collections::{BTreeMap, BTreeSet};

use crate::http::Reply;
use crate::refusal::Refusal;
use crate::sigv4::{Caller, Dialect};
use crate::turn::Turn;
use crate::world::{Principal, Session, SessionKind, WebIdentity, WorldSecret};
use crate::xml::Xml;
use crate::{clock, mint};

/// The namespace of STS's XML.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// The version of STS's protocol.
pub(crate) const VERSION: &str = "2011-06-15";

/// Carries out a call.
pub(crate) fn perform(turn: &mut Turn) -> Result<Reply, Refusal> {
    let action = turn.entry.action.clone();
    match action.as_str() {
        "AssumeRoleWithWebIdentity" => return web_identity::assume_role_with_web_identity(turn),
        "AssumeRoleWithSAML" => return saml::assume_role_with_saml(turn),
        _ => {}
    }
    let caller = turn.verify(Dialect::Query("sts"))?.caller;
    check_allowed_for(&caller, &action)?;
    check_region(turn, &caller, &action)?;
    match action.as_str() {
        "AssumeRole" => assume_role::assume_role(turn, &caller),
        "GetSessionToken" => tokens::get_session_token(turn, &caller),
        "GetFederationToken" => tokens::get_federation_token(turn, &caller),
        "GetCallerIdentity" => Ok(caller_identity::get_caller_identity(turn, &caller)),
        "GetAccessKeyInfo" => caller_identity::get_access_key_info(turn, &caller),
        "DecodeAuthorizationMessage" => caller_identity::decode_authorization_message(turn, &caller),
        "GetWebIdentityToken" => outbound::get_web_identity_token(turn, &caller),
        "GetDelegatedAccessToken" => delegated::get_delegated_access_token(turn),
        "AssumeRoot" => assume_root::assume_root(turn, &caller),
        _ => Err(Refusal::new(
            400,
            "InvalidAction",
            format!("Could not find operation {action} for version {VERSION}"),
        )),
    }
}

/// GetSessionToken's credentials open only AssumeRole and GetCallerIdentity; those of
/// GetFederationToken only the latter; a role's and AssumeRoot's open neither of the two that make tokens
/// of a user.
fn check_allowed_for(caller: &Caller, action: &str) -> Result<(), Refusal> {
    let is_refused = match caller.session.as_ref().map(|session| session.kind) {
        None => false,
        Some(SessionKind::AssumeRole | SessionKind::AssumeRoot) => {
            matches!(action, "GetSessionToken" | "GetFederationToken")
        }
        Some(SessionKind::GetSessionToken { .. }) => !matches!(action, "AssumeRole" | "GetCallerIdentity"),
        Some(SessionKind::GetFederationToken) => action != "GetCallerIdentity",
    };
    if is_refused {
        return Err(Refusal::denied(format!("Cannot call {action} with session credentials")));
    }
    Ok(())
}

/// Calls that give credentials want STS to be active in the region, for the account that calls.
/// Source: "Managing AWS STS in an AWS Region" of the IAM user guide.
fn check_region(turn: &Turn, caller: &Caller, action: &str) -> Result<(), Refusal> {
    let gives_credentials = matches!(
        action,
        "AssumeRole" | "AssumeRoot" | "GetSessionToken" | "GetFederationToken" | "GetDelegatedAccessToken"
    );
    let account = caller.principal.account();
    let is_disabled = turn
        .world
        .accounts
        .get(account)
        .is_some_and(|account| account.disabled_regions.contains(&caller.region));
    if gives_credentials && is_disabled {
        return Err(Refusal::new(
            403,
            "RegionDisabledException",
            format!(
                "STS is not activated in this region for account:{account}. Your account administrator can \
                 activate STS in this region using the IAM Console."
            ),
        ));
    }
    Ok(())
}

/// What new credentials stand for.
struct Grant {
    principal: Principal,
    kind: SessionKind,
    seconds: i64,
    policies: Option<Vec<String>>,
    tags: BTreeMap<String, String>,
    transitive_tags: BTreeSet<String>,
    source_identity: Option<String>,
    web_identity: Option<WebIdentity>,
}

impl Grant {
    /// Everything that `principal` may, without tags.
    fn new(principal: Principal, kind: SessionKind, seconds: i64) -> Self {
        Self {
            principal,
            kind,
            seconds,
            policies: None,
            tags: BTreeMap::new(),
            transitive_tags: BTreeSet::new(),
            source_identity: None,
            web_identity: None,
        }
    }
}

/// Mints credentials for `grant`, and writes their `Credentials` element.
fn mint_session(turn: &mut Turn, grant: Grant) -> Result<impl FnOnce(&mut Xml) + use<>, Refusal> {
    let seconds = turn.faults.take_short_life(&turn.entry.action).unwrap_or(grant.seconds);
    let issued_at = clock::whole_seconds(turn.now);
    let min_size = turn.params.get("MinimumSessionTokenSize").and_then(|text| text.parse().ok()).unwrap_or(0);
    let session = Session {
        secret: WorldSecret::new(mint::mint_secret()?),
        token: WorldSecret::new(mint::mint_session_token(min_size)?),
        principal: grant.principal,
        kind: grant.kind,
        issued_at,
        expires_at: clock::later(issued_at, seconds),
        policies: grant.policies,
        tags: grant.tags,
        transitive_tags: grant.transitive_tags,
        source_identity: grant.source_identity,
        web_identity: grant.web_identity,
    };
    let key_id = mint::mint_key_id("ASIA", &turn.world.id)?;
    turn.entry.granted_seconds = Some(seconds);
    turn.world.prune(turn.now);
    turn.world.sessions.insert(key_id.clone(), session.clone());
    Ok(move |xml: &mut Xml| {
        xml.nest("Credentials", |xml| {
            xml.element("AccessKeyId", &key_id)
                .element("SecretAccessKey", session.secret.expose())
                .element("SessionToken", session.token.expose())
                .element("Expiration", &clock::render_iso(session.expires_at));
        });
    })
}
