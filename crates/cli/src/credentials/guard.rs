//! Checks the guards of a profile before its credentials leave hatbox. Every exit is checked in the same way.

use std::ffi::OsString;
use std::path::Path;

use hatbox_core::config::guard::{CommandPattern, FileNames};
use hatbox_core::config::origin::Origin;
use hatbox_core::plan::find_agent;
use hatbox_types::text::printable;

use super::plan::Planned;
use crate::errors::{Failure, FailureKind};
use crate::prompt::{Echo, PromptError, Question};
use crate::sys::exec::find_program;
use crate::sys::shell::PROGRAM_ENDINGS;
use crate::world::World;

/// Where credentials are about to go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Exit<'a> {
    /// To this command; to a shell if empty.
    Command(&'a [OsString]),
    /// To stdout.
    Export,
    /// To the console, as a link.
    Console,
    /// To the shell that hatbox was called from.
    Shell,
    /// To any program that presents the token of the credential server.
    Server,
}

impl Exit<'_> {
    /// The name of the exit in the audit log.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Command(_) => "exec",
            Self::Export => "export",
            Self::Console => "login",
            Self::Shell => "hat",
            Self::Server => "serve",
        }
    }

    /// The file name of the command, if there is one.
    pub(super) fn command(self) -> Option<String> {
        match self {
            Self::Command([program, ..]) => Some(program_name(program)),
            Self::Command([]) | Self::Export | Self::Console | Self::Shell | Self::Server => None,
        }
    }

    /// Checks that the command can be started, before anything is asked for it.
    pub(super) fn check_command(self, world: &World) -> Result<(), Failure> {
        if let Self::Command([program, ..]) = self {
            find_program(program, world.environment.raw("PATH"))?;
        }
        Ok(())
    }

    /// What the user is asked to confirm.
    fn words(self, profile: &str) -> String {
        match self {
            Self::Command([]) => format!("open a shell with the credentials of `{profile}`"),
            Self::Command([program, ..]) => {
                let name = program_name(program);
                format!("run `{}` with the credentials of `{profile}`", printable(&name))
            }
            Self::Export => format!("print the credentials of `{profile}`"),
            Self::Console => format!("open the console with the credentials of `{profile}`"),
            Self::Shell => format!("use the credentials of `{profile}` in this shell"),
            Self::Server => format!("serve the credentials of `{profile}`"),
        }
    }
}

/// Checks the guards of a plan's profile, except the restriction to read-only sessions, which is part of the plan.
///
/// # Errors
/// If the command is denied, or the user does not confirm.
pub(super) fn check_guard(planned: &Planned, exit: Exit<'_>) -> Result<(), Failure> {
    let Some(guard) = &planned.plan.guard else { return Ok(()) };
    if let Exit::Command(command) = exit {
        for patterns in &guard.deny_commands {
            if let Some(pattern) = patterns.value.iter().find(|pattern| is_denied(pattern, command)) {
                let profile = &planned.plan.profile;
                let error =
                    format!("`hatbox_deny_commands` of profile `{profile}` denies this command: `{pattern}`");
                return Err(refused(planned, error, &patterns.origin));
            }
        }
    }
    match guard.confirm.as_ref().filter(|confirm| confirm.value) {
        Some(confirm) => ask_for_yes(planned, exit, &confirm.origin),
        None => Ok(()),
    }
}

/// Checks the guards for credentials that are already in the environment: those of the profile of `planned`, as far as
/// hatbox knows. Such credentials cannot be restricted to reading.
///
/// # Errors
/// If they are denied to coding agents, or the user does not confirm.
pub(super) fn check_guard_of_environment(
    world: &World,
    planned: Option<&Planned>,
    exit: Exit<'_>,
) -> Result<(), Failure> {
    let guard = planned.and_then(|planned| planned.plan.guard.as_deref());
    let said = guard.and_then(|guard| guard.read_only_for_agents.as_ref());
    let is_restricted = match said {
        Some(said) => said.value,
        None => world.settings()?.read_only_for_agents,
    };
    if let (true, Some(agent)) = (is_restricted, find_agent(|name| world.environment.text(name))) {
        let whose = match planned {
            Some(planned) => format!("profile `{}` is", planned.plan.profile),
            None => "profiles are".to_owned(),
        };
        let error = format!(
            "{whose} read-only for coding agents ({} is set), and the credentials of the environment cannot be restricted",
            agent.marker
        );
        let failure = match (planned, said) {
            (Some(planned), Some(said)) => refused(planned, error, &said.origin),
            _ => Failure::new(FailureKind::Refused, error),
        };
        return Err(failure.hint("name a profile: hatbox login PROFILE"));
    }
    planned.map_or(Ok(()), |planned| check_guard(planned, exit))
}

