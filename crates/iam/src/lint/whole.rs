//! What the rules about one statement ask of all the others, found once for each policy.

use super::limits::denies_all_but_some;
use crate::policy::document::{Effect, Policy, Statement};
use crate::policy::variable::Version;

/// The actions by which a caller assumes a role.
pub(super) const ASSUMING: [&str; 3] =
    ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"];

/// The actions that a call includes when it sends session tags or a source identity.
const SENDING: [&str; 2] = ["sts:TagSession", "sts:SetSourceIdentity"];

/// A policy as the rules about one of its statements look at it.
pub(super) struct Whole<'p> {
    pub(super) version: Version,
    /// The statements with `Deny`: they may deny what any other statement allows.
    pub(super) denies: Vec<&'p Statement>,
    /// Those of [`SENDING`] that a statement allows, whatever its conditions.
    sendable: Vec<&'static str>,
    /// Those of [`ASSUMING`] that a Deny denies to all but known accounts.
    limited: Vec<&'static str>,
}

impl<'p> Whole<'p> {
    pub(super) fn of(policy: &'p Policy) -> Self {
        let statements = || policy.statements.iter();
        let denies: Vec<_> = statements().filter(|statement| statement.effect == Effect::Deny).collect();
        let allows = |action: &&str| {
            statements().any(|statement| statement.effect == Effect::Allow && statement.covers_action(action))
        };
        let is_limited = |action: &&str| denies.iter().any(|deny| denies_all_but_some(deny, action));
        Self {
            version: policy.version,
            sendable: SENDING.into_iter().filter(allows).collect(),
            limited: ASSUMING.into_iter().filter(is_limited).collect(),
            denies,
        }
    }

    /// Whether a caller who sends what `action` of [`SENDING`] is about may be allowed to.
    pub(super) fn can_send(&self, action: &str) -> bool {
        self.sendable.contains(&action)
    }

    /// Whether a Deny limits `action` of [`ASSUMING`] to known accounts.
    pub(super) fn is_limited(&self, action: &str) -> bool {
        self.limited.contains(&action)
    }
}
