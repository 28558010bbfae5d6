//! From flags to credentials: what `exec` and `export` have in common, the table of the architecture read
//! aloud.

use hatbox_core::handover::{Credentials, Handover};
#[cfg(feature = "trust")]
use hatbox_core::plan::Base;
use hatbox_core::plan::Plan;
use hatbox_types::name::ProfileName;

use crate::args::{GlobalArgs, SessionArgs};
use crate::ask::passphrase::Interaction;
use crate::credentials::last_failure::save_last_failure;
use crate::credentials::plan as planning;
use crate::credentials::request::{SessionRequest, resolve_profile_name, resolve_session};
use crate::credentials::run::{Fetching, fetch_credentials};
use crate::errors::Failure;
#[cfg(feature = "trust")]
use crate::errors::FailureKind;
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::keys::KeyStore;
use crate::store::index::Index;
use crate::world::World;

/// Credentials, and what goes with them.
#[derive(Debug)]
pub(crate) struct Obtained {
    pub(crate) profile: ProfileName,
    pub(crate) plan: Plan,
    pub(crate) credentials: Credentials,
}

/// Obtains the credentials of the profile that `argument`, else `AWS_PROFILE`, names. Why that failed is kept
/// for `hatbox why`.
pub(crate) fn obtain(
    world: &World,
    global: &GlobalArgs,
    session: &SessionArgs,
    argument: Option<&str>,
) -> Result<Obtained, Failure> {
    obtain_by(world, global, session, argument, planning::resolve)
}

/// Obtains credentials that IAM takes.
#[cfg(feature = "trust")]
pub(crate) fn obtain_for_iam(
    world: &World,
    global: &GlobalArgs,
    session: &SessionArgs,
    argument: Option<&str>,
) -> Result<Obtained, Failure> {
    obtain_by(world, global, session, argument, planning::resolve_for_iam)
}

/// Obtains credentials anew, straight from the access key, with no MFA code sent.
#[cfg(feature = "trust")]
pub(crate) fn obtain_without_mfa(
    world: &World,
    global: &GlobalArgs,
    profile: &ProfileName,
) -> Result<Obtained, Failure> {
    let anew = SessionArgs { fresh: true, no_session: true, ..SessionArgs::default() };
    obtain_profile(world, global, &anew, profile.clone(), planning::resolve_without_mfa)
}

/// The credentials that the chain of `profile` starts from, obtained without a question to anybody; `None` where
/// the store is locked.
#[cfg(feature = "trust")]
pub(crate) fn obtain_base(
    world: &World,
    global: &GlobalArgs,
    profile: &ProfileName,
) -> Result<Option<Obtained>, Failure> {
    let request = resolve_session(global, &SessionArgs::default(), &world.environment)?;
    let mut secrets = KeyStore::open(world, global)?;
    let files = load_config(world)?;
    let index = secrets.index_if_known()?;
    let mut plan = planning::resolve_quietly(world, &files, &request, index.as_ref(), profile)?;
    plan.steps.clear();
    // The index may be known where the key is not.
    let is_stored = matches!(plan.base, Base::StoredKey { .. });
    if is_stored && (index.is_none() || secrets.count_if_known()?.is_none()) {
        return Ok(None);
    }
    if plan.base.call().is_some() {
        return Err(Failure::new(
            FailureKind::Failed,
            format!("the credentials behind `{profile}` are not to be had without a call of their own"),
        ));
    }
    let settings = world.settings()?;
    let mut fetching = Fetching { world, settings, secrets: &mut secrets, files: &files, request: &request };
    let credentials = fetch_credentials(&mut fetching, &plan)?;
    Ok(Some(Obtained { profile: profile.clone(), plan, credentials }))
}

type Resolve =
    fn(&World, &ConfigFiles, &SessionRequest, Option<&Index>, &ProfileName) -> Result<Plan, Failure>;

fn obtain_by(
    world: &World,
    global: &GlobalArgs,
    session: &SessionArgs,
    argument: Option<&str>,
    resolve: Resolve,
) -> Result<Obtained, Failure> {
    let profile = resolve_profile_name(argument, &world.environment)?;
    let result = obtain_profile(world, global, session, profile.clone(), resolve);
    if let Err(failure) = &result {
        save_last_failure(world, global, &profile, failure);
    }
    result
}

fn obtain_profile(
    world: &World,
    global: &GlobalArgs,
    session: &SessionArgs,
    profile: ProfileName,
    resolve: Resolve,
) -> Result<Obtained, Failure> {
    let request = resolve_session(global, session, &world.environment)?;
    let mut secrets = KeyStore::open(world, global)?;
    let files = load_config(world)?;
    let index = secrets.index(Interaction::Allowed)?;
    let plan = resolve(world, &files, &request, Some(&index), &profile)?;
    planning::say_notes(world, &files, &plan);
    let settings = world.settings()?;
    let mut fetching = Fetching { world, settings, secrets: &mut secrets, files: &files, request: &request };
    let credentials = fetch_credentials(&mut fetching, &plan)?;
    Ok(Obtained { profile, plan, credentials })
}

impl Obtained {
    /// What is handed over.
    pub(crate) fn handover(&self) -> Handover<'_> {
        Handover {
            profile: &self.profile,
            credentials: &self.credentials,
            account: self.plan.account(),
            region: self.plan.region.as_ref().map(|region| &region.value),
            endpoint_url: self.plan.endpoint.url.as_ref().map(|url| url.value.as_str()),
        }
    }
}
