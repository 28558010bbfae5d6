//! Asks the policy evaluator about a request, with the context keys that AWS would set.

use std::collections::BTreeMap;

use hatbox_iam::policy::document::Policy;
use hatbox_iam::policy::evaluate::{
    self, Context, Decision, DenyKind, Judgement, Layer, Layers, Request, evaluate,
};
use hatbox_types::name::AccountId;
use jiff::Timestamp;

use crate::clock::render_iso;
use crate::error_response::ErrorResponse;
use crate::sigv4::Caller;
use crate::world::{Account, Attached, Principal, SessionKind, World};

/// Whether a valid MFA code came with the call itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeGiven {
    /// The call carried a valid code.
    Yes,
    /// The call carried no code.
    No,
}

/// Condition keys: names in lower case, and their values.
pub(crate) type Keys = BTreeMap<String, Vec<String>>;

/// The call to authorize, without the caller.
pub(crate) struct Ask<'a> {
    /// The action, such as `s3:GetObject`.
    pub(crate) action: &'a str,
    /// Additional actions that must be allowed too.
    pub(crate) also_actions: Vec<String>,
    /// The ARN of the resource.
    pub(crate) resource: &'a str,
    /// The account that owns the resource.
    pub(crate) account: &'a str,
    /// The trust policy of the role; set only for AssumeRole.
    pub(crate) trust: Option<&'a str>,
    /// Condition keys of the request, in addition to those of the caller.
    pub(crate) keys: Keys,
}

impl<'a> Ask<'a> {
    /// Asks for one action on a resource.
    pub(crate) fn new(action: &'a str, resource: &'a str, account: &'a str) -> Self {
        Self { action, also_actions: Vec::new(), resource, account, trust: None, keys: Keys::new() }
    }
}

/// Returns the condition keys that depend only on the time.
pub(crate) fn moment_keys(now: Timestamp) -> Keys {
    [
        ("aws:currenttime", render_iso(now)),
        ("aws:epochtime", now.as_second().to_string()),
        ("aws:securetransport", "false".to_owned()),
        ("aws:sourceip", "127.0.0.1".to_owned()),
        ("aws:viaawsservice", "false".to_owned()),
        ("aws:principalisawsservice", "false".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), vec![value]))
    .into()
}

/// Returns the condition keys that depend on the caller and the time.
pub(crate) fn caller_keys(world: &World, caller: &Caller, code: CodeGiven, now: Timestamp) -> Keys {
    let mut keys = moment_keys(now);
    if let Some(identity) = caller.session.as_ref().and_then(|session| session.web_identity.as_ref()) {
        keys.extend(identity.condition_keys());
    }
    let mut put = |name: &str, value: String| {
        keys.insert(name.to_lowercase(), vec![value]);
    };
    put("aws:RequestedRegion", caller.region.clone());
    put("aws:PrincipalArn", caller.principal.principal_arn(world));
    put("aws:PrincipalAccount", caller.account().to_owned());
    put("aws:userid", caller.principal.user_id(world));
    let kind = match &caller.principal {
        Principal::User { name, .. } => {
            put("aws:username", name.clone());
            "User"
        }
        Principal::Root { .. } => "Account",
        Principal::RoleSession { .. } => "AssumedRole",
        Principal::Federated { .. } => "FederatedUser",
    };
    put("aws:PrincipalType", kind.to_owned());
    for (name, value) in principal_tags(world, caller) {
        put(&format!("aws:PrincipalTag/{name}"), value.to_owned());
    }
    if let Some(session) = &caller.session {
        put("aws:TokenIssueTime", render_iso(session.issued_at));
        if let Some(identity) = &session.source_identity {
            put("aws:SourceIdentity", identity.clone());
        }
        if session.kind == SessionKind::AssumeRoot {
            put("aws:AssumedRoot", "true".to_owned());
        }
    }
    // Long-lived keys have no MFA keys at all; temporary credentials have one, which is always `false` for a role.
    let mfa_at = caller.session.as_ref().map(|session| match session.kind {
        SessionKind::GetSessionToken { mfa_at } => mfa_at,
        SessionKind::AssumeRole
        | SessionKind::GetFederationToken
        | SessionKind::AssumeRoot
        | SessionKind::Login => None,
    });
    let mfa_at = if code == CodeGiven::Yes { Some(Some(now)) } else { mfa_at };
    if let Some(mfa_at) = mfa_at {
        put("aws:MultiFactorAuthPresent", mfa_at.is_some().to_string());
        if let Some(at) = mfa_at {
            put("aws:MultiFactorAuthAge", (now.as_second() - at.as_second()).max(0).to_string());
        }
    }
    keys
}

