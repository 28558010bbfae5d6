//! Obtains MFA codes: from the flag, the profile's command, a stored seed or the user. Each code is sent once.

use std::time::Duration;

use hatbox_core::plan::Mfa;
use hatbox_core::totp::{TotpSeed, TotpStep};
use hatbox_types::name::{MfaSerial, ProfileName};
use hatbox_types::secret::MfaCode;
use hatbox_types::text::shell::quote_word;

use super::mfa_program::program_of;
use super::pinentry::{PinentryError, parse_answer, render_question};
use super::plan::Planned;
use super::profile_command::{ProfileCommand, helper_environment};
use crate::ask::helper::{run_conversation, run_program};
use crate::credentials::request::{Prompt, PromptDriver, resolve_prompt};
use crate::errors::{Failure, FailureKind};
use crate::files::programs::find_in_path;
use crate::prompt::{Echo, PromptError, Question};
use crate::sys::lock::Lock;
use crate::world::World;

const PROCESS_TIMEOUT: Duration = Duration::from_mins(1);

/// Where a code came from. After a rejection, only the user can enter another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CodeSource {
    Flag,
    Process,
    /// Computed by hatbox from a stored TOTP seed.
    Seed,
    Person,
}

/// The result of asking for a code.
pub(super) enum Code {
    Given(MfaCode, CodeSource),
    /// Another process took the question over.
    AnsweredElsewhere,
}

/// Obtains a code of the device for a call of `profile`, from `seed` if there is one. `locks` are the locks that
/// another process would take over together with the question.
pub(super) fn fetch_code(
    planned: &Planned,
    profile: &ProfileName,
    mfa: &Mfa,
    seed: Option<&TotpSeed>,
    locks: &[&Lock],
) -> Result<Code, Failure> {
    let Planned { world, settings, request, .. } = planned;
    let serial = &mfa.serial.value;
    if let Some(code) = &request.mfa_code {
        return Ok(Code::Given(code.clone(), CodeSource::Flag));
    }
    if let Some(process) = &mfa.process {
        let headline = "`mfa_process` returned no MFA code";
        let command = ProfileCommand {
            key: "mfa_process",
            profile,
            command: process,
            timeout: PROCESS_TIMEOUT,
            headline,
        };
        return parse_output(headline, &command.run(planned)?);
    }
    if let Some(seed) = seed {
        let code = seed.code(TotpStep::at(world.clock.now()));
        return Ok(Code::Given(code, CodeSource::Seed));
    }
    let chosen = resolve_prompt(request.prompt.as_ref(), settings)?;
    let is_chosen = chosen.is_some();
    let prompt = chosen.unwrap_or(Prompt { driver: PromptDriver::Terminal, item: None });
    if prompt.driver == PromptDriver::Stored {
        let name = quote_word(profile.as_str());
        return Err(Failure::new(FailureKind::Usage, format!("no TOTP seed is stored for {serial}"))
            .hint(format!("hatbox mfa store-seed {name}"))
            .hint("or choose another way to give MFA codes: --prompt terminal"));
    }
    if prompt.driver.program().is_some() {
        return run_driver(planned, profile, serial, &prompt);
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
                Err(_) => world.prompter().reject("An MFA code has six digits."),
            },
            Err(PromptError::AnsweredElsewhere) => return Ok(Code::AnsweredElsewhere),
            Err(PromptError::Cancelled) => {
                return Err(Failure::new(FailureKind::Cancelled, "the MFA prompt was cancelled").shared());
            }
            Err(PromptError::NoTerminal) => {
                // An SDK in an editor runs hatbox without a terminal, but the user is still at the desktop.
                if let Some(driver) = find_window(world).filter(|_| !is_chosen) {
                    return run_driver(planned, profile, serial, &Prompt { driver, item: None });
                }
                return Err(Failure::new(
                    FailureKind::NeedsPerson,
                    format!("an MFA code of {serial} is needed, and there is no terminal to ask on"),
                )
                .hint("run it once on a terminal: later commands use the cached session")
                .hint("or be asked in a window: set `prompt = \"pinentry\"` (or zenity, kdialog) in hatbox's settings")
                .hint("or give the code: --mfa-token CODE")
                .hint("or set `mfa_process` in the profile to a command that prints the code"));
            }
            Err(error) => {
                return Err(Failure::new(
                    FailureKind::NeedsPerson,
                    format!("could not get an MFA code of {serial}"),
                )
                .caused_by(&error)
                .shared());
            }
        }
    }
}

/// Returns the program that can ask in a window, if there is one.
fn find_window(world: &World) -> Option<PromptDriver> {
    let all: &[PromptDriver] = if cfg!(target_os = "macos") {
        &[PromptDriver::Osascript]
    } else {
        &[PromptDriver::Zenity, PromptDriver::Kdialog, PromptDriver::Pinentry]
    };
    let is_there = |driver: &&PromptDriver| {
        driver.program().is_some_and(|program| !find_in_path(world, program).is_empty())
    };
    all.iter().filter(|_| world.environment.has_desktop()).find(is_there).copied()
}

/// Gets a code from the program of `prompt`.
fn run_driver(
    planned: &Planned,
    profile: &ProfileName,
    serial: &MfaSerial,
    prompt: &Prompt,
) -> Result<Code, Failure> {
    let Planned { world, settings, .. } = planned;
    let Some((program, arguments)) = program_of(prompt, serial, &world.environment) else {
        return Err(Failure::new(FailureKind::Usage, "this prompt has no program"));
    };
    // Security: only run a program from absolute directories in PATH, never from the working directory.
    let Some(found) = find_in_path(world, program).into_iter().next() else {
        return Err(Failure::new(FailureKind::Failed, format!("`{program}` was not found in PATH"))
            .hint("choose another way to give MFA codes: --prompt terminal"));
    };
    let name = format!("`{program}` for profile `{profile}`");
    let headline = format!("`{program}` returned no MFA code");
    let environment = helper_environment(world, profile);
    let timeout = settings.prompt_timeout();
    let failed = |error: &dyn std::error::Error| {
        Failure::new(FailureKind::Failed, headline.as_str()).caused_by(error).shared()
    };
    if prompt.driver == PromptDriver::Pinentry {
        let question = render_question(&format!("MFA code for {serial}"), world.prompter().device());
        let output = run_conversation(name, &found, &environment, timeout, question);
        let output = output.map_err(|error| failed(&error))?;
        return match parse_answer(&output) {
            Ok(answer) => parse_output(&headline, answer.as_bytes()),
            Err(PinentryError::Cancelled) => {
                let error = "the MFA prompt was cancelled";
                Err(Failure::new(FailureKind::Cancelled, error).shared())
            }
            Err(error) => Err(failed(&error)),
        };
    }
    let output = run_program(name, &found, &arguments, &environment, timeout);
    parse_output(&headline, &output.map_err(|error| failed(&error))?)
}

fn parse_output(headline: &str, output: &[u8]) -> Result<Code, Failure> {
    let text = std::str::from_utf8(output).unwrap_or_default();
    match MfaCode::parse(text) {
        Ok(code) => Ok(Code::Given(code, CodeSource::Process)),
        Err(error) => Err(Failure::new(FailureKind::Failed, headline).caused_by(&error).shared()),
    }
}
