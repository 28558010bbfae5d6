//! Picks the profile for a command that names none: the one in the project's file, or one that the user picks from a
//! list.

use std::io::IsTerminal;

use hatbox_core::config::files::Config;
use hatbox_core::config::outline::ProfileOutline;
use hatbox_core::plan::find_agent;
use hatbox_types::name::ProfileName;
use hatbox_types::text::shell::quote_word;

use super::guard::Exit;
use super::plan::resolve_role;
use super::request::resolve_profile_name;
use crate::args::SessionArgs;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::{ConfigFiles, load_readable_config};
use crate::files::chosen_profiles::{ChosenProfiles, save_choice};
use crate::files::project::{Permission, ProjectFile, find_project_file};
use crate::prompt::PromptError;
use crate::prompt::picker::{Choice, Row};
use crate::sys::files::UPDATE_HINT;
use crate::world::World;

/// What a profile is chosen for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ChosenFor<'a> {
    /// Its credentials are handed over.
    Handover(Exit<'a>),
    /// `explain` shows how they would be obtained.
    Explain,
}

/// Returns the profile that `argument`, else `AWS_PROFILE`, names; if neither does, the one that the user picks.
///
/// # Errors
/// If no profile is named, and there is no one to ask or the user picked none.
pub(crate) fn name_or_choose(
    world: &World,
    session: &SessionArgs,
    argument: Option<&str>,
    chosen_for: ChosenFor<'_>,
) -> Result<ProfileName, Failure> {
    if argument.is_some() || world.environment.text("AWS_PROFILE").is_some() {
        resolve_profile_name(argument, &world.environment)
    } else {
        choose_profile(world, session, chosen_for)
    }
}

/// Finds a profile if neither an argument nor AWS_PROFILE names one. With `--role-arn`, `default` is enough: if the machine
/// has an identity, `default` need not be in the config.
///
/// # Errors
/// If there is no one to ask, or the user picked none.
pub(super) fn choose_profile(
    world: &World,
    session: &SessionArgs,
    chosen_for: ChosenFor<'_>,
) -> Result<ProfileName, Failure> {
    let fallback = session.role_arn.as_ref().map(|_| "default");
    let none = || resolve_profile_name(fallback, &world.environment);
    // An SDK that runs hatbox as `credential_process` may have a terminal too, but it captures stderr.
    if !std::io::stderr().is_terminal() || !world.has_terminal() {
        return none();
    }
    // A coding agent may have a terminal but cannot use a list; it has to name the profile.
    if find_agent(|name| world.environment.text(name)).is_some() {
        return none();
    }
    let (files, _) = load_readable_config(world)?;
    if matches!(chosen_for, ChosenFor::Handover(Exit::Command(_) | Exit::Shell) | ChosenFor::Explain)
        && let Some(profile) = find_in_project(world, &files)
    {
        return Ok(profile);
    }
    let outlines = ordered(world, &files.config);
    if outlines.is_empty() {
        return none();
    }
    let timeout = world.settings()?.prompt_timeout();
    let rows: Vec<Row> = outlines.iter().map(row_of).collect();
    let choice = Choice { what: "Profile", rows: &rows, timeout };
    let profile = match world.prompter().pick(&choice) {
        Ok(index) => outlines.into_iter().nth(index).map(|outline| outline.name).ok_or_else(cancelled)?,
        Err(PromptError::Cancelled) => return Err(cancelled()),
        Err(PromptError::NoTerminal) => return none(),
        Err(error) => return none().map_err(|failure| failure.caused_by(&error)),
    };
    // What is remembered only affects the order of the list.
    if let Err(failure) = save_choice(world, profile.as_str()) {
        world.output.debug(|| format!("the choice is not remembered: {}", failure.error));
    }
    world.output.note(&format!("next time: {}", command_of(chosen_for, &profile)));
    Ok(profile)
}

fn cancelled() -> Failure {
    Failure::new(FailureKind::Cancelled, "cancelled")
}

/// The command that uses the profile without showing the list.
fn command_of(chosen_for: ChosenFor<'_>, profile: &ProfileName) -> String {
    let name = quote_word(profile.as_str());
    let ChosenFor::Handover(exit) = chosen_for else { return format!("hatbox explain {name}") };
    match exit {
        Exit::Command([]) => format!("hatbox exec {name}"),
        Exit::Command(_) => format!("hatbox exec {name} -- COMMAND"),
        Exit::Export => format!("hatbox export {name}"),
        Exit::Console => format!("hatbox login {name}"),
        Exit::Shell => format!("hat {name}"),
        Exit::Server => format!("hatbox serve {name}"),
    }
}

/// Lists all profiles: first those used often and recently, then the rest in config order.
fn ordered(world: &World, config: &Config) -> Vec<ProfileOutline> {
    let mut outlines = config.profile_outlines();
    outlines.retain(|outline| !(outline.name.is_default() && config.is_empty_profile(&outline.name)));
    let chosen = ChosenProfiles::load(world).unwrap_or_else(|error| {
        world.output.warn(&format!("{error}: {UPDATE_HINT}"));
        ChosenProfiles::default()
    });
    let now = world.clock.now();
    let weight = |outline: &ProfileOutline| chosen.weight(outline.name.as_str(), now);
    outlines.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    outlines
}

fn row_of(outline: &ProfileOutline) -> Row {
    let about = [outline.account.as_deref(), outline.role.as_deref()];
    Row {
        name: outline.name.as_str().to_owned(),
        about: about.into_iter().flatten().collect::<Vec<_>>().join("  "),
    }
}

/// Returns the profile of the project's file if the user has allowed that file. For any other file, only reports that
/// it exists.
fn find_in_project(world: &World, files: &ConfigFiles) -> Option<ProfileName> {
    let directory = std::env::current_dir().ok()?;
    let found = find_project_file(world, &directory).and_then(|file| match file {
        Some(file) => file
            .permission(world, |profile| resolve_role(world, files, profile))
            .map(|permission| Some((file, permission))),
        None => Ok(None),
    });
    match found {
        Ok(None) => None,
        Ok(Some((file, Permission::Allowed(profile)))) => {
            world.output.note(&format!("using profile `{profile}` of {}", file.shown()));
            Some(profile)
        }
        Ok(Some((file, permission))) => {
            note_why_not(world, &file, &permission);
            None
        }
        Err(failure) => {
            world.output.warn(&format!("the project file is not used: {}", failure.error));
            None
        }
    }
}

fn note_why_not(world: &World, file: &ProjectFile, permission: &Permission) {
    let why = match permission {
        Permission::Changed => "changed since you allowed it",
        Permission::OtherRole => "names a profile whose role changed since you allowed it",
        Permission::UnknownRole => "names a profile whose role is not known now",
        Permission::New | Permission::Allowed(_) => "is not allowed yet",
    };
    world.output.warn(&format!("`{}` {why}, and is not used", file.shown()));
    world.output.hint("`hatbox allow` shows it, and allows it");
}
