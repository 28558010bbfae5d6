//! AssumeRole: trust, identity policies, MFA, durations, tags and source identity, checked in an order that does not
//! reveal whether a role exists.
//!
//! Parameters, the role chaining limit and the MFA code are checked before the role is looked up; a missing role gets
//! the same error as a role that does not trust the caller. The maximum duration of the role is checked last.

use std::collections::{BTreeMap, BTreeSet};

use hatbox_iam::policy::evaluate::Decision;
use hatbox_types::name::RoleArn;

use super::grant::{Grant, mint_session};
use super::mfa;
use super::session_policy::parse_session_policy;
use crate::authorize::{Ask, Keys, judge, not_authorized};
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::sigv4::Caller;
use crate::world::{Principal, Role, Session, SessionKind};

const CHAINED_SECONDS: i64 = 3600;

/// The tags of the new session.
struct Tags {
    /// All tags, including inherited ones.
    all: BTreeMap<String, String>,
    /// Keys of the transitive tags.
    transitive: BTreeSet<String>,
}

pub(super) fn assume_role(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let params = context.params;
    let text = params.get("RoleArn").unwrap_or_default();
    let arn = RoleArn::parse(text).map_err(|_| ErrorResponse::validation(format!("{text} is invalid")))?;
    if matches!(caller.principal, Principal::Root { .. }) {
        return Err(ErrorResponse::denied("Roles may not be assumed by root accounts."));
    }
    let seconds = params.get("DurationSeconds").and_then(|text| text.parse().ok()).unwrap_or(3600);
    if is_chained(caller.session.as_ref()) && seconds > CHAINED_SECONDS {
        return Err(ErrorResponse::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    let limits = parse_session_policy(context)?;
    let tags = session_tags(context, caller)?;
    let code = mfa::check_code(context, caller)?;
    let base = context.keys(caller, code);
    let source_identity = authorize(context, caller, &arn, &tags, base)?;

    let refused = || {
        ErrorResponse::denied(format!(
            "{} on resource: {text}",
            not_authorized(context.world, caller, "sts:AssumeRole")
        ))
    };
    let role = context.world.role_of(&arn).ok_or_else(refused)?;
    check_role_maximum(role, seconds)?;
    let session = params.get("RoleSessionName").unwrap_or_default().to_owned();
    let principal = Principal::RoleSession {
        account: arn.account().to_owned(),
        role: arn.role_name().to_owned(),
        session,
    };
    let (session_arn, id) = (principal.arn(context.world), principal.user_id(context.world));
    let packed = limits.packed_percent;
    let credentials = mint_session(
        context,
        Grant {
            policies: limits.policies,
            tags: tags.all,
            transitive_tags: tags.transitive,
            source_identity: source_identity.clone(),
            by_access_key: caller.session.is_none(),
            ..Grant::new(principal, SessionKind::AssumeRole, seconds)
        },
    )?;
    Ok(context.render(|xml| {
        credentials(xml);
        xml.nest("AssumedRoleUser", |xml| {
            xml.element("AssumedRoleId", &id).element("Arn", &session_arn);
        });
        if packed > 0 {
            xml.element("PackedPolicySize", &packed.to_string());
        }
        xml.element_if("SourceIdentity", source_identity.as_deref());
    }))
}

/// Checks the duration against the maximum of `role`.
pub(super) fn check_role_maximum(role: &Role, seconds: i64) -> Result<(), ErrorResponse> {
    if seconds > role.max_session_seconds {
        return Err(ErrorResponse::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(())
}

fn is_chained(session: Option<&Session>) -> bool {
    session.is_some_and(|session| !matches!(session.kind, SessionKind::GetFederationToken))
}

/// Returns the tags of the session: those of the request and those inherited through role chaining.
fn session_tags(context: &RequestContext, caller: &Caller) -> Result<Tags, ErrorResponse> {
    let mut all = BTreeMap::new();
    let mut transitive = BTreeSet::new();
    if let Some(session) = &caller.session {
        transitive.clone_from(&session.transitive_tags);
        let inherited = session.tags.iter().filter(|(key, _)| session.transitive_tags.contains(*key));
        all.extend(inherited.map(|(key, value)| (key.clone(), value.clone())));
    }
    let mut seen = BTreeSet::new();
    for tag in context.params.list("Tags") {
        let key = tag.get("Key").unwrap_or_default().to_owned();
        // Tag keys are compared case-insensitively.
        if transitive.iter().any(|inherited| inherited.eq_ignore_ascii_case(&key)) {
            return Err(ErrorResponse::validation(format!(
                "The tag key {key} was inherited and cannot be set again."
            )));
        }
        if !seen.insert(key.to_ascii_lowercase()) {
            return Err(ErrorResponse::validation(format!("Duplicate tag keys found. Tag key: {key}")));
        }
        all.insert(key, tag.get("Value").unwrap_or_default().to_owned());
    }
    for key in context.params.list("TransitiveTagKeys") {
        let key = key.get("").unwrap_or_default();
        if !all.contains_key(key) {
            return Err(ErrorResponse::validation(format!(
                "The transitive tag key {key} is not among the session tags."
            )));
        }
        transitive.insert(key.to_owned());
    }
    Ok(Tags { all, transitive })
}

/// Evaluates both the caller's policies and the trust policy. Returns the source identity of the new session.
fn authorize(
    context: &mut RequestContext,
    caller: &Caller,
    arn: &RoleArn,
    tags: &Tags,
    mut base: Keys,
) -> Result<Option<String>, ErrorResponse> {
    let params = context.params;
    let inherited = caller.session.as_ref().and_then(|session| session.source_identity.clone());
    let asked = params.get("SourceIdentity").map(str::to_owned);
    let one = |value: &str| vec![value.to_owned()];
    base.insert("sts:rolesessionname".to_owned(), one(params.get("RoleSessionName").unwrap_or_default()));
    if let Some(id) = params.get("ExternalId") {
        base.insert("sts:externalid".to_owned(), one(id));
    }
    let mut also_actions = Vec::new();
    if let Some(identity) = asked.as_ref().or(inherited.as_ref()) {
        base.insert("sts:sourceidentity".to_owned(), one(identity));
        also_actions.push("sts:SetSourceIdentity".to_owned());
    }
    if !tags.all.is_empty() {
        also_actions.push("sts:TagSession".to_owned());
        base.insert("aws:tagkeys".to_owned(), tags.all.keys().cloned().collect());
        for (key, value) in &tags.all {
            base.insert(format!("aws:requesttag/{}", key.to_lowercase()), one(value));
        }
    }
    if !tags.transitive.is_empty() {
        base.insert("sts:transitivetagkeys".to_owned(), tags.transitive.iter().cloned().collect());
    }
    let refused = |context: &RequestContext, action: &str| {
        ErrorResponse::denied(format!("{} on resource: {arn}", not_authorized(context.world, caller, action)))
    };
    if inherited.is_some() && asked.is_some() && inherited != asked {
        return Err(refused(context, "sts:SetSourceIdentity")
            .because("the session's source identity cannot be changed"));
    }
    let Some(role) = context.world.role_of(arn) else {
        return Err(refused(context, "sts:AssumeRole").because("there is no such role"));
    };
    let mut ask = Ask::new("sts:AssumeRole", arn.as_str(), arn.account());
    ask.trust = Some(&role.trust);
    // The action is first evaluated alone, so that the error names the action that is not allowed.
    let mut judged = vec![("sts:AssumeRole", judge(context.world, caller, &base, &ask)?)];
    for action in &also_actions {
        ask.also_actions = vec![action.clone()];
        judged.push((action, judge(context.world, caller, &base, &ask)?));
    }
    let mut because = Vec::new();
    for (action, judgement) in judged {
        if judgement.decision != Decision::Allow {
            return Err(refused(context, action).judged(judgement));
        }
        because.extend(judgement.because);
    }
    context.entry.because.extend(because);
    Ok(asked.or(inherited))
}
