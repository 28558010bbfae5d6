//! Decides whether a caller can assume a role, taking into account what is unknown.
//!
//! If a policy is missing, the layers are evaluated twice: first as if the known policies were complete, then with
//! every layer that has a gap as unknown. The first evaluation gives [`Ruling::as_known`], the second shows whether it
//! is certain. A known explicit Deny is always certain, and a gap in an SCP or RCP can only deny.
//!
//! # Example
//! Alice assumes the role Ops of another account, which trusts her account if `aws:MultiFactorAuthPresent` is true. Her
//! policy allows `sts:AssumeRole`; the sources have no SCPs.
//!
//! | the call | first evaluation | second evaluation | `as_known` | `answer` |
//! |---|---|---|---|---|
//! | with an MFA code | allow | depends on the layer SCP | yes | unknown: an SCP |
//! | without a code | deny, as the trust policy does not match | none: an SCP cannot allow | no | no |
//! | with a code, her policies unknown | deny: no policy allows | depends on identity | no | unknown: her policies |
//!
//! As text: "yes, unless an SCP denies it"; "no"; "no, unless a policy of alice (not in the sources) allows it".

use std::collections::BTreeSet;

use super::caller::KnownCaller;
use super::context::{Assumptions, Sent, context_of, set_role};
use super::credentials::Credentials;
use super::target::Target;
use crate::accounts::Accounts;
use crate::policy::answer::{Answer, Fact, Gap, add_facts};
use crate::policy::evaluate::{Context, Decision, DenyKind, Layer, Layers, Request, decide};
use hatbox_types::name::AccountId;

/// A placeholder for the account of a role whose account is unknown.
const NOWHERE: &str = "000000000000";

/// The result for one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Yes, no, or the facts it depends on: missing policies first, then properties of the request.
    pub answer: Answer,
    /// The answer if the known policies were complete; *no* if only a missing policy could allow the step.
    pub as_known: Answer,
}

/// Returns the request of one step.
pub(crate) fn request_of(
    accounts: &Accounts,
    caller: &KnownCaller,
    target: &Target,
    credentials: Credentials,
    assumptions: &Assumptions,
) -> Option<Request> {
    let mut request = request_by(accounts, caller, credentials, Sent::Nothing, assumptions)?;
    set_target(&mut request, accounts, target, assumptions);
    Some(request)
}

/// Returns the request of a caller without a role; [`set_target`] sets the role.
pub(crate) fn request_by(
    accounts: &Accounts,
    caller: &KnownCaller,
    credentials: Credentials,
    sent: Sent,
    assumptions: &Assumptions,
) -> Option<Request> {
    let context = context_of(accounts, caller, credentials, sent, assumptions);
    Some(Request {
        caller: caller.entity.caller(),
        action: "sts:AssumeRole".to_owned(),
        also_actions: also_actions(&context),
        resource: String::new(),
        resource_account: AccountId::parse(NOWHERE).ok()?,
        context,
    })
}

/// Sets the role of a request to `target`, replacing any other role.
pub(crate) fn set_target(
    request: &mut Request,
    accounts: &Accounts,
    target: &Target,
    assumptions: &Assumptions,
) {
    if let Some(account) = &target.entity.account {
        request.resource.clone_from(&target.entity.arn);
        request.resource_account.clone_from(account);
    } else {
        // An ARN that no policy matches by name.
        request.resource = format!("arn:aws:iam::{NOWHERE}:role/{}", target.entity.name);
        if let Ok(nowhere) = AccountId::parse(NOWHERE) {
            request.resource_account = nowhere;
        }
    }
    set_role(&mut request.context, accounts, &target.entity, assumptions);
}

/// Returns the actions that need permission because of what the request sends, such as tags.
fn also_actions(context: &Context) -> Vec<String> {
    let sends = |start: &str| {
        context.values.iter().any(|(name, values)| name.starts_with(start) && !values.is_empty())
    };
    let mut actions = Vec::new();
    if sends("aws:requesttag/") || sends("sts:transitivetagkeys") {
        actions.push("sts:TagSession".to_owned());
    }
    if sends("sts:sourceidentity") {
        actions.push("sts:SetSourceIdentity".to_owned());
    }
    actions
}

