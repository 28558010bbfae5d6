//! Builds the record that a denied call is diagnosed from, out of the plan and the request that was sent.

use hatbox_core::config::profile::Origin;
use hatbox_core::plan::{AssumeRole, Base, Note, Plan, Signer, Step};
use hatbox_iam::denial::attempt::{
    Around, Attempt, CodeSent, RoleVariable, SignedBy, StartKind, StartedFrom,
};

/// The facts about a call that its plan does not hold.
#[derive(Debug, Clone)]
pub(super) struct Circumstances {
    /// When the call was made, in seconds since 1970.
    pub(super) at: i64,
    /// The age in seconds of the session that signed the call; `None` if a long-lived key signed it.
    pub(super) session_age: Option<i64>,
    /// Whether the call carried an MFA code.
    pub(super) code: CodeSent,
    /// The session name that was sent, whether the profile sets it or not.
    pub(super) session_name: Option<String>,
    /// The region of the STS endpoint.
    pub(super) region: String,
    /// The STS endpoint, unless it is AWS's default.
    pub(super) endpoint: Option<String>,
    /// How many seconds this machine's clock was ahead of the endpoint's, if known.
    pub(super) clock_ahead: Option<i64>,
    /// What else the config and the environment contain.
    pub(super) around: Around,
}

/// Describes the call of step `index` of `plan`. `render_origin` shows where a setting was made.
pub(super) fn attempt_of_step(
    plan: &Plan,
    index: usize,
    circumstances: Circumstances,
    render_origin: &dyn Fn(&Origin) -> Option<String>,
) -> Option<Attempt> {
    let step = plan.steps.get(index)?;
    let role = match step {
        Step::AssumeRole(role) => Some(role),
        Step::GetSessionToken(_) => None,
        // No causes are known for a denied GetFederationToken.
        Step::GetFederationToken(_) => return None,
    };
    let Circumstances { at, session_age, code, session_name, region, endpoint, clock_ahead, around } =
        circumstances;
    let (inherited_tags, inherited_source_identity) = inherited(plan, index);
    Some(Attempt {
        at,
        profile: plan.profile.to_string(),
        step_profile: step.profile().to_string(),
        step: (index + 1, plan.steps.len()),
        role: role.map(|role| role.role.value.to_string()),
        role_of_environment: role.and_then(|role| role_variable(plan, role)),
        variables: variables(plan, index),
        flags: flags(plan, index),
        signer: signed_by(plan, index, session_age),
        base: started_from(&plan.base),
        serial: step.mfa().map(|mfa| mfa.serial.value.to_string()),
        code,
        seconds: step.duration().value.as_secs(),
        seconds_from: render_origin(&step.duration().origin),
        session_name,
        is_session_name_fixed: role.is_some_and(|role| role.session_name.is_some()),
        has_external_id: role.is_some_and(|role| role.external_id.is_some()),
        tags: role
            .and_then(|role| role.tags.as_ref())
            .map(|tags| tags.value.iter().map(|(name, _)| name.clone()).collect())
            .unwrap_or_default(),
        inherited_tags,
        source_identity: role
            .and_then(|role| role.source_identity.as_ref())
            .map(|identity| identity.value.clone()),
        inherited_source_identity,
        region,
        endpoint,
        clock_ahead,
        around,
    })
}

fn role_variable(plan: &Plan, role: &AssumeRole) -> Option<RoleVariable> {
    let Origin::Env(name) = role.role.origin else { return None };
    let replaced = plan.notes.iter().find_map(|note| match note {
        Note::RoleOfEnvironment { replaced, .. } => replaced.as_ref().map(|own| own.value.clone()),
        _ => None,
    });
    Some(RoleVariable { name: name.to_owned(), replaced })
}

/// Lists the environment variables that set the MFA device (also that of the session that signed), the tags or the
/// source identity of the call.
fn variables(plan: &Plan, index: usize) -> Vec<String> {
    let devices = plan.steps.iter().take(index + 1).filter_map(Step::mfa).map(|mfa| &mfa.serial.origin);
    let origins = devices.chain(origins_of_role(plan, index));
    let mut names: Vec<String> = Vec::new();
    for origin in origins {
        if let Origin::Env(name) = origin
            && !names.iter().any(|known| known == name)
        {
            names.push((*name).to_owned());
        }
    }
    names
}

/// Lists the flags that set the tags or the source identity of the call.
fn flags(plan: &Plan, index: usize) -> Vec<String> {
    let flag = |origin: &Origin| match origin {
        Origin::Flag(name) => Some((*name).to_owned()),
        _ => None,
    };
    origins_of_role(plan, index).filter_map(flag).collect()
}

fn origins_of_role(plan: &Plan, index: usize) -> impl Iterator<Item = &Origin> {
    let role = match plan.steps.get(index) {
        Some(Step::AssumeRole(role)) => Some(role),
        _ => None,
    };
    let tags = role.and_then(|role| role.tags.as_ref()).map(|tags| &tags.origin);
    let transitive = role.and_then(|role| role.transitive_tags.as_ref()).map(|tags| &tags.origin);
    let identity = role.and_then(|role| role.source_identity.as_ref()).map(|identity| &identity.origin);
    [tags, transitive, identity].into_iter().flatten()
}

/// Returns the transitive tags and the source identity, which every later role session inherits.
fn inherited(plan: &Plan, index: usize) -> (Vec<String>, Option<String>) {
    let mut tags = Vec::new();
    let mut identity = None;
    for step in plan.steps.iter().take(index) {
        let Step::AssumeRole(role) = step else { continue };
        tags.extend(role.transitive_tags.iter().flat_map(|tags| tags.value.iter().cloned()));
        if let Some(set) = &role.source_identity {
            identity = Some(set.value.clone());
        }
    }
    (tags, identity)
}

fn signed_by(plan: &Plan, index: usize, age: Option<i64>) -> SignedBy {
    match index.checked_sub(1).and_then(|before| plan.steps.get(before)) {
        Some(Step::GetSessionToken(session)) => SignedBy::SessionToken {
            serial: session.mfa.as_ref().map(|mfa| mfa.serial.value.to_string()),
            age,
        },
        Some(Step::GetFederationToken(_)) => SignedBy::Temporary,
        Some(Step::AssumeRole(role)) => SignedBy::Role { arn: Some(role.role.value.to_string()) },
        None => match plan.base.signer() {
            Signer::LongLivedKey => SignedBy::AccessKey,
            Signer::MaybeUser => SignedBy::Temporary,
            Signer::Role => SignedBy::Role { arn: None },
        },
    }
}

fn started_from(base: &Base) -> StartedFrom {
    let kind = match base {
        Base::StoredKey { .. } => StartKind::Stored,
        Base::FileKeys { .. } => StartKind::File,
        Base::Environment { .. } => StartKind::Environment,
        _ => StartKind::Other,
    };
    let key = base.access_key_id().map(hatbox_types::name::AccessKeyId::masked);
    StartedFrom { profile: base.profile().to_string(), kind, key }
}
