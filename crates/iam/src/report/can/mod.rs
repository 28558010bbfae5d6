//! Can this caller assume that role, and if not, why not and what would change the answer.

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
    /// If it has to.
    #[default]
    IfNeeded,
    /// Yes.
    With,
    /// No.
    Without,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct Can {
    /// Who asks.
    pub caller: Entity,
    /// The role asked for.
    pub role: Entity,
    /// One for each role on the way, the last for `role`. Steps behind a refused one are judged all the same.
    pub steps: Vec<Step>,
    /// As asked.
    pub mfa: MfaUse,
}

/// One AssumeRole.
#[derive(Debug, Clone)]
pub struct Step {
    /// Who calls.
    pub from: Entity,
    /// The role.
    pub to: Entity,
    /// How the call is signed.
    pub credentials: Credentials,
    /// Whether AWS lets it pass.
    pub ruling: Ruling,
    /// What each layer says.
    pub rows: Vec<Row>,
    /// Of a refusal: the smallest change after which AWS no longer refuses.
    pub remedy: Option<Remedy>,
    /// Of a user: whether a device that gives codes is registered.
    pub has_device: Option<bool>,
}

/// Answers whether `caller` can assume `role`, by way of the roles `via`.
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
    /// The answer to all of its steps.
    pub fn answer(&self) -> Answer {
        Answer::all(self.steps.iter().map(|step| step.ruling.answer.clone()))
    }
}

/// One step, before it is judged.
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

    /// Whether the user has a device that gives codes, where that is known.
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
