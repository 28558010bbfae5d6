//! Evaluates a trust policy for callers whose own policies are taken to allow everything.

use super::{Candidate, Trial};
use crate::assume::context::{KnownCall, Named, Sent, USUAL_AGE};
use crate::assume::credentials::Credentials;
use crate::policy::answer::Answer;
use crate::policy::arn::Arn;
use crate::policy::document::{Effect, Policy};
use crate::policy::evaluate::{Caller, Context, Layers, Request, evaluate};
use crate::policy::principal::{Principal, PrincipalKind};
use hatbox_types::name::AccountId;

/// Allows everything, to evaluate the trust policy independently of the caller's own policies.
const EVERYTHING: &str = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// The actions with which a service or an identity provider assumes a role.
const ENTRANCES: [&str; 3] = ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"];

/// A trust policy, prepared for many evaluations.
pub(crate) struct Judge<'a> {
    layers: Layers,
    trial: &'a Trial,
    /// Whether a condition compares `aws:PrincipalArn` with a variable.
    has_variable_arn: bool,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(policy: Policy, trial: &'a Trial) -> Self {
        let identity = Policy::parse(EVERYTHING).into_iter().collect();
        let has_variable_arn =
            policy.statements.iter().flat_map(|statement| &statement.conditions).any(|condition| {
                condition.key.eq_ignore_ascii_case("aws:PrincipalArn")
                    && condition.values.iter().any(|value| value.variables().next().is_some())
            });
        Self {
            has_variable_arn,
            layers: Layers { trust: Some(policy), identity, ..Layers::default() },
            trial,
        }
    }

    /// Whether `candidate` can assume the role with credentials of this kind, as far as known.
    pub(crate) fn ask(&self, candidate: &Candidate, credentials: Credentials) -> Answer {
        let mut context = self.context_of(&candidate.caller(credentials), Some(credentials));
        self.trial.assumptions.set_keys(&mut context);
        let answer = self.judge(candidate, credentials, context.clone());
        if answer != Answer::No || !candidate.is_any_user() {
            return answer;
        }
        // The placeholder name does not match, but another user of the account may.
        self.judge(candidate, credentials, self.without_name(context, credentials))
    }

    fn context_of(&self, caller: &Caller, credentials: Option<Credentials>) -> Context {
        let now = self.trial.assumptions.now;
        let (named, age, sent) = (Named::InFull, Some(USUAL_AGE), Sent::Anything);
        KnownCall { caller, named, credentials, age, sent, now }.context()
    }

    /// Returns the context of an unnamed user of the account.
    fn without_name(&self, mut context: Context, credentials: Credentials) -> Context {
        let is_given = |key: &str| {
            self.trial.assumptions.context.iter().any(|(given, _)| given.eq_ignore_ascii_case(key))
        };
        if credentials != Credentials::RoleSession && !is_given("aws:username") {
            context.values.remove("aws:username");
        }
        if self.has_variable_arn && !is_given("aws:PrincipalArn") {
            context.values.remove("aws:principalarn");
        }
        context
    }

    fn judge(&self, candidate: &Candidate, credentials: Credentials, context: Context) -> Answer {
        let caller = candidate.caller(credentials);
        self.evaluate(caller, ENTRANCES.first().copied().unwrap_or_default(), context)
    }

    /// Whether a service or an identity provider can assume the role.
    pub(crate) fn ask_outsider(&self, principal: &Principal) -> Answer {
        let caller = match principal.kind {
            PrincipalKind::Service => Caller::Service(principal.text.clone()),
            PrincipalKind::Federated => Caller::Federated(principal.text.clone()),
            _ => return Answer::No,
        };
        let context = self.context_of(&caller, None);
        let answers = ENTRANCES.iter().map(|action| self.evaluate(caller.clone(), action, context.clone()));
        Answer::any(answers)
    }

    /// Whether any service or identity provider that `policy` trusts can assume the role.
    pub(super) fn admits_outsider(&self, policy: &Policy) -> bool {
        let allows = policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
        let principals = allows.filter_map(|statement| statement.principals.as_ref());
        principals.flat_map(|element| &element.entries).any(|principal| !self.ask_outsider(principal).is_no())
    }

    fn evaluate(&self, caller: Caller, action: &str, context: Context) -> Answer {
        // Any account works for the role: as the caller's own policies allow everything, the account makes no
        // difference.
        let (partition, account) = match &caller {
            Caller::User { arn } | Caller::RoleSession { role_arn: arn, .. } => {
                Arn::parse(arn).map_or(("aws", ""), |arn| (arn.partition, arn.account))
            }
            _ => ("aws", "444455556666"),
        };
        let Ok(resource_account) = AccountId::parse(account) else { return Answer::No };
        let request = Request {
            action: action.to_owned(),
            also_actions: Vec::new(),
            resource: format!("arn:{partition}:iam::{account}:role/this-role"),
            resource_account,
            context,
            caller,
        };
        evaluate(&request, &self.layers).decision.into()
    }
}
