//! Asks STS whom credentials belong to.

use hatbox_core::plan::Plan;
use hatbox_types::name::ProfileName;
use hatbox_types::partition::Partition;
use hatbox_types::secret::AccessKey;

use super::service::{check_sandbox, resolve_sts_settings};
use super::step::open_sts;
use crate::aws::client::{Sending, Signer};
use crate::aws::sts_error::{NetworkProblem, StsProblem};
use crate::errors::Failure;
use crate::world::World;

/// STS's answer about credentials.
#[derive(Debug)]
pub(crate) enum Caller {
    /// The ARN that they belong to.
    Known(String),
    /// AWS does not know the access key, or its secret is wrong; with AWS's message.
    BadKey(String),
    /// The call could not be made, or its answer names no ARN; with the reason.
    Unknown(String),
    /// STS did not answer; with the reason.
    Unreachable(String),
}

/// Asks STS whom `key` belongs to, with the STS settings of `plan`.
pub(crate) fn fetch_key_owner(world: &World, plan: &Plan, profile: &ProfileName, key: &AccessKey) -> Caller {
    fetch_caller(world, plan, profile, &Signer::Key(key.clone()))
}

/// Asks STS whom `signer` belongs to, with the STS settings of `plan`.
pub(crate) fn fetch_caller(world: &World, plan: &Plan, profile: &ProfileName, signer: &Signer) -> Caller {
    let unknown = |failure: Failure| {
        let causes = failure.causes.iter().map(|cause| format!(": {cause}"));
        Caller::Unknown([failure.error].into_iter().chain(causes).collect())
    };
    let client = check_sandbox(&world.environment, signer.access_key_id(), profile)
        .and_then(|()| resolve_sts_settings(plan, Partition::Aws, &world.environment))
        .and_then(|settings| {
            world.announce_endpoint("STS", settings.endpoint.as_ref());
            open_sts(world, &settings, signer, Sending::Once)
        });
    match client.map(|client| client.fetch_caller()) {
        Err(failure) => unknown(failure),
        Ok(Ok(arn)) => Caller::Known(arn),
        Ok(Err(error)) if error.is_bad_key() => Caller::BadKey(error.text),
        Ok(Err(error)) => match error.problem {
            StsProblem::Network(
                NetworkProblem::Unreachable | NetworkProblem::NoAnswer | NetworkProblem::Proxy(_),
            ) => Caller::Unreachable(error.text),
            _ => Caller::Unknown(error.text),
        },
    }
}