/// Returns the tags of a user or role; session tags override them.
pub(crate) fn principal_tags<'a>(world: &'a World, caller: &'a Caller) -> BTreeMap<&'a str, &'a str> {
    let own = match &caller.principal {
        Principal::User { account, name } => world.user(account, name).map(|user| &user.tags),
        Principal::RoleSession { account, role, .. } => world.role(account, role).map(|role| &role.tags),
        Principal::Root { .. } | Principal::Federated { .. } => None,
    };
    let of_session = caller.session.iter().flat_map(|session| &session.tags);
    own.into_iter().flatten().chain(of_session).map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Evaluates the policies for a call by `caller`.
pub(crate) fn judge(
    world: &World,
    caller: &Caller,
    base: &Keys,
    ask: &Ask,
) -> Result<Judgement, ErrorResponse> {
    let layers = layers_of(world, caller, ask.trust)?;
    judge_as(evaluated_caller(world, &caller.principal)?, &layers, base, ask)
}

/// Evaluates the trust policy, which alone decides, for the bearer of a token from `provider`.
pub(crate) fn judge_federated(provider: &str, base: &Keys, ask: &Ask) -> Result<Judgement, ErrorResponse> {
    let layers = Layers { trust: ask.trust.map(parse_policy).transpose()?, ..Layers::default() };
    judge_as(evaluate::Caller::Federated(provider.to_owned()), &layers, base, ask)
}

fn judge_as(
    caller: evaluate::Caller,
    layers: &Layers,
    base: &Keys,
    ask: &Ask,
) -> Result<Judgement, ErrorResponse> {
    let mut values = base.clone();
    values.insert("aws:resourceaccount".to_owned(), vec![ask.account.to_owned()]);
    values.extend(ask.keys.clone());
    let request = Request {
        caller,
        action: ask.action.to_owned(),
        also_actions: ask.also_actions.clone(),
        resource: ask.resource.to_owned(),
        resource_account: parse_account(ask.account)?,
        context: Context { values, is_complete: true, ..Context::default() },
    };
    Ok(evaluate(&request, layers))
}

/// Evaluates a call by `caller`. The error has the wording of the service, with `quote` around the ARN.
pub(crate) fn authorize(
    world: &World,
    caller: &Caller,
    base: &Keys,
    ask: &Ask,
    quote: &str,
) -> Result<Judgement, ErrorResponse> {
    let judgement = judge(world, caller, base, ask)?;
    let reason = match &judgement.decision {
        Decision::Allow => return Ok(judgement),
        Decision::Deny { kind, layer } => denial(*kind, *layer, ask.action),
        Decision::Unknown { .. } => String::new(),
    };
    let message = format!(
        "{} on resource: {quote}{}{quote}{reason}",
        not_authorized(world, caller, ask.action),
        ask.resource
    );
    Err(ErrorResponse::denied(message).judged(judgement))
}

/// Returns `User: ARN is not authorized to perform: ACTION`.
pub(crate) fn not_authorized(world: &World, caller: &Caller, action: &str) -> String {
    format!("User: {} is not authorized to perform: {action}", caller.principal.arn(world))
}

fn denial(kind: DenyKind, layer: Layer, action: &str) -> String {
    let layer = match layer {
        Layer::Scp => "service control",
        Layer::Rcp => "resource control",
        Layer::Trust => "resource-based",
        Layer::Identity => "identity-based",
        Layer::Boundary => "permissions boundary",
        Layer::Session => "session",
    };
    match kind {
        DenyKind::Explicit => {
            let article = if layer.starts_with('i') { "an" } else { "a" };
            format!(" with an explicit deny in {article} {layer} policy")
        }
        DenyKind::Implicit => format!(" because no {layer} policy allows the {action} action"),
    }
}

