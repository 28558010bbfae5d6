//! Patches a whole policy: the options, the result, and the reasons to leave a policy unchanged.

use super::edit::Text;
use super::patch::patch_statement;
use super::scan::{Kind, Node};

use crate::admits::Trial;
use crate::admits::people::{
    MAX_STATEMENTS, PeopleStatement, is_age, is_people, people_statements, principals,
};
use crate::lint::{MAX_CHARACTERS, USUAL_CHARACTERS, count_characters};
use crate::policy::arn::Arn;
use crate::policy::document::{Effect, Policy, PolicyError, Statement};
use crate::policy::operator::{Order, Test};
use crate::report::words::describe_principal;

/// The options, and what is known about the role.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The maximum age of the MFA, in seconds.
    pub max_age: Option<u64>,
    /// The role's ARN, if known.
    pub role: Option<String>,
    /// What else is known about the request.
    pub trial: Trial,
}

/// The result for a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The policy already requires MFA.
    Unchanged(Effects),
    /// The policy was changed to require MFA.
    Patched(Patch),
    /// The policy was not changed, for this reason.
    Refused(Guard),
}

/// The patched policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// The text of the patched policy.
    pub text: String,
    /// The statements that changed.
    pub changes: Vec<Change>,
    /// Who keeps access and who loses it.
    pub effects: Effects,
}

/// One statement before and after, with the whitespace before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The number of the statement in the original policy, from 1.
    pub statement: usize,
    /// The original text.
    pub before: String,
    /// The new text, of one or two statements.
    pub after: String,
}

/// Who is affected by requiring MFA, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// People, who now need MFA.
    pub keeps: Vec<String>,
    /// Callers that had access through an account or `*`, and cannot have MFA.
    pub loses: Vec<String>,
    /// Services, identity providers and roles that are trusted by name.
    pub left_alone: Vec<String>,
}

/// Why a policy was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Guard {
    /// AWS created the role and manages its policy.
    #[error("AWS owns this role, and no one else can change its trust policy")]
    OwnedByAws,
    /// It trusts only services, identity providers and roles.
    #[error("none of the principals that this role trusts can have MFA")]
    NoOneHasMfa,
    /// The patched policy is longer than AWS allows.
    #[error("the policy would have {count} characters, and AWS accepts {limit}")]
    TooLong {
        /// The length of the patched policy, in characters.
        count: usize,
        /// The quota, in characters.
        limit: usize,
    },
    /// The statement with this number, from 1, would deny everyone: by a Deny, or a condition that cannot be met.
    #[error("users with MFA could still not assume it: statement {0} or a Deny denies them")]
    ShutOut(usize),
    /// The statement with this number, from 1, would still allow people without MFA.
    #[error("users without MFA could still assume it, by statement {0}")]
    StillOpen(usize),
}

/// Makes the trust policy `text` require MFA.
///
/// # Errors
/// If the text is not a valid policy; the error has the position.
pub fn require_mfa(text: &str, wanted: &Wanted) -> Result<Outcome, PolicyError> {
    let policy = Policy::parse(text)?;
    if wanted.role.as_deref().is_some_and(is_owned_by_aws) {
        return Ok(Outcome::Refused(Guard::OwnedByAws));
    }
    let count = count_characters(text);
    if count > MAX_CHARACTERS || policy.statements.len() > MAX_STATEMENTS {
        return Ok(Outcome::Refused(Guard::TooLong { count, limit: MAX_CHARACTERS }));
    }
    let people = people_statements(&policy, &wanted.trial);
    if people.is_empty() {
        return Ok(Outcome::Refused(Guard::NoOneHasMfa));
    }
    let effects = resolve_effects(&policy, &people);
    let (after, changes) = patch(text, &policy, &people, wanted.max_age);
    let patched = Policy::parse(&after)?;
    for of_people in people_statements(&patched, &wanted.trial) {
        if of_people.is_open {
            return Ok(Outcome::Refused(Guard::StillOpen(of_people.index + 1)));
        }
        if of_people.is_shut {
            return Ok(Outcome::Refused(Guard::ShutOut(of_people.index + 1)));
        }
    }
    if changes.is_empty() {
        return Ok(Outcome::Unchanged(effects));
    }
    // If the policy is already above the default quota, the account's quota must have been raised.
    let limit = if count > USUAL_CHARACTERS { MAX_CHARACTERS } else { USUAL_CHARACTERS };
    let count = count_characters(&after);
    if count > limit {
        return Ok(Outcome::Refused(Guard::TooLong { count, limit }));
    }
    Ok(Outcome::Patched(Patch { text: after, changes, effects }))
}

