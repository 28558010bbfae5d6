//! The patched policy: which statements change, and when nothing may.

use serde_json::{Map, Value};

use super::condition::ask_for_mfa;
use super::diff::render_diff;
use super::principals::{is_people, keep};
use crate::policy::document::{Effect, Policy, PolicyError, Statement};

/// A trust policy may have so many characters, blanks not counted, unless the account's quota was raised.
const USUAL_LENGTH: usize = 2048;
/// And so many at most.
const MAX_LENGTH: usize = 4096;

/// What is asked for beyond MFA.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// How old the sign-in with MFA may be, in seconds.
    pub max_age: Option<u64>,
}

/// A trust policy and how it asks for MFA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// The patched policy; where nothing is to be done, the policy as it was.
    pub after: String,
    /// What changes, by statement; empty where nothing does.
    pub diff: String,
    /// Who is left alone because they never have MFA, with the number of the statement.
    pub left_alone: Vec<String>,
}

/// Why a policy is not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// AWS takes no trust policy with it.
    #[error("statement {0} allows all but some (`NotPrincipal`), which AWS takes in no trust policy")]
    NotPrincipal(usize),
    /// Only AWS changes such roles.
    #[error("`{0}` is AWS's own role: only AWS changes it")]
    Protected(String),
    /// Nobody who could have MFA is trusted.
    #[error("nobody whom this role trusts can have MFA: {}", .0.join(", "))]
    NobodyWithMfa(Vec<String>),
    /// It would be longer than AWS takes.
    #[error("the policy would have {length} characters, and AWS takes {limit}")]
    TooLong {
        /// Blanks not counted.
        length: usize,
        /// The most.
        limit: usize,
    },
}

/// Patches `trust`, the trust policy of the role `arn`.
///
/// # Errors
/// When a guard refuses: nothing is to be changed then.
pub fn require_mfa(arn: &str, trust: &str, options: Options) -> Result<Patch, Refused> {
    if is_protected(arn) {
        return Err(Refused::Protected(arn.to_owned()));
    }
    let policy = Policy::parse(trust)?;
    let whole: Value = serde_json::from_str(trust.trim_start_matches('\u{feff}')).unwrap_or_default();
    let written = match whole.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(statement) => vec![statement.clone()],
        None => Vec::new(),
    };
    let mut patching = Patching { options, sids: sids(&policy), left_alone: Vec::new(), has_people: false };
    let mut pairs = Vec::new();
    for (number, (statement, json)) in (1..).zip(policy.statements.iter().zip(&written)) {
        pairs.push((json.clone(), patching.patch(number, statement, json)?));
    }
    let Patching { left_alone, has_people, .. } = patching;
    if !has_people && !left_alone.is_empty() {
        return Err(Refused::NobodyWithMfa(left_alone));
    }
    if pairs.iter().all(|(before, after)| matches!(after.as_slice(), [only] if only == before)) {
        return Ok(Patch { after: trust.to_owned(), diff: String::new(), left_alone });
    }
    let diff = render_diff(&pairs);
    let statements: Vec<Value> = pairs.into_iter().flat_map(|(_, after)| after).collect();
    let mut whole = whole;
    if let Some(there) = whole.get_mut("Statement") {
        *there = Value::Array(statements);
    }
    check_length(&whole.to_string(), trust)?;
    Ok(Patch { after: format!("{whole:#}"), diff, left_alone })
}

impl Patch {
    /// Whether anything is to be changed.
    pub fn is_change(&self) -> bool {
        !self.diff.is_empty()
    }
}

/// What is known while the statements are gone through.
struct Patching {
    options: Options,
    sids: Vec<String>,
    left_alone: Vec<String>,
    has_people: bool,
}

impl Patching {
    /// What becomes of a statement: one, or two where it has to be split.
    fn patch(&mut self, number: usize, statement: &Statement, json: &Value) -> Result<Vec<Value>, Refused> {
        let unchanged = vec![json.clone()];
        let (Some(principals), Some(members)) = (&statement.principals, json.as_object()) else {
            return Ok(unchanged);
        };
        if statement.effect == Effect::Deny {
            return Ok(unchanged);
        }
        if principals.is_negated {
            return Err(Refused::NotPrincipal(number));
        }
        let (people, others): (Vec<_>, Vec<_>) =
            principals.entries.iter().partition(|entry| is_people(entry));
        let alone = others.iter().map(|entry| format!("{} (statement {number})", entry.text));
        self.left_alone.extend(alone);
        if people.is_empty() || !covers_assume_role(statement) {
            return Ok(unchanged);
        }
        self.has_people = true;
        let mut with_mfa = members.clone();
        ask_for_mfa(&mut with_mfa, self.options.max_age);
        if others.is_empty() || with_mfa == *members {
            return Ok(vec![Value::Object(with_mfa)]);
        }
        let is_of_people =
            |kind: &str, name: &str| kind == "AWS" && people.iter().any(|entry| entry.text == name);
        let mut rest = members.clone();
        set_principal(&mut with_mfa, is_of_people);
        set_principal(&mut rest, |kind, name| !is_of_people(kind, name));
        if let Some(Value::String(sid)) = rest.get("Sid") {
            let sid = self.new_sid(sid);
            rest.insert("Sid".to_owned(), sid.into());
        }
        Ok(vec![Value::Object(with_mfa), Value::Object(rest)])
    }

    /// A Sid that no statement has: they must differ.
    fn new_sid(&mut self, sid: &str) -> String {
        let mut new = format!("{sid}WithoutMfa");
        while self.sids.contains(&new) {
            new.push('2');
        }
        self.sids.push(new.clone());
        new
    }
}

fn set_principal(statement: &mut Map<String, Value>, is_kept: impl Fn(&str, &str) -> bool) {
    if let Some(principal) = statement.get_mut("Principal") {
        *principal = keep(principal, is_kept);
    }
}

fn sids(policy: &Policy) -> Vec<String> {
    policy.statements.iter().filter_map(|statement| statement.sid.clone()).collect()
}

/// Roles of services and of Identity Center, by the path that AWS alone gives.
fn is_protected(arn: &str) -> bool {
    [":role/aws-service-role/", ":role/aws-reserved/", ":role/AWSReservedSSO_"]
        .iter()
        .any(|part| arn.contains(part))
}

fn check_length(after: &str, before: &str) -> Result<(), Refused> {
    let count = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    // One that is longer than usual shows that the quota was raised.
    let limit = if count(before) > USUAL_LENGTH { MAX_LENGTH } else { USUAL_LENGTH };
    match count(after) {
        length if length > limit => Err(Refused::TooLong { length, limit }),
        _ => Ok(()),
    }
}

fn covers_assume_role(statement: &Statement) -> bool {
    let mut actions = statement.actions.entries.iter();
    actions.any(|action| is_glob_match(&action.text, "sts:AssumeRole")) != statement.actions.is_negated
}

/// Whether `pattern`, with `*` and `?`, takes `text`, small letters being as good as capital ones. At a mismatch
/// the last `*` takes one more character, so no pattern takes long.
fn is_glob_match(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut taken) = (0, 0);
    let mut star = None;
    while let Some(letter) = text.get(taken) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, taken));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(letter) => {
                at += 1;
                taken += 1;
            }
            _ => match star {
                Some((star_at, star_taken)) => {
                    star = Some((star_at, star_taken + 1));
                    (at, taken) = (star_at + 1, star_taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == b'*')
}
