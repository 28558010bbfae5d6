//! Replaces this process with the command, with the credentials in its environment.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use hatbox_core::handover::{
    EnvChange, Handover, ServerHandover, resolve_env_change, resolve_server_env_change,
};

use super::expiry::warn_of_expiry;
use crate::errors::{Failure, FailureKind};
use crate::sys::exec::{exec, find_program};
use crate::sys::keyring::join_new_session;
use crate::world::World;
use crate::world::environment::Environment;

/// The session keyring of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyring {
    /// The one that hatbox received.
    AsReceived,
    /// A new, empty one.
    OfItsOwn,
}

/// Replaces this process with `command`. Returns only if the command could not be started.
pub(crate) fn exec_command(
    world: &World,
    handover: Handover<'_>,
    keyring: Keyring,
    command: &[OsString],
) -> Result<Infallible, Failure> {
    warn_of_expiry(world, handover, command);
    exec_in(world, &child_environment(world, handover), keyring, command)
}

/// Does the same for a command that asks a credential server.
pub(crate) fn exec_command_with_server(
    world: &World,
    handover: ServerHandover<'_>,
    keyring: Keyring,
    command: &[OsString],
) -> Result<Infallible, Failure> {
    let change = resolve_server_env_change(handover, inherited(&world.environment));
    exec_in(world, &changed(&world.environment, &change), keyring, command)
}

fn exec_in(
    world: &World,
    environment: &[(OsString, OsString)],
    keyring: Keyring,
    command: &[OsString],
) -> Result<Infallible, Failure> {
    let path = find_command(world, command)?;
    if keyring == Keyring::OfItsOwn {
        join_new_session().map_err(|error| no_keyring(&error))?;
    }
    world.output.debug(|| format!("starting `{}`", path.display()));
    exec(&path, command, environment, world.received).map_err(Failure::from)
}

pub(super) fn no_keyring(error: &std::io::Error) -> Failure {
    Failure::new(FailureKind::Failed, "could not create a session keyring for the command").caused_by(error).hint(
        "the kernel keyring is denied here, so nothing is kept in it: leave out --isolate and `isolate_child`",
    )
}

/// Finds the program of a command.
pub(crate) fn find_command(world: &World, command: &[OsString]) -> Result<PathBuf, Failure> {
    let (program, _) =
        command.split_first().ok_or_else(|| Failure::new(FailureKind::Usage, "no command is given"))?;
    Ok(find_program(program, world.environment.raw("PATH"))?)
}

/// Returns the environment of a command that gets these credentials.
pub(crate) fn child_environment(world: &World, handover: Handover<'_>) -> Vec<(OsString, OsString)> {
    let change = resolve_env_change(handover, inherited(&world.environment));
    changed(&world.environment, &change)
}

/// Returns the variables that the command inherits. hatbox sets only UTF-8 values, so others need no check.
fn inherited(environment: &Environment) -> impl Iterator<Item = (&str, &str)> + Clone {
    let variables = environment.variables().iter();
    variables.filter_map(|(name, value)| Some((name.to_str()?, value.to_str().unwrap_or("?"))))
}

fn changed(environment: &Environment, change: &EnvChange) -> Vec<(OsString, OsString)> {
    let is_replaced = |name: &OsStr| {
        name.to_str().is_some_and(|name| {
            change.remove.iter().any(|removed| removed == name)
                || change.set.iter().any(|(set, _)| *set == name)
        })
    };
    environment
        .variables()
        .iter()
        .filter(|(name, _)| !is_replaced(name))
        .cloned()
        .chain(change.set.iter().map(|(name, value)| ((*name).into(), value.expose().into())))
        .collect()
}
