//! MFA codes: from the flag, the profile's command, or a person; each sent once.

use std::ffi::OsString;
use std::time::Duration;

use hatbox_core::handover::is_store_secret;
use hatbox_core::plan::Mfa;
use hatbox_types::name::ProfileName;
use hatbox_types::secret::MfaCode;
use zeroize::Zeroizing;

use super::mfa_program::program_of;
use super::plan::Planned;
use crate::ask::helper::{HelperError, run_helper, run_program};
use crate::credentials::request::resolve_prompt;
use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::files::programs::find_in_path;
use crate::prompt::{Echo, PromptError, Question};
use crate::sys::lock::Lock;
use crate::world::World;
use crate::world::environment::with_absolute_path;

const PROCESS_TIMEOUT: Duration = Duration::from_mins(1);

/// Where a code came from: only a person can give another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CodeSource {
    Flag,
    Process,
    Person,
}

/// What came of asking.
pub(super) enum Code {
    /// A code.
    Given(MfaCode, CodeSource),
    /// Another process took the question over.
    AnsweredElsewhere,
}

/// Gets a code of the device for a call of `profile`. `locks` are those that a take-over would take.
pub(super) fn fetch_code(
    planned: &Planned,
    profile: &ProfileName,
    mfa: &Mfa,
    locks: &[&Lock],
) -> Result<Code, Failure> {
    let Planned { world, settings, files, request, .. } = planned;
    let serial = &mfa.serial.value;
    if let Some(code) = &request.mfa_code {
        return Ok(Code::Given(code.clone(), CodeSource::Flag));
    }
    if let Some(process) = &mfa.process {
        files.check_command_origin(&process.origin)?;
        let name = format!("`mfa_process` of profile `{profile}`");
        let output = run_helper(name, &process.value, &helper_environment(world, profile), PROCESS_TIMEOUT);
        return parse_output("`mfa_process`", output).map(|code| Code::Given(code, CodeSource::Process));
    }
    let driver = resolve_prompt(request.prompt.as_ref())?;
    if let Some((program, arguments)) = program_of(driver, serial, &world.environment) {
        let timeout = settings.prompt_timeout();
        // Security: only what is in a directory that PATH names from the root on, so not in the working directory.
        let Some(found) = find_in_path(world, program).into_iter().next() else {
            return Err(Failure::new(FailureKind::Failed, format!("`{program}` was not found in PATH"))
                .hint("choose another way to give MFA codes: --prompt terminal"));
        };
        let name = format!("`{program}` for profile `{profile}`");
        let output = run_program(name, &found, &arguments, &helper_environment(world, profile), timeout);
        return parse_output(&format!("`{program}`"), output)
            .map(|code| Code::Given(code, CodeSource::Process));
    }
    let text = format!("MFA code for {serial}: ");
    let question = Question {
        text: &text,
        echo: Echo::Shown,
        timeout: settings.prompt_timeout(),
        is_over: &|| locks.iter().any(|lock| !lock.is_current()),
    };
    loop {
        match world.prompter().ask_line(&question) {
            Ok(answer) => match MfaCode::parse(answer.expose()) {
                Ok(code) => return Ok(Code::Given(code, CodeSource::Person)),
                Err(_) => world.prompter().show("An MFA code has six digits."),
            },
            Err(PromptError::AnsweredElsewhere) => return Ok(Code::AnsweredElsewhere),
            Err(PromptError::Cancelled) => {
                return Err(Failure::new(
                    FailureKind::Cancelled,
                    "the question for the MFA code was cancelled",
                )
                .shared());
            }
            Err(PromptError::NoTerminal) => {
                return Err(Failure::new(
                    FailureKind::NeedsPerson,
                    format!("an MFA code of {serial} is needed, and there is no terminal to ask on"),
                )
                .hint("run it once on a terminal: the session is then used from the cache")
                .hint("or give the code: --mfa-token CODE")
                .hint("or set `mfa_process` in the profile to a command that prints the code"));
            }
            Err(error) => {
                return Err(Failure::new(FailureKind::NeedsPerson, format!("got no MFA code of {serial}"))
                    .caused_by(&error)
                    .shared());
            }
        }
    }
}

/// What a helper gets: all that the user has, without what opens stores, and the name of the profile
/// that it works for, so that it cannot ask hatbox for the same one.
fn helper_environment(world: &World, profile: &ProfileName) -> Vec<(OsString, OsString)> {
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

fn parse_output(program: &str, output: Result<Zeroizing<Vec<u8>>, HelperError>) -> Result<MfaCode, Failure> {
    let failure = || Failure::new(FailureKind::Failed, format!("{program} gave no MFA code")).shared();
    let output = output.map_err(|error| failure().caused_by(&error))?;
    let text = std::str::from_utf8(&output).unwrap_or_default();
    MfaCode::parse(text).map_err(|error| failure().caused_by(&error))
}
