//! The commands that a profile names: run by the shell, without hatbox's secrets, and never for the profile that hatbox
//! resolves for them.

use std::ffi::OsString;
use std::time::Duration;

use hatbox_core::config::profile::Sourced;
use hatbox_core::handover::is_store_secret;
use hatbox_types::name::ProfileName;
use zeroize::Zeroizing;

use super::plan::Planned;
use crate::ask::helper::run_helper;
use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::world::World;
use crate::world::environment::with_absolute_path;

/// A command of a profile, to be run.
#[derive(Clone, Copy)]
pub(super) struct ProfileCommand<'a> {
    /// Its key in the file.
    pub(super) key: &'static str,
    pub(super) profile: &'a ProfileName,
    pub(super) command: &'a Sourced<String>,
    pub(super) timeout: Duration,
    /// What is wrong when it gives nothing: "`mfa_process` returned no MFA code".
    pub(super) headline: &'a str,
}

impl ProfileCommand<'_> {
    /// Runs it and returns what it printed.
    ///
    /// # Errors
    /// Also where its file can be written by others.
    pub(super) fn run(self, planned: &Planned) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let Planned { world, files, .. } = planned;
        files.check_command_origin(&self.command.origin)?;
        let name = format!("`{}` of profile `{}`", self.key, self.profile);
        let environment = helper_environment(world, self.profile);
        run_helper(name, &self.command.value, &environment, self.timeout)
            .map_err(|error| Failure::new(FailureKind::Failed, self.headline).caused_by(&error).shared())
    }
}

/// What a helper gets: all that the user has, without what opens stores, and the name of the profile
/// that it works for, so that it cannot ask hatbox for the same one.
pub(super) fn helper_environment(world: &World, profile: &ProfileName) -> Vec<(OsString, OsString)> {
    let resolving = match world.environment.text(env_names::RESOLVING) {
        Some(before) => format!("{before}\n{profile}"),
        None => profile.to_string(),
    };
    world
        .environment
        .variables()
        .iter()
        .filter(|(name, _)| name.to_str().is_none_or(|n| !is_store_secret(n) && n != env_names::RESOLVING))
        .cloned()
        .map(with_absolute_path)
        .chain([(env_names::RESOLVING.into(), resolving.into())])
        .collect()
}
