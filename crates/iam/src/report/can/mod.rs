//! Reports whether a caller can assume a role, and if not, why and what would change the answer.

pub(crate) mod remedy;
mod render;
pub(crate) mod rows;

use crate::accounts::Accounts;
use crate::assume::caller::KnownCaller;
use crate::assume::context::Assumptions;
use crate::assume::credentials::Credentials;
use crate::assume::device::any_gives_codes;
use crate::assume::entity::{Entity, EntityKind};
use crate::assume::judge::{Ruling, evaluate_with_gaps, request_of};
use crate::assume::target::Target;
use crate::policy::answer::Answer;
use crate::report::can::remedy::{RefusedStep, Remedy};
use crate::report::can::rows::rows_of;

pub(crate) use render::entity as entity_json;
pub use rows::{Row, RowLayer, Say};

/// Whether the caller sends an MFA code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MfaUse {
    /// Sends a code if the role cannot be assumed without it.
    #[default]
    IfNeeded,
    /// Sends a code.
    With,
    /// Sends no code.
    Without,
}

/// Whether a caller can assume a role.
#[derive(Debug, Clone)]
pub struct Can {
    /// The caller.
    pub caller: Entity,
    /// The role to assume.
    pub role: Entity,
    /// One step for each role on the path, the last for `role`. Steps after a denied one are evaluated too.
    pub steps: Vec<Step>,
    /// The requested use of MFA.
    pub mfa: MfaUse,
}

/// One call of AssumeRole.
#[derive(Debug, Clone)]
pub struct Step {
    /// The caller.
    pub from: Entity,
    /// The role.
    pub to: Entity,
    /// The credentials that sign the call.
    pub credentials: Credentials,
    /// Whether AWS allows the call.
    pub ruling: Ruling,
    /// What each layer says.
    pub rows: Vec<Row>,
    /// The smallest change after which AWS no longer denies the call; `None` if it is not denied, or no change helps.
    pub remedy: Option<Remedy>,
    /// Whether the user has a device that produces codes; `None` if unknown or not a user.
    pub has_device: Option<bool>,
}

/// Evaluates whether `caller` can assume `role` by way of the roles `via`.
pub fn can(
    accounts: &Accounts,
    caller: &Entity,
    via: &[Entity],
    role: &Entity,
    mfa: MfaUse,
    assumptions: &Assumptions,
) -> Can {
    let mut steps = Vec::new();
    let mut from = caller.clone();
    for to in via.iter().chain([role]) {
        let question = Question::new(accounts, &from, to, assumptions);
        steps.extend(question.answer(mfa));
        from = to.clone();
    }
    Can { caller: caller.clone(), role: role.clone(), steps, mfa }
}

impl Can {
    /// Returns the combined answer of all steps.
    pub fn answer(&self) -> Answer {
        Answer::all(self.steps.iter().map(|step| step.ruling.answer.clone()))
    }
}

/// One step, before it is evaluated.
struct Question<'a> {
    accounts: &'a Accounts,
    caller: KnownCaller,
    target: Target,
    assumptions: &'a Assumptions,
}

impl<'a> Question<'a> {
    fn new(accounts: &'a Accounts, from: &Entity, to: &Entity, assumptions: &'a Assumptions) -> Self {
        let caller = KnownCaller::gather(accounts, from);
        let target = Target::gather(accounts, to);
        Self { accounts, caller, target, assumptions }
    }

    fn answer(&self, mfa: MfaUse) -> Option<Step> {
        if self.caller.entity.kind == EntityKind::Role {
            return self.judge(Credentials::RoleSession);
        }
        match mfa {
            MfaUse::Without => self.judge(Credentials::AccessKeys),
            MfaUse::With => self.judge(Credentials::AccessKeysWithMfa),
            MfaUse::IfNeeded => {
                let plain = self.judge(Credentials::AccessKeys)?;
                if plain.ruling.as_known.is_yes() || self.has_device() == Some(false) {
                    return Some(plain);
                }
                let with_code = self.judge(Credentials::AccessKeysWithMfa)?;
                let rank = |step: &Step| (step.ruling.answer.rank(), step.ruling.as_known.rank());
                Some(if rank(&with_code) > rank(&plain) { with_code } else { plain })
            }
        }
    }

    /// Whether the user has a device that produces codes; `None` if unknown.
    fn has_device(&self) -> Option<bool> {
        self.caller.mfa_devices.known().map(|serials| any_gives_codes(serials))
    }

    fn judge(&self, credentials: Credentials) -> Option<Step> {
        let request = request_of(self.accounts, &self.caller, &self.target, credentials, self.assumptions)?;
        let gap = self.target.gap_for(&self.caller.entity);
        let gaps: Vec<_> = self.caller.gaps.iter().chain(&self.target.gaps).chain(&gap).cloned().collect();
        let mut layers = self.caller.layers.clone();
        layers.trust.clone_from(&self.target.trust);
        let ruling = evaluate_with_gaps(&request, &mut layers, &gaps);
        let (accounts, caller, target, assumptions) =
            (self.accounts, &self.caller, &self.target, self.assumptions);
        let refused = RefusedStep { accounts, caller, target, credentials, assumptions, gaps: &gaps };
        Some(Step {
            from: caller.entity.clone(),
            to: target.entity.clone(),
            credentials,
            rows: rows_of(&request, &layers, caller, target, &gaps, credentials),
            remedy: ruling.answer.is_no().then(|| refused.remedy(&layers)).flatten(),
            ruling,
            has_device: self.has_device(),
        })
    }
}
