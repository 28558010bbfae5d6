//! Rules about roles for third parties, which another account assumes with an external ID to prevent the confused
//! deputy problem (IAM User Guide, "The confused deputy problem").

use super::finding::{Finding, Spot, Subject};
use super::limits::{find_weakness, is_key, judge_limit, passes_absent};
use super::rule::Rule;
use crate::admits::people::{is_about_mfa, principals};
use crate::policy::arn::Arn;
use crate::policy::condition::Condition;
use crate::policy::document::Effect;
use crate::policy::principal::{Principal, PrincipalKind};

const EXTERNAL_ID: &str = "sts:ExternalId";

/// Whether the statement is for a third-party service: it requires an external ID from other accounts.
pub(super) fn is_for_third_party(spot: Spot, subject: Subject) -> bool {
    let own = subject.arn.and_then(Arn::parse).map(|arn| arn.account);
    let is_other = |principal: &Principal| {
        account_of(principal).is_some_and(|account| own.is_none_or(|own| own != account))
    };
    asks_for_external_id(spot) && principals(spot.statement).iter().all(is_other)
}

/// Finds accounts outside the sources that are trusted without an external ID.
pub(super) fn find_deputies(spot: Spot, subject: Subject) -> Option<Finding> {
    let own = Arn::parse(subject.arn?)?.account;
    let known = subject.accounts?;
    let conditions = &spot.statement.conditions;
    // A condition on MFA means people rather than a service; one on the organization means that its accounts are not
    // third parties.
    let is_of_ones_own = |condition: &Condition| {
        let key = condition.key.to_ascii_lowercase();
        key.starts_with("aws:principalorg") && judge_limit(condition).is_ok()
    };
    let asks_for_mfa =
        |condition: &Condition| is_about_mfa(condition) && find_weakness(condition, Effect::Allow).is_none();
    if spot.statement.effect != Effect::Allow
        || !spot.statement.covers_action("sts:AssumeRole")
        || asks_for_external_id(spot)
        || conditions.iter().any(|condition| is_of_ones_own(condition) || asks_for_mfa(condition))
    {
        return None;
    }
    let is_stranger = |principal: &&Principal| {
        let account = if is_user(principal) { None } else { account_of(principal) };
        account.is_some_and(|account| account != own && !known.contains(account))
    };
    let stranger = principals(spot.statement).iter().find(is_stranger)?;
    let account = account_of(stranger).unwrap_or_default();
    let message = format!(
        "Account {account} is not in the sources. If a third party owns it, its other customers may make it \
         use this role (confused deputy)."
    );
    let fix = "for a third party, add \"StringEquals\": { \"sts:ExternalId\": \"ID\" }.";
    Some(spot.on_principal(Rule::ConfusedDeputy, stranger, message, fix))
}

fn asks_for_external_id(spot: Spot) -> bool {
    let asks = |condition: &Condition| {
        let is_any = condition.values.iter().any(|value| value.text.chars().all(|c| c == '*'));
        is_key(condition, EXTERNAL_ID) && !passes_absent(condition) && !is_any
    };
    spot.statement.effect == Effect::Allow && spot.statement.conditions.iter().any(asks)
}

fn account_of(principal: &Principal) -> Option<&str> {
    match &principal.kind {
        PrincipalKind::Account { account, .. } => Some(account),
        PrincipalKind::Arn => Arn::parse(&principal.text).map(|arn| arn.account),
        _ => None,
    }
}

fn is_user(principal: &Principal) -> bool {
    Arn::parse(&principal.text).is_some_and(|arn| arn.resource.starts_with("user/"))
}
