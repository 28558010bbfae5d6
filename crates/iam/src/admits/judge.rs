//! Puts callers before a trust policy, as if their own policies allowed everything.

use super::context::context_of;
use super::{Asked, Candidate, Entry, Kind};
use crate::assume::condition_keys::{is_known, is_of_provider};
use crate::policy::arn::Arn;
use crate::policy::document::{Effect, Policy};
use crate::policy::evaluate::{Caller, Context, Layers, Request, evaluate};
use crate::policy::principal::{Principal, PrincipalKind};
use crate::policy::variable::Template;
use hatbox_types::name::AccountId;

/// Allows everything: what a caller's own policies say is another question.
const EVERYTHING: &str = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// The actions by which a service or a provider assumes a role.
const ENTRANCES: [&str; 3] = ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"];

/// A trust policy, ready to be asked many times.
pub(crate) struct Judge<'a> {
    layers: Layers,
    asked: &'a Asked,
    /// Keys that conditions and variables speak of.
    keys: Vec<String>,
    /// Whether a condition compares `aws:PrincipalArn` with a variable.
    has_variable_arn: bool,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(policy: Policy, asked: &'a Asked) -> Self {
        let keys = keys_of(&policy);
        let identity = Policy::parse(EVERYTHING).into_iter().collect();
        let has_variable_arn =
            policy.statements.iter().flat_map(|statement| &statement.conditions).any(|condition| {
                condition.key.eq_ignore_ascii_case("aws:PrincipalArn")
                    && condition.values.iter().any(|value| value.variables().next().is_some())
            });
        Self {
            has_variable_arn,
            layers: Layers { trust: Some(policy), identity, ..Layers::default() },
            asked,
            keys,
        }
    }

    /// Whether `candidate` can assume the role with credentials of `kind`, as far as that is known.
    pub(crate) fn ask(&self, candidate: &Candidate, kind: Kind) -> Entry {
        let context = context_of(candidate, kind, self.asked, &self.keys);
        let entry = self.judge(candidate, kind, context.clone());
        if entry != Entry::No || !candidate.is_any_user() {
            return entry;
        }
        // The made-up name does not fit; that of another user of the account may.
        self.judge(candidate, kind, self.without_name(context, kind))
    }

    /// The context of some user of the account, whatever the name.
    fn without_name(&self, mut context: Context, kind: Kind) -> Context {
        let is_told = |key: &str| self.asked.context.iter().any(|(told, _)| told.eq_ignore_ascii_case(key));
        if kind != Kind::RoleSession && !is_told("aws:username") {
            context.values.remove("aws:username");
        }
        if self.has_variable_arn && !is_told("aws:PrincipalArn") {
            context.values.remove("aws:principalarn");
        }
        context
    }

    fn judge(&self, candidate: &Candidate, kind: Kind, context: Context) -> Entry {
        let caller = match kind {
            Kind::RoleSession => Caller::RoleSession {
                session_arn: candidate.session.clone(),
                role_arn: candidate.role.clone(),
            },
            _ => Caller::User { arn: candidate.user.clone() },
        };
        self.evaluate(caller, ENTRANCES.first().copied().unwrap_or_default(), context)
    }

    /// Whether a service or a provider can assume the role.
    pub(crate) fn ask_outsider(&self, principal: &Principal) -> Entry {
        let caller = match principal.kind {
            PrincipalKind::Service => Caller::Service(principal.text.clone()),
            PrincipalKind::Federated => Caller::Federated(principal.text.clone()),
            _ => return Entry::No,
        };
        let mut context = Context::default();
        for name in ["aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"] {
            context.set(name, [] as [&str; 0]);
        }
        for key in self.keys.iter().filter(|key| !is_known(key) && !is_of_provider(key)) {
            context.set(key, [] as [&str; 0]);
        }
        ENTRANCES
            .iter()
            .map(|action| self.evaluate(caller.clone(), action, context.clone()))
            .fold(Entry::No, Entry::or)
    }

    /// Whether any service or provider that `policy` trusts can assume the role.
    pub(super) fn admits_outsider(&self, policy: &Policy) -> bool {
        let allows = policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
        let principals = allows.filter_map(|statement| statement.principals.as_ref());
        principals
            .flat_map(|element| &element.entries)
            .any(|principal| self.ask_outsider(principal).is_possible())
    }

    fn evaluate(&self, caller: Caller, action: &str, context: Context) -> Entry {
        // The role may be anywhere: where the caller's own policies allow, its account makes no difference.
        let (partition, account) = match &caller {
            Caller::User { arn } | Caller::RoleSession { role_arn: arn, .. } => {
                Arn::parse(arn).map_or(("aws", ""), |arn| (arn.partition, arn.account))
            }
            _ => ("aws", "444455556666"),
        };
        let Ok(resource_account) = AccountId::parse(account) else { return Entry::No };
        let request = Request {
            action: action.to_owned(),
            also_actions: Vec::new(),
            resource: format!("arn:{partition}:iam::{account}:role/this-role"),
            resource_account,
            context,
            caller,
        };
        Entry::of(evaluate(&request, &self.layers).decision)
    }
}

fn keys_of(policy: &Policy) -> Vec<String> {
    let mut keys: Vec<String> = policy
        .statements
        .iter()
        .flat_map(|statement| &statement.conditions)
        .flat_map(|condition| {
            let variables = condition.values.iter().flat_map(Template::variables);
            variables.chain([condition.key.as_str()]).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
