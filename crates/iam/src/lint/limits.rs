//! Whether a condition limits callers to known accounts, organizations or networks, or to callers with MFA.
//!
//! A condition limits callers if AWS sets its key and each of its values identifies one account, organization, network
//! or identity. Keys that a caller can choose, such as a tag, a session name or an external ID, are no limit.

use super::rule::Rule;
use crate::admits::people::{is_age, is_presence};
use crate::policy::arn::Arn;
use crate::policy::condition::Condition;
use crate::policy::document::{Effect, Statement};
use crate::policy::operator::{Order, Quantifier, Test};
use crate::policy::principal::PrincipalKind;
use crate::policy::variable::Template;

pub(super) fn is_key(condition: &Condition, key: &str) -> bool {
    condition.key.eq_ignore_ascii_case(key)
}

/// Whether the condition holds for a request without the key.
pub(super) fn passes_absent(condition: &Condition) -> bool {
    let operator = condition.operator;
    match operator.test {
        Test::Null => condition.values.iter().any(|value| value.text.eq_ignore_ascii_case("true")),
        _ => operator.if_exists || operator.is_negated || operator.quantifier == Some(Quantifier::All),
    }
}

/// What the values of a key identify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// An account, by its ID.
    Account,
    /// A resource in an account, by its ARN.
    Arn,
    /// An organization, or a path within it.
    Organization,
    /// A VPC or a VPC endpoint, whose IDs are globally unique.
    Network,
    /// Public IP addresses.
    Addresses,
    /// A user or role by its unique ID, optionally followed by a session name.
    UniqueId,
}

/// Keys that AWS sets and no caller can choose. `aws:VpcSourceIp` is not included, as anyone can use any addresses in
/// their own VPC.
const SET_BY_AWS: [(&str, Names); 26] = [
    ("aws:PrincipalAccount", Names::Account),
    ("aws:PrincipalArn", Names::Arn),
    ("aws:PrincipalOrgID", Names::Organization),
    ("aws:PrincipalOrgPaths", Names::Organization),
    ("aws:userid", Names::UniqueId),
    ("aws:SourceIp", Names::Addresses),
    ("aws:SourceVpc", Names::Network),
    ("aws:SourceVpcArn", Names::Arn),
    ("aws:SourceVpce", Names::Network),
    ("aws:VpceAccount", Names::Account),
    ("aws:VpceOrgID", Names::Organization),
    ("aws:VpceOrgPaths", Names::Organization),
    ("aws:Ec2InstanceSourceVpc", Names::Network),
    ("aws:FederatedProvider", Names::Arn),
    ("aws:SourceAccount", Names::Account),
    ("aws:SourceOwner", Names::Account),
    ("aws:SourceArn", Names::Arn),
    ("aws:SourceOrgID", Names::Organization),
    ("aws:SourceOrgPaths", Names::Organization),
    ("aws:ChatbotSourceArn", Names::Arn),
    ("ec2:SourceInstanceARN", Names::Arn),
    ("ssm:SourceInstanceARN", Names::Arn),
    ("lambda:SourceFunctionArn", Names::Arn),
    ("glue:RoleAssumedBy", Names::Arn),
    ("identitystore:IdentityStoreArn", Names::Arn),
    ("sts:TaskPolicyArn", Names::Arn),
];

/// Variables for the role's own account or organization, each with an example value.
const OF_ROLE: [(&str, &str); 2] =
    [("aws:ResourceAccount", "000000000000"), ("aws:ResourceOrgID", "o-0000000000")];

/// The shortest prefixes, in bits, of IPv4 and IPv6 ranges that count as limited. Larger ranges include strangers.
/// Amazon S3 sets the same limits for "public" (S3 User Guide, "The meaning of public").
const LARGEST_IPV4: u8 = 8;
const LARGEST_IPV6: u8 = 32;

/// Why a condition does not limit callers to known ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wide {
    /// The caller can choose the value of the key, or the key does not identify the caller.
    Key,
    /// The condition holds for a request without the key.
    Operator,
    /// This value also matches strangers.
    Value(String),
}

/// Whether `condition`, in an Allow, limits callers to known ones; if not, returns why.
pub(super) fn judge_limit(condition: &Condition) -> Result<(), Wide> {
    let operator = condition.operator;
    let names = names_of(condition).ok_or(Wide::Key)?;
    let is_on_values = !matches!(operator.test, Test::Null | Test::Bool | Test::Binary);
    if operator.is_negated
        || operator.if_exists
        || operator.quantifier == Some(Quantifier::All)
        || !is_on_values
    {
        return Err(Wide::Operator);
    }
    match condition.values.iter().find(|value| !is_fixed(names, operator.test, value)) {
        Some(value) => Err(Wide::Value(value.text.clone())),
        None => Ok(()),
    }
}

/// Whether `statement` denies all callers except known accounts, organizations or networks, as in
/// `"StringNotEquals": {"aws:PrincipalOrgID": "o-..."}`.
pub(super) fn denies_all_but_some(statement: &Statement, action: &str) -> bool {
    let is_everyone = statement.principals.as_ref().is_some_and(|element| {
        !element.is_negated && element.entries.iter().any(|of| of.kind == PrincipalKind::Everyone)
    });
    // Such a Deny usually exempts calls by AWS services.
    let (services, limits): (Vec<_>, Vec<_>) =
        statement.conditions.iter().partition(|condition| spares_services_only(condition));
    let [limit] = limits.as_slice() else { return false };
    let operator = limit.operator;
    let denies_without_key =
        operator.is_negated && (operator.if_exists || operator.quantifier != Some(Quantifier::Any));
    drop(services);
    statement.effect == Effect::Deny
        && is_everyone
        && statement.covers_action(action)
        && denies_without_key
        && names_of(limit)
            .is_some_and(|names| limit.values.iter().all(|value| is_fixed(names, operator.test, value)))
}

