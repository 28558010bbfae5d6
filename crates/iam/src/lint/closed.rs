//! Whether a trust policy lets no one assume the role.

use super::finding::Finding;
use super::rule::Rule;
use crate::admits::people::MAX_STATEMENTS;
use crate::admits::{Asked, Entry, Judge, Kind, candidates_of};
use crate::policy::Place;
use crate::policy::document::{Effect, Policy, Statement};
use crate::policy::principal::{Principal, PrincipalKind};

/// Whether no caller that a statement trusts can assume the role. Asked of one caller only, it is not known.
pub(super) fn is_closed(policy: &Policy, asked: &Asked) -> bool {
    if policy.statements.len() > MAX_STATEMENTS || asked.caller.is_some() {
        return false;
    }
    let judge = Judge::new(policy.clone(), asked);
    let allows = policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    !allows.into_iter().any(|statement| may_admit(&judge, statement))
}

fn may_admit(judge: &Judge, statement: &Statement) -> bool {
    let Some(element) = &statement.principals else { return false };
    // Those who are not listed, and callers by patterns that no example fits, are not tried one by one.
    let is_beyond_trying =
        |principal: &Principal| principal.kind == PrincipalKind::CanonicalUser || principal.text == "*";
    let has_pattern = statement.conditions.iter().any(|condition| {
        condition.key.eq_ignore_ascii_case("aws:PrincipalArn")
            && condition.values.iter().any(|value| value.text.contains(['*', '?', '$']))
    });
    if element.is_negated {
        return true;
    }
    element.entries.iter().any(|principal| {
        let admits = |entry: Entry| entry.is_possible();
        if is_beyond_trying(principal) && (has_pattern || principal.kind != PrincipalKind::Everyone) {
            return true;
        }
        admits(judge.ask_outsider(principal))
            || candidates_of(statement, principal)
                .iter()
                .any(|candidate| Kind::ALL.iter().any(|kind| admits(judge.ask(candidate, *kind))))
    })
}

/// The finding on the whole policy.
pub(super) fn no_one() -> Finding {
    Finding {
        rule: Rule::NoOneAdmitted,
        level: Rule::NoOneAdmitted.level(),
        place: Place { line: 1, column: 1 },
        statement: None,
        sid: None,
        element: String::new(),
        message:
            "No one can assume this role: each Allow is denied again, or lacks an action or a principal \
                  that matches."
                .to_owned(),
        fix: "nothing, if the role is meant to be locked.".to_owned(),
    }
}