fn is_owned_by_aws(role: &str) -> bool {
    Arn::parse(role).is_some_and(|arn| {
        arn.resource.starts_with("role/aws-service-role/")
            || arn.resource.starts_with("role/aws-reserved/")
            || arn.resource.rsplit('/').next().is_some_and(|name| name.starts_with("AWSReservedSSO_"))
    })
}

/// Patches from the last statement to the first, so that the positions of earlier statements stay valid.
fn patch(
    text: &str,
    policy: &Policy,
    people: &[PeopleStatement],
    max_age: Option<u64>,
) -> (String, Vec<Change>) {
    let mut whole = Text::new(text);
    let mut changes = Vec::new();
    let mut sids: Vec<String> =
        policy.statements.iter().filter_map(|statement| statement.sid.clone()).collect();
    for of_people in people.iter().rev() {
        let Some(statement) = policy.statements.get(of_people.index) else { continue };
        if !of_people.is_open && !of_people.is_shut && max_age.is_none_or(|age| has_age(statement, age)) {
            continue;
        }
        let Some(root) = whole.root() else { continue };
        let Some((span, separator, is_single)) = find_statement(&whole, &root, of_people.index) else {
            continue;
        };
        let before = whole.slice(span.clone()).to_owned();
        let split = patch_statement(&before, statement, max_age, |sid| sids.iter().any(|other| other == sid));
        let after = match &split.others {
            Some(others) if is_single => format!("[{}, {others}]", split.people),
            Some(others) => format!("{}{separator}{others}", split.people),
            None => split.people,
        };
        if let Some(sid) = split.others.as_ref().and(statement.sid.as_ref()) {
            sids.push(format!("{sid}WithoutMfa"));
        }
        let line = whole.slice(0..span.start).rfind('\n').map_or(0, |at| at + 1);
        let lead = whole.slice(line..span.start).to_owned();
        let lead = if lead.trim().is_empty() { lead } else { String::new() };
        if before != after {
            whole.replace(span, &after);
            let number = of_people.index + 1;
            changes.push(Change {
                statement: number,
                before: format!("{lead}{before}"),
                after: format!("{lead}{after}"),
            });
        }
    }
    changes.reverse();
    (whole.text, changes)
}

/// Returns the range of the statement, the separator after it, and whether it is a single object without a list.
fn find_statement(text: &Text, root: &Node, index: usize) -> Option<(std::ops::Range<usize>, String, bool)> {
    let value = &root.member("Statement")?.value;
    let Kind::Array(items) = &value.kind else { return Some((value.span.clone(), String::new(), true)) };
    let separator = match items.as_slice() {
        [first, second, ..] => text.slice(first.span.end..second.span.start).to_owned(),
        [only] => {
            let lead = text.slice(value.span.start + 1..only.span.start);
            let lead = if lead.contains('\n') || !text.is_spaced() { lead } else { " " };
            format!(",{lead}")
        }
        [] => return None,
    };
    Some((items.get(index)?.span.clone(), separator, false))
}

/// Whether the statement already has a `NumericLessThan` condition with exactly this maximum age, in seconds.
fn has_age(statement: &Statement, seconds: u64) -> bool {
    statement.conditions.iter().any(|condition| {
        is_age(condition)
            && condition.operator.test == Test::Number(Order::Less)
            && !condition.operator.if_exists
            && matches!(condition.values.as_slice(), [only] if only.text == seconds.to_string())
    })
}

fn resolve_effects(policy: &Policy, people: &[PeopleStatement]) -> Effects {
    let mut effects = Effects::default();
    let add = |list: &mut Vec<String>, text: String| {
        if !list.contains(&text) {
            list.push(text);
        }
    };
    for (index, statement) in policy.statements.iter().enumerate() {
        if statement.effect == Effect::Deny {
            continue;
        }
        let of_people = people.iter().find(|of_people| of_people.index == index);
        for principal in principals(statement) {
            let text = describe_principal(principal);
            if !is_people(principal) {
                add(&mut effects.left_alone, text);
            } else if let Some(of_people) = of_people {
                if let Some(rest) = text.strip_prefix("any user or role of ") {
                    add(&mut effects.keeps, format!("any user of {rest}"));
                    if of_people.is_open_to_roles {
                        add(&mut effects.loses, format!("any role of {rest}: a role never has MFA"));
                    }
                } else {
                    add(&mut effects.keeps, text);
                }
            }
        }
    }
    effects
}
