//! What was sent, taken from the plan: the record that a denial is diagnosed from.

use hatbox_core::config::profile::Origin;
use hatbox_core::plan::{AssumeRole, Base, Note, Plan, Signer, Step};
use hatbox_iam::denial::attempt::{
    Around, Attempt, CodeSent, RoleVariable, SignedBy, StartKind, StartedFrom,
};

/// What a plan does not say about a call.
#[derive(Debug, Clone)]
pub(super) struct Circumstances {
    /// When, in seconds since 1970.
    pub(super) at: i64,
    /// How old the session is that signed, where one did.
    pub(super) session_age: Option<i64>,
    /// Whether the call carried a code.
    pub(super) code: CodeSent,
    /// The session's name, fixed or not.
    pub(super) session_name: Option<String>,
    /// The region of STS.
    pub(super) region: String,
    /// Where STS is, when it is not AWS's own.
    pub(super) endpoint: Option<String>,
    /// How far this machine's clock was ahead.
    pub(super) clock_ahead: Option<i64>,
    /// The rest of config and environment.
    pub(super) around: Around,
}

/// The call of `plan` with this index. `render_origin` says where a value stands.
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
        // Nothing is known of its causes.
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

/// The variables of the environment that gave the device, the tags and the source identity of the call, or the device
/// of the session that signed it.
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

/// The flags that gave the tags and the source identity of the call.
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

/// Tags that were made transitive, and the source identity: both go on to every later role.
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
