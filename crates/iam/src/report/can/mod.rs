//! Can this caller put on that role, and if not, why and what would turn it.

pub(crate) mod remedy;
mod render;
pub(crate) mod rows;

use crate::accounts::{Accounts, Fact};
use crate::assume::caller::Caller;
use crate::assume::entity::{Entity, EntityKind};
use crate::assume::judge::{Target, evaluate_with_gaps, request_of};
use crate::policy::evaluate::Decision;
use crate::report::can::remedy::{RefusedStep, Remedy, hangs_on};
use crate::report::can::rows::rows_of;

pub use crate::assume::context::{Assumptions, Signing};
pub use crate::report::can::rows::Row;
pub(crate) use render::entity as entity_json;

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

/// Yes, no, or not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Certainly not.
    No,
    /// A fact is missing that the answer hangs on.
    Unknown,
    /// Certainly.
    Yes,
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
    pub signing: Signing,
    /// Whether AWS lets it pass.
    pub verdict: Verdict,
    /// What it would be by what is known alone.
    pub as_known: Verdict,
    /// What each layer says.
    pub rows: Vec<Row>,
    /// What the answer hangs on, where it is not known.
    pub unless: Vec<String>,
    /// Of a refusal: the smallest change that turns it.
    pub remedy: Option<Remedy>,
    /// Of a user: whether a device that gives codes is registered.
    pub has_device: Fact<bool>,
}

/// Answers whether `caller` can become `role`, by way of the roles `via`.
pub fn can(
    accounts: &Accounts,
    caller: &Entity,
    via: &[Entity],
    role: &Entity,
    mfa: MfaUse,
    given: &Assumptions,
) -> Can {
    let mut steps = Vec::new();
    let mut from = caller.clone();
    for to in via.iter().chain([role]) {
        let question = Question::new(accounts, &from, to, given);
        steps.extend(question.answer(mfa));
        from = to.clone();
    }
    Can { caller: caller.clone(), role: role.clone(), steps, mfa }
}

impl Can {
    /// The worst of its steps.
    pub fn verdict(&self) -> Verdict {
        self.steps.iter().map(|step| step.verdict).min().unwrap_or(Verdict::Unknown)
    }
}

/// One step, before it is judged.
struct Question<'a> {
    accounts: &'a Accounts,
    caller: Caller,
    target: Target,
    given: &'a Assumptions,
}

impl<'a> Question<'a> {
    fn new(accounts: &'a Accounts, from: &Entity, to: &Entity, given: &'a Assumptions) -> Self {
        let caller = Caller::gather(accounts, from);
        let target = Target::gather(accounts, to);
        Self { accounts, caller, target, given }
    }

    fn answer(&self, mfa: MfaUse) -> Option<Step> {
        if self.caller.entity.kind == EntityKind::Role {
            return self.judge(Signing::RoleSession);
        }
        match mfa {
            MfaUse::Without => self.judge(Signing::AccessKeys),
            MfaUse::With => self.judge(Signing::WithMfaCode),
            MfaUse::IfNeeded => {
                let plain = self.judge(Signing::AccessKeys)?;
                if plain.as_known == Verdict::Yes || self.has_device() == Fact::Known(false) {
                    return Some(plain);
                }
                let with_code = self.judge(Signing::WithMfaCode)?;
                let is_better = (with_code.verdict, with_code.as_known) > (plain.verdict, plain.as_known);
                Some(if is_better { with_code } else { plain })
            }
        }
    }

    fn judge(&self, signing: Signing) -> Option<Step> {
        let request = request_of(self.accounts, &self.caller, &self.target, signing, self.given)?;
        let gap = self.target.gap_for(&self.caller.entity);
        let gaps: Vec<_> = self.caller.gaps.iter().chain(&self.target.gaps).chain(&gap).cloned().collect();
        let mut layers = self.caller.layers.clone();
        layers.trust.clone_from(&self.target.trust);
        let ruling = evaluate_with_gaps(&request, &mut layers, &gaps);
        let (accounts, caller, target, given) = (self.accounts, &self.caller, &self.target, self.given);
        let refused = RefusedStep { accounts, caller, target, signing, given, gaps: &gaps };
        Some(Step {
            from: caller.entity.clone(),
            to: target.entity.clone(),
            signing,
            verdict: verdict_of(&ruling.decision),
            as_known: verdict_of(&ruling.as_known),
            rows: rows_of(&request, &layers, caller, target, &gaps, signing),
            unless: hangs_on(&ruling, &gaps),
            remedy: ruling.is_no().then(|| refused.remedy(&layers)).flatten(),
            has_device: self.has_device(),
        })
    }

    /// Passkeys give no code that AssumeRole takes.
    fn has_device(&self) -> Fact<bool> {
        match &self.caller.mfa_devices {
            Fact::Known(serials) => Fact::Known(serials.iter().any(|serial| gives_codes(serial))),
            Fact::UntilApply => Fact::UntilApply,
            Fact::NotGiven => Fact::NotGiven,
        }
    }
}

/// Whether a device gives codes: `arn:aws:iam::A:u2f/...` is a passkey.
pub(crate) fn gives_codes(serial: &str) -> bool {
    !serial.contains(":u2f/")
}

pub(crate) fn verdict_of(decision: &Decision) -> Verdict {
    match decision {
        Decision::Allow => Verdict::Yes,
        Decision::Deny { .. } => Verdict::No,
        Decision::Unknown { .. } => Verdict::Unknown,
    }
}
