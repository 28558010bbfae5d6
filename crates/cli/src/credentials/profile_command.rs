//! Runs the commands that a profile names: with the shell, without hatbox's secrets, and never for the profile that
//! hatbox is resolving for that command.

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

/// A command named by a profile.
#[derive(Clone, Copy)]
pub(super) struct ProfileCommand<'a> {
    /// The key that names it in the config.
    pub(super) key: &'static str,
    pub(super) profile: &'a ProfileName,
    pub(super) command: &'a Sourced<String>,
    pub(super) timeout: Duration,
    /// The error if it prints nothing: "`mfa_process` returned no MFA code".
    pub(super) headline: &'a str,
}

impl ProfileCommand<'_> {
    /// Runs the command and returns its output.
    ///
    /// # Errors
    /// If the command fails, or another user can write to the file that names it.
    pub(super) fn run(self, planned: &Planned) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let Planned { world, files, .. } = planned;
        files.check_command_origin(&self.command.origin)?;
        let name = format!("`{}` of profile `{}`", self.key, self.profile);
        let environment = helper_environment(world, self.profile);
        run_helper(name, &self.command.value, &environment, self.timeout)
            .map_err(|error| Failure::new(FailureKind::Failed, self.headline).caused_by(&error).shared())
    }
}

/// Returns the environment of a helper: the user's, without anything that opens a store, and with the name of the
/// profile that the helper works for, so that it cannot ask hatbox for the same profile.
pub(crate) fn helper_environment(world: &World, profile: &ProfileName) -> Vec<(OsString, OsString)> {
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