/// Evaluates a request with gaps. `layers` are the caller's with the role's trust policy; they are restored before
/// returning.
pub(crate) fn evaluate_with_gaps(request: &Request, layers: &mut Layers, gaps: &[Gap]) -> Ruling {
    let as_known = decide(request, layers);
    let unknown = layers_of(gaps);
    let can_be_widened = unknown.contains(&Layer::Identity) || unknown.contains(&Layer::Trust);
    let is_certain = match &as_known {
        Decision::Deny { kind: DenyKind::Explicit, .. } => true,
        // A gap in any other layer can only deny.
        Decision::Deny { kind: DenyKind::Implicit, .. } => !can_be_widened,
        Decision::Allow | Decision::Unknown { .. } => false,
    };
    let as_known = Answer::from(as_known);
    if unknown.is_empty() || is_certain {
        return Ruling { answer: as_known.clone(), as_known };
    }
    let before = std::mem::replace(&mut layers.unknown, unknown);
    let decision = decide(request, layers);
    layers.unknown = before;
    let answer = match decision {
        // A denial changes only if more is allowed, by the caller's own policies or the trust policy.
        Decision::Unknown { .. } if as_known.is_no() => {
            Answer::Unknown(facts_of(gaps, |layer| matches!(layer, Layer::Identity | Layer::Trust)))
        }
        Decision::Unknown { depends_on } => {
            let mut facts = facts_of(gaps, |layer| depends_on.contains(&Fact::Layer(layer)));
            facts.extend(depends_on.into_iter().filter(|fact| !fact.is_policy()));
            Answer::Unknown(facts)
        }
        decision => decision.into(),
    };
    Ruling { answer, as_known }
}

/// Returns the layers that have a gap.
pub(crate) fn layers_of(gaps: &[Gap]) -> BTreeSet<Layer> {
    gaps.iter().map(|gap| gap.layer).collect()
}

/// Returns the gaps in these layers as facts without duplicates, those of the organization first.
pub(crate) fn facts_of(gaps: &[Gap], is_meant: impl Fn(Layer) -> bool) -> Vec<Fact> {
    let meant = || gaps.iter().filter(|gap| is_meant(gap.layer)).cloned().map(Fact::Gap);
    let of_organization = meant().filter(Fact::is_of_organization);
    let mut facts = Vec::new();
    add_facts(&mut facts, of_organization.chain(meant()));
    // SCPs before RCPs, whatever the order of the gaps.
    let count = facts.iter().take_while(|fact| fact.is_of_organization()).count();
    if let Some(of_organization) = facts.get_mut(..count) {
        of_organization.sort();
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::answer::names_of;
    use crate::policy::document::Policy;
    use crate::policy::evaluate::Caller;

    #[test]
    fn gaps_are_named_once_each_and_those_of_the_organization_first() {
        let gaps = [
            Gap::new(Layer::Identity, "a policy outside Terraform"),
            Gap::rcp(),
            Gap::scp(),
            Gap::new(Layer::Identity, "a policy outside Terraform"),
        ];
        let all = facts_of(&gaps, |_| true);
        assert_eq!(names_of(&all), ["an SCP or RCP", "a policy outside Terraform"]);
        assert_eq!(facts_of(&gaps, |layer| layer == Layer::Rcp), [Fact::Gap(Gap::rcp())]);
    }

    #[test]
    fn the_example_is_true() {
        let request = |code: &str| Request {
            caller: Caller::User { arn: "arn:aws:iam::111122223333:user/alice".to_owned() },
            action: "sts:AssumeRole".to_owned(),
            also_actions: Vec::new(),
            resource: "arn:aws:iam::444455556666:role/Ops".to_owned(),
            resource_account: AccountId::parse("444455556666").unwrap(),
            context: Context::complete([("aws:MultiFactorAuthPresent", vec![code])]),
        };
        let trust = r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"},
            "Action": "sts:AssumeRole", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}}"#;
        let own = r#"{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}"#;
        let trust = Policy::parse(trust).ok();
        let mut layers = Layers { trust, identity: vec![Policy::parse(own).unwrap()], ..Layers::default() };
        let scp = Fact::Gap(Gap::scp());
        let with_code = evaluate_with_gaps(&request("true"), &mut layers, &[Gap::scp()]);
        assert_eq!(with_code, Ruling { answer: Answer::unknown(scp), as_known: Answer::Yes });
        let without = evaluate_with_gaps(&request("false"), &mut layers, &[Gap::scp()]);
        assert_eq!(without, Ruling { answer: Answer::No, as_known: Answer::No });
        layers.identity.clear();
        let policy = Gap::new(Layer::Identity, "a policy of alice (not in the sources)");
        let unseen = evaluate_with_gaps(&request("true"), &mut layers, &[policy.clone(), Gap::scp()]);
        assert_eq!(unseen, Ruling { answer: Answer::unknown(Fact::Gap(policy)), as_known: Answer::No });
        assert!(layers.unknown.is_empty(), "the layers are given back as they were");
    }
}