fn evaluated_caller(world: &World, principal: &Principal) -> Result<evaluate::Caller, ErrorResponse> {
    Ok(match principal {
        Principal::User { .. } | Principal::Federated { .. } => {
            evaluate::Caller::User { arn: principal.arn(world) }
        }
        Principal::Root { account } => evaluate::Caller::Root(parse_account(account)?),
        Principal::RoleSession { .. } => evaluate::Caller::RoleSession {
            session_arn: Some(principal.arn(world)),
            role_arn: principal.principal_arn(world),
        },
    })
}

fn parse_account(account: &str) -> Result<AccountId, ErrorResponse> {
    AccountId::parse(account).map_err(|error| broken(&format!("the account {account} {error}")))
}

fn broken(why: &str) -> ErrorResponse {
    ErrorResponse::new(500, "InternalFailure", "The sandbox could not carry out the request.").because(why)
}

fn parse_policy(text: &str) -> Result<Policy, ErrorResponse> {
    Policy::parse(text).map_err(|error| broken(&format!("a policy of the sandbox's world: {error}")))
}

fn layers_of(world: &World, caller: &Caller, trust: Option<&str>) -> Result<Layers, ErrorResponse> {
    const ALL: &str =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let own = match &caller.principal {
        Principal::User { account, name } | Principal::Federated { account, user: Some(name), .. } => {
            user_policies(world, account, name)?
        }
        Principal::RoleSession { account, role, .. } => role_policies(world, account, role)?,
        Principal::Root { .. } | Principal::Federated { user: None, .. } => {
            Policies { identity: vec![parse_policy(ALL)?], boundary: None }
        }
    };
    let session = caller.session.as_ref().and_then(|session| session.policies.as_ref());
    let parse_all = |documents: &Vec<String>| documents.iter().map(|text| parse_policy(text)).collect();
    Ok(Layers {
        trust: trust.map(parse_policy).transpose()?,
        resource: None,
        identity: own.identity,
        boundary: own.boundary.map(|policy| vec![policy]),
        session: session.map(parse_all).transpose()?,
        ..Layers::default()
    })
}

/// The policies attached to a user or role.
#[derive(Default)]
struct Policies {
    identity: Vec<Policy>,
    boundary: Option<Policy>,
}

impl Policies {
    fn parse<'a>(
        world: &World,
        account: &Account,
        inline: impl Iterator<Item = &'a String>,
        has: impl Fn(&Attached) -> bool,
        boundary: Option<&String>,
    ) -> Result<Self, ErrorResponse> {
        let managed = |arn: &String| {
            let document = world.managed_policy(account, arn);
            parse_policy(document.ok_or_else(|| broken(&format!("there is no managed policy {arn}")))?)
        };
        let attached = account.attachments.iter().filter(|(_, to)| has(to)).map(|(arn, _)| managed(arn));
        Ok(Self {
            identity: inline.map(|text| parse_policy(text)).chain(attached).collect::<Result<_, _>>()?,
            boundary: boundary.map(managed).transpose()?,
        })
    }
}

fn user_policies(world: &World, account: &str, name: &str) -> Result<Policies, ErrorResponse> {
    let Some(account) = world.accounts.get(account) else { return Ok(Policies::default()) };
    let Some(user) = account.users.get(name) else { return Ok(Policies::default()) };
    let groups: BTreeMap<_, _> =
        account.groups.iter().filter(|(_, group)| group.members.contains(name)).collect();
    let inline = user.policies.values().chain(groups.values().flat_map(|group| group.policies.values()));
    let has =
        |to: &Attached| to.users.contains(name) || to.groups.iter().any(|group| groups.contains_key(group));
    Policies::parse(world, account, inline, has, user.boundary.as_ref())
}

fn role_policies(world: &World, account: &str, name: &str) -> Result<Policies, ErrorResponse> {
    let Some(account) = world.accounts.get(account) else { return Ok(Policies::default()) };
    let Some(role) = account.roles.get(name) else { return Ok(Policies::default()) };
    let has = |to: &Attached| to.roles.contains(name);
    Policies::parse(world, account, role.policies.values(), has, role.boundary.as_ref())
}
