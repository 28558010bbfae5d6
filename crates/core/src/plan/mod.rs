//! The credential plan: how a profile's credentials will be obtained, as plain data.
//!
//! [`resolve_plan`] follows a profile to its base identity, decides between GetSessionToken and a direct AssumeRole
//! (see the table in [`session`]), and checks every duration. [`explain`] describes the result. Nothing is obtained
//! here.

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

/// How the credentials of `profile` will be obtained: a base identity, and steps that are each signed with the result
/// of the one before. It depends on the [`Purpose`], and is not changed after it was resolved.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The profile that the user named.
    pub profile: ProfileName,
    /// The base identity.
    pub base: Base,
    /// The calls after the base, in order; empty if the credentials of the base are handed over.
    pub steps: Vec<Step>,
    /// The region of the named profile, used for STS and handed over.
    pub region: Option<Sourced<Region>>,
    /// The STS endpoint of the named profile, used for every step.
    pub endpoint: Endpoint,
    /// `aws_account_id` of the profile that the plan starts from, if set.
    pub account_id: Option<Sourced<AccountId>>,
    /// The coding agent that runs hatbox, if hatbox looked for one: the command of the base may return different
    /// credentials to an agent.
    pub agent: Option<Agent>,
    /// The guard on the use of the credentials.
    pub guard: Option<Box<Guard>>,
    /// Facts that the user should know, such as caps on durations and ignored keys.
    pub notes: Vec<Note>,
}

/// A part of a plan that obtains credentials, ordered as the plan runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The base identity.
    Base,
    /// The step with this index.
    Step(usize),
}

impl Plan {
    /// Returns the stages in the order in which they run. The last one obtains the credentials that are handed over.
    pub fn stages(&self) -> impl DoubleEndedIterator<Item = Stage> + use<> {
        std::iter::once(Stage::Base).chain((0..self.steps.len()).map(Stage::Step))
    }

    /// Returns the stage that obtains the credentials that are handed over.
    pub fn last_stage(&self) -> Stage {
        self.steps.len().checked_sub(1).map_or(Stage::Base, Stage::Step)
    }

    /// Returns the account of the credentials that are handed over: that of the last role, or of a profile that sets
    /// it. Otherwise, the account of an access key is unknown without a call.
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

    /// Returns the role of the credentials that are handed over: its ARN, or the name of a permission set.
    pub fn role(&self) -> Option<&str> {
        match (self.steps.last(), &self.base) {
            (Some(Step::AssumeRole(step)), _) => Some(step.role.value.as_str()),
            (None, Base::WebIdentity { role, .. }) => Some(role.value.as_str()),
            (None, Base::Sso { role_name, .. }) => Some(role_name.value.as_str()),
            (Some(Step::GetSessionToken(_) | Step::GetFederationToken(_)) | None, _) => None,
        }
    }

    /// Returns the profile that a stage belongs to.
    pub fn stage_profile(&self, stage: Stage) -> Option<&ProfileName> {
        match stage {
            Stage::Base => Some(self.base.profile()),
            Stage::Step(index) => self.steps.get(index).map(Step::profile),
        }
    }

    /// Returns the call of a stage; `None` for a key that needs no call.
    pub fn stage_call(&self, stage: Stage) -> Option<Call> {
        match stage {
            Stage::Base => self.base.call(),
            Stage::Step(index) => self.steps.get(index).map(Step::call),
        }
    }

    /// Whether the result of a stage is cached.
    pub fn is_saved(&self, stage: Stage) -> bool {
        match stage {
            Stage::Base => self.base.is_saved(),
            Stage::Step(index) => self.steps.get(index).is_some(),
        }
    }

    /// Returns the duration that a stage requests, after its cap; `None` if its call takes none.
    pub fn stage_duration(&self, stage: Stage) -> Option<Duration> {
        match (stage, &self.base) {
            (Stage::Base, Base::WebIdentity { duration, .. }) => Some(duration.value),
            (Stage::Base, _) => None,
            (Stage::Step(index), _) => self.steps.get(index).map(|step| step.duration().value),
        }
    }

    /// Returns the device if the call of a stage itself uses an MFA code.
    pub fn stage_mfa(&self, stage: Stage) -> Option<&Mfa> {
        match stage {
            Stage::Base => None,
            Stage::Step(index) => self.steps.get(index).and_then(Step::mfa),
        }
    }

    /// Whether a long-lived key is handed over, without session token and expiry.
    pub fn hands_over_long_lived_key(&self) -> bool {
        self.steps.is_empty() && self.base.signer() == Signer::LongLivedKey
    }
}
