//! AssumeRoleWithWebIdentity: assumes a role with a token that an identity provider signed.
//!
//! The token is checked first ([`bearer`](super::bearer)) and the role only afterwards, so that callers without a valid
//! token learn nothing.

use hatbox_iam::policy::evaluate::Decision;
use hatbox_types::name::RoleArn;

use super::assume_role::check_role_maximum;
use super::bearer::{Bearer, check_token};
use super::grant::{Grant, mint_session};
use super::session_policy::parse_session_policy;
use crate::authorize::{Ask, judge_federated, moment_keys};
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::world::{Principal, SessionKind};

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

pub(super) fn assume_role_with_web_identity(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let params = context.params;
    let text = params.get("RoleArn").unwrap_or_default();
    let arn = RoleArn::parse(text).map_err(|_| ErrorResponse::validation(format!("{text} is invalid")))?;
    let limits = parse_session_policy(context)?;
    let bearer = check_token(context, arn.account())?;
    authorize(context, &arn, &bearer)?;
    let seconds = params.get("DurationSeconds").and_then(|text| text.parse().ok()).unwrap_or(3600);
    let role = context.world.role_of(&arn).ok_or_else(|| refused(ACTION))?;
    check_role_maximum(role, seconds)?;
    let principal = Principal::RoleSession {
        account: arn.account().to_owned(),
        role: arn.role_name().to_owned(),
        session: params.get("RoleSessionName").unwrap_or_default().to_owned(),
    };
    let (session_arn, id) = (principal.arn(context.world), principal.user_id(context.world));
    let Bearer { subject, audience, identity, tags, transitive_tags, source_identity } = bearer;
    let provider = identity.provider.clone();
    let credentials = mint_session(
        context,
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
    Ok(context.render(|xml| {
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

fn refused(action: &str) -> ErrorResponse {
    ErrorResponse::denied(format!("Not authorized to perform {action}"))
}

/// Evaluates the trust policy of the role, which alone decides.
fn authorize(context: &mut RequestContext, arn: &RoleArn, bearer: &Bearer) -> Result<(), ErrorResponse> {
    let one = |value: &str| vec![value.to_owned()];
    let mut base = moment_keys(context.now);
    base.extend(bearer.identity.condition_keys());
    let name = context.params.get("RoleSessionName").unwrap_or_default();
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
    let Some(role) = context.world.role_of(arn) else {
        return Err(refused(ACTION).because("there is no such role"));
    };
    for action in actions {
        let mut ask = Ask::new(action, arn.as_str(), arn.account());
        ask.trust = Some(&role.trust);
        let judgement = judge_federated(&bearer.identity.provider, &base, &ask)?;
        if judgement.decision != Decision::Allow {
            return Err(refused(action).judged(judgement));
        }
        context.entry.because.extend(judgement.because);
    }
    Ok(())
}
