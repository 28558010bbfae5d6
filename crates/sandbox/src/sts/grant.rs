//! Issues temporary credentials.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::world::{Principal, Session, SessionKind, WebIdentity, WorldSecret};
use crate::xml::Xml;
use crate::{clock, mint};

/// What new credentials represent.
pub(crate) struct Grant {
    pub(crate) principal: Principal,
    pub(crate) kind: SessionKind,
    pub(crate) seconds: i64,
    pub(crate) policies: Option<Vec<String>>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) transitive_tags: BTreeSet<String>,
    pub(crate) source_identity: Option<String>,
    pub(crate) web_identity: Option<WebIdentity>,
    /// Whether a user's access key signed the call.
    pub(crate) by_access_key: bool,
}

impl Grant {
    /// Creates a grant with all permissions of `principal` and without tags.
    pub(crate) fn new(principal: Principal, kind: SessionKind, seconds: i64) -> Self {
        Self {
            principal,
            kind,
            seconds,
            policies: None,
            tags: BTreeMap::new(),
            transitive_tags: BTreeSet::new(),
            source_identity: None,
            web_identity: None,
            by_access_key: false,
        }
    }
}

/// Mints credentials for `grant`. Returns a writer of their `Credentials` element.
pub(super) fn mint_session(
    context: &mut RequestContext,
    grant: Grant,
) -> Result<impl FnOnce(&mut Xml) + use<>, ErrorResponse> {
    let (key_id, session) = grant_session(context, grant)?;
    Ok(move |xml: &mut Xml| {
        xml.nest("Credentials", |xml| {
            xml.element("AccessKeyId", &key_id)
                .element("SecretAccessKey", session.secret.expose())
                .element("SessionToken", session.token.expose())
                .element("Expiration", &clock::render_iso(session.expires_at));
        });
    })
}

/// Mints credentials for `grant`. Returns their access key id and the session.
pub(crate) fn grant_session(
    context: &mut RequestContext,
    grant: Grant,
) -> Result<(String, Session), ErrorResponse> {
    let seconds = context.faults.take_short_life(&context.entry.action).unwrap_or(grant.seconds);
    let issued_at = clock::whole_seconds(context.now);
    let min_size =
        context.params.get("MinimumSessionTokenSize").and_then(|text| text.parse().ok()).unwrap_or(0);
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
        by_access_key: grant.by_access_key,
    };
    let key_id = mint::mint_key_id("ASIA", &context.world.id)?;
    context.entry.granted_seconds = Some(seconds);
    context.world.prune(context.now);
    context.world.sessions.insert(key_id.clone(), session.clone());
    Ok((key_id, session))
}
