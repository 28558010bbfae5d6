//! In which way a condition on MFA fails to ask for it.

use super::rule::Rule;
use crate::admits::people::{is_age, is_presence};
use crate::policy::condition::Condition;
use crate::policy::document::Effect;
use crate::policy::operator::{Order, Quantifier, Test};

/// The rule that `condition`, in a statement of this effect, breaks; `None` where it does ask for MFA.
///
/// | in an Allow | |
/// |---|---|
/// | the key must be there (`Null` false) | a token without MFA and a role have it too |
/// | `false`, or that it is absent | lets in who has no MFA |
/// | `ForAllValues:`, `...IfExists`, a negated operator | an absent key passes |
///
/// | in a Deny | |
/// |---|---|
/// | it is absent (`Null` true) | spares who has it with the value `false` |
/// | `true`, or that it is there | denies who has MFA |
/// | `false` without `IfExists` | spares who has no key at all: access keys |
/// | an age above a limit, without `IfExists` | spares who has no age: all without MFA |
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