fn is_denied(pattern: &CommandPattern, command: &[OsString]) -> bool {
    let arguments: Vec<_> = command.iter().skip(1).map(|argument| argument.to_string_lossy()).collect();
    let program = command.first().map(program_name).unwrap_or_default();
    pattern.matches((&program, FILE_NAMES), arguments.iter().map(AsRef::as_ref))
}

const FILE_NAMES: FileNames =
    if cfg!(any(windows, target_os = "macos")) { FileNames::CaseIgnored } else { FileNames::CaseMatters };

/// The file name of a program, which patterns are matched against.
fn program_name(program: &OsString) -> String {
    let path = Path::new(program);
    let name = path.file_name().unwrap_or(program).to_string_lossy();
    without_ending(&name, &PROGRAM_ENDINGS).to_owned()
}

/// Removes an ending that the system adds to the name of a program, such as `.exe`, in any case.
fn without_ending<'n>(name: &'n str, endings: &[&str]) -> &'n str {
    let stem = |ending: &&str| {
        let (stem, found) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
        (!stem.is_empty() && found.eq_ignore_ascii_case(ending)).then_some(stem)
    };
    endings.iter().filter(|ending| !ending.is_empty()).find_map(stem).unwrap_or(name)
}

fn ask_for_yes(planned: &Planned, exit: Exit<'_>, origin: &Origin) -> Result<(), Failure> {
    let (world, profile) = (&planned.world, planned.plan.profile.as_str());
    let refused = |why: String| {
        let error = format!("profile `{profile}` requires confirmation{why}");
        refused(planned, error, origin)
    };
    // An agent with a terminal could confirm the question itself.
    if let Some(agent) = find_agent(|name| world.environment.text(name)) {
        let why = format!(" by a person, and a coding agent runs this command ({} is set)", agent.marker);
        return Err(refused(why).hint("run the command yourself, on a terminal"));
    }
    let text = format!("Type `yes` to {}: ", exit.words(&printable(profile)));
    let timeout = planned.settings.prompt_timeout();
    let question = Question { text: &text, echo: Echo::Shown, timeout, is_over: &|| false };
    match world.prompter().ask_line(&question) {
        Ok(answer) if answer.expose().trim() == "yes" => Ok(()),
        Ok(_) => Err(refused(", and the answer was not `yes`".to_owned())),
        Err(PromptError::Cancelled) => Err(Failure::new(FailureKind::Cancelled, "cancelled")),
        Err(PromptError::NoTerminal) => Err(refused(", and there is no terminal to ask on".to_owned())
            .hint("run the command on a terminal, and type `yes`")),
        Err(error) => Err(refused(String::new()).caused_by(&error)),
    }
}

fn refused(planned: &Planned, error: String, origin: &Origin) -> Failure {
    let failure = Failure::new(FailureKind::Refused, error);
    match origin.place() {
        Some(place) => failure.at(planned.files.shown_place(place)),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_one_name_whatever_ending_and_case_it_was_called_with() {
        let windows = [".exe", ".cmd", ".bat"];
        for (name, found) in [
            ("terraform", "terraform"),
            ("terraform.exe", "terraform"),
            ("Terraform.EXE", "Terraform"),
            ("aws.cmd", "aws"),
            ("aws.bat", "aws"),
            ("aws.sh", "aws.sh"),
            (".exe", ".exe"),
            ("\u{e9}", "\u{e9}"),
            ("", ""),
        ] {
            assert_eq!(without_ending(name, &windows), found);
            assert_eq!(without_ending(name, &[""]), name, "as on Unix");
        }
    }
}