fn spares_services_only(condition: &Condition) -> bool {
    ["aws:PrincipalIsAWSService", "aws:ViaAWSService"]
        .iter()
        .any(|key| key.eq_ignore_ascii_case(&condition.key))
        && condition.operator.test == Test::Bool
        && condition.values.iter().all(|value| value.text.eq_ignore_ascii_case("false"))
}

fn names_of(condition: &Condition) -> Option<Names> {
    SET_BY_AWS.iter().find(|(key, _)| key.eq_ignore_ascii_case(&condition.key)).map(|(_, names)| *names)
}

/// Whether `value`, compared by `test`, matches no strangers.
fn is_fixed(names: Names, test: Test, value: &Template) -> bool {
    let Some(text) = fill_own(value) else { return false };
    // Only these operators treat `*` and `?` as wildcards.
    let has_wildcards = matches!(test, Test::TextLike | Test::Arn);
    let literal =
        if has_wildcards { text.split(['*', '?']).next().unwrap_or_default() } else { text.as_str() };
    let is_whole = literal.len() == text.len();
    match (names, test) {
        (_, Test::Number(order)) => names == Names::Account && order == Order::Equal,
        (_, Test::Date(_)) => false,
        (Names::Addresses, Test::Ip) => is_small_range(&text),
        // As text, a prefix with at least two separators, such as `203.0.`, is narrow enough.
        (Names::Addresses, _) => is_whole || literal.matches(['.', ':']).count() >= 2,
        (_, Test::Ip) => false,
        (Names::Arn, Test::Arn) => {
            Arn::parse(&text).is_some_and(|arn| !arn.account.is_empty() && !arn.account.contains(['*', '?']))
        }
        // As text, `*` also matches colons, and the path of a name may contain colons.
        (Names::Arn, _) => is_whole || Arn::parse(literal).is_some_and(|arn| !arn.account.is_empty()),
        (Names::Organization, _) => is_whole || has_organization(literal),
        (Names::UniqueId, _) => is_whole || literal.contains(':'),
        (Names::Account | Names::Network, _) => is_whole,
    }
}

/// Replaces the variables for the role's own account and organization; `None` if the text has other variables.
fn fill_own(value: &Template) -> Option<String> {
    let mut text = value.text.clone();
    for name in value.variables() {
        let (known, own) = OF_ROLE.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let at = text.to_ascii_lowercase().find(&format!("${{{}}}", known.to_ascii_lowercase()))?;
        text.replace_range(at..at + known.len() + 3, own);
    }
    Some(text)
}

/// Whether `literal` starts with a complete organization ID: `o-` and 10 to 32 letters or digits.
fn has_organization(literal: &str) -> bool {
    literal.contains('/') || literal.strip_prefix("o-").is_some_and(|id| id.len() >= 10)
}

fn is_small_range(text: &str) -> bool {
    let Some((address, length)) = text.trim().split_once('/') else { return true };
    let largest = if address.contains(':') { LARGEST_IPV6 } else { LARGEST_IPV4 };
    length.parse::<u8>().map_or(true, |length| length >= largest)
}

/// Returns the rule that `condition` breaks in a statement with this effect; `None` if it does require MFA.
///
/// | in an Allow | weakness |
/// |---|---|
/// | the key must be present (`Null` false) | also true for a session token without MFA and for a role session |
/// | `false`, or that the key is absent | allows callers without MFA |
/// | `ForAllValues:`, `...IfExists`, a negated operator | true if the key is absent |
///
/// | in a Deny | weakness |
/// |---|---|
/// | the key is absent (`Null` true) | exempts callers whose key is `false` |
/// | `true`, or that the key is present | denies callers with MFA |
/// | `false` without `IfExists` | exempts callers without the key: access keys |
/// | an age above a limit, without `IfExists` | exempts callers without an age: all without MFA |
pub(crate) fn find_weakness(condition: &Condition, effect: Effect) -> Option<Rule> {
    let says = |word: &str| condition.values.iter().any(|value| value.text.eq_ignore_ascii_case(word));
    let operator = condition.operator;
    let passes_absent =
        operator.if_exists || operator.is_negated || operator.quantifier == Some(Quantifier::All);
    match (effect, operator.test) {
        (Effect::Allow, Test::Null) => Some(if says("true") { Rule::MfaInverted } else { Rule::MfaNull }),
        (Effect::Deny, Test::Null) => Some(if says("false") { Rule::MfaInverted } else { Rule::MfaNull }),
        (Effect::Allow, _) if is_age(condition) => passes_absent.then_some(Rule::MfaAgeIfExists),
        (Effect::Deny, Test::Number(Order::Less | Order::LessOrEqual)) if is_age(condition) => {
            Some(Rule::MfaInverted)
        }
        (Effect::Deny, _) if is_age(condition) => (!passes_absent).then_some(Rule::MfaAgeIfExists),
        (Effect::Allow, _) if is_presence(condition) => {
            if says(if operator.is_negated { "true" } else { "false" }) {
                Some(Rule::MfaInverted)
            } else if operator.quantifier == Some(Quantifier::All) {
                Some(Rule::MfaForAllValues)
            } else {
                passes_absent.then_some(Rule::MfaIfExists)
            }
        }
        (Effect::Deny, _) if is_presence(condition) => {
            if says(if operator.is_negated { "false" } else { "true" }) {
                Some(Rule::MfaInverted)
            } else {
                (!passes_absent).then_some(Rule::MfaDenyBool)
            }
        }
        _ => None,
    }
}
