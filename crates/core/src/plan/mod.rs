//! The credential plan: how a profile's credentials will be obtained, as plain data.
//!
//! [`resolve_plan`] walks from a profile to its base identity, decides between GetSessionToken and a direct
//! AssumeRole ([`session`] has the table), and checks every length. [`explain`] puts the result into words.
//! Nothing here obtains anything.

mod agent;
mod base;
mod calls;
mod chain;
pub(crate) mod command;
mod error;
pub mod explain;
mod guard;
mod identity;
mod input;
mod last_role;
mod length;
mod narrow;
mod note;
mod resolve;
mod sdk;
pub mod session;
mod step;

use std::time::Duration;

use crate::config::guard::Guard;
use crate::config::profile::{Endpoint, Sourced};
use hatbox_types::name::{AccountId, ProfileName, Region};

pub use agent::{Agent, find_agent};
pub use base::{Base, MetadataService, Signer};
pub use command::VALUE_FLAGS;
pub use error::PlanError;
pub use input::{Agents, Ambient, CHAIN_LIMIT, Lookup, PlanOptions, Purpose, Sessions, StoredKeys};
pub use last_role::LastRole;
pub use note::{MfaUnused, Note, NoteLevel};
pub use resolve::resolve_plan;
pub use sdk::Sdk;
pub use step::{
    AssumeRole, Call, Cap, CapReason, GetFederationToken, GetSessionToken, Mfa, SessionPolicies, Step,
};

/// How the credentials of `profile` will be obtained: a base identity, then steps, each signed by what
/// the one before gave. What it is for went into it ([`Purpose`]): a plan is not changed afterwards.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The profile that was asked for.
    pub profile: ProfileName,
    /// Where it starts.
    pub base: Base,
    /// What is done from there, in order; empty when the base itself is handed over.
    pub steps: Vec<Step>,
    /// The region handed to the child and used for STS: that of the profile asked for.
    pub region: Option<Sourced<Region>>,
    /// Where STS is, for every step: as the profile asked for says.
    pub endpoint: Endpoint,
    /// `aws_account_id` of the profile whose own credentials the plan starts from, where that says it.
    pub account_id: Option<Sourced<AccountId>>,
    /// The coding agent for which a command of the base runs, once anyone looked: the command may give it other
    /// credentials than a person.
    pub agent: Option<Agent>,
    /// What guards the use of what is handed over.
    pub guard: Option<Box<Guard>>,
    /// What a person should know although it is no error: caps that shorten, keys that lose, ...
    pub notes: Vec<Note>,
}

/// One thing in a plan that gives credentials. Ordered as the plan runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The base identity.
    Base,
    /// The step with this index.
    Step(usize),
}

impl Plan {
    /// The stages in the order in which they run; the last one gives what is handed over.
    pub fn stages(&self) -> impl DoubleEndedIterator<Item = Stage> + use<> {
        std::iter::once(Stage::Base).chain((0..self.steps.len()).map(Stage::Step))
    }

    /// The stage that gives what is handed over.
    pub fn last_stage(&self) -> Stage {
        self.steps.len().checked_sub(1).map_or(Stage::Base, Stage::Step)
    }

    /// The account of what is handed over, where the plan says which it is: that of the last role. The account of an
    /// access key and of its sessions is not known without a call, unless the profile says it.
    pub fn account(&self) -> Option<&str> {
        let in_base = || match &self.base {
            Base::WebIdentity { role, .. } => Some(role.value.account()),
            Base::Sso { account_id, .. } => {
                Some(account_id.value.as_str()).filter(|account| AccountId::parse(account).is_ok())
            }
            _ => self.account_id.as_ref().map(|said| said.value.as_str()),
        };
        match self.steps.last() {
            Some(Step::AssumeRole(step)) => Some(step.role.value.account()),
            Some(Step::GetSessionToken(_) | Step::GetFederationToken(_)) | None => in_base(),
        }
    }

    /// The role of what is handed over: its ARN, or the name of a permission set of Identity Center.
    pub fn role(&self) -> Option<&str> {
        match (self.steps.last(), &self.base) {
            (Some(Step::AssumeRole(step)), _) => Some(step.role.value.as_str()),
            (None, Base::WebIdentity { role, .. }) => Some(role.value.as_str()),
            (None, Base::Sso { role_name, .. }) => Some(role_name.value.as_str()),
            (Some(Step::GetSessionToken(_) | Step::GetFederationToken(_)) | None, _) => None,
        }
    }

    /// The profile that a stage belongs to.
    pub fn stage_profile(&self, stage: Stage) -> Option<&ProfileName> {
        match stage {
            Stage::Base => Some(self.base.profile()),
            Stage::Step(index) => self.steps.get(index).map(Step::profile),
        }
    }

    /// What a stage calls to get credentials; `None` for a key that is simply there.
    pub fn stage_call(&self, stage: Stage) -> Option<Call> {
        match stage {
            Stage::Base => self.base.call(),
            Stage::Step(index) => self.steps.get(index).map(Step::call),
        }
    }

    /// Whether what a stage gives is saved.
    pub fn is_saved(&self, stage: Stage) -> bool {
        match stage {
            Stage::Base => self.base.is_saved(),
            Stage::Step(index) => self.steps.get(index).is_some(),
        }
    }

    /// The length that a stage asks for, its cap applied; `None` where its call takes none.
    pub fn stage_duration(&self, stage: Stage) -> Option<Duration> {
        match (stage, &self.base) {
            (Stage::Base, Base::WebIdentity { duration, .. }) => Some(duration.value),
            (Stage::Base, _) => None,
            (Stage::Step(index), _) => self.steps.get(index).map(|step| step.duration().value),
        }
    }

    /// The device that the call of a stage itself presents a code of.
    pub fn stage_mfa(&self, stage: Stage) -> Option<&Mfa> {
        match stage {
            Stage::Base => None,
            Stage::Step(index) => self.steps.get(index).and_then(Step::mfa),
        }
    }

    /// Whether what is handed over is a long-lived key, with no session token and no end.
    pub fn hands_over_long_lived_key(&self) -> bool {
        self.steps.is_empty() && self.base.signer() == Signer::LongLivedKey
    }
}
