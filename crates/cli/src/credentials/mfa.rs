//! MFA codes: from the flag, the profile's command, or a person; each sent once.

use std::time::Duration;

use hatbox_core::plan::Mfa;
use hatbox_core::totp::{TotpSeed, TotpStep};
use hatbox_types::name::ProfileName;
use hatbox_types::secret::MfaCode;
use hatbox_types::text::shell::quote_word;

use super::mfa_program::program_of;
use super::plan::Planned;
use super::profile_command::{ProfileCommand, helper_environment};
use crate::ask::helper::run_program;
use crate::credentials::request::{Prompt, PromptDriver, resolve_prompt};
use crate::errors::{Failure, FailureKind};
use crate::files::programs::find_in_path;
use crate::prompt::{Echo, PromptError, Question};
use crate::sys::lock::Lock;

const PROCESS_TIMEOUT: Duration = Duration::from_mins(1);

/// Where a code came from: only a person can give another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CodeSource {
    Flag,
    Process,
    /// Made here, from a stored TOTP seed.
    Seed,
    Person,
}

/// What came of asking.
pub(super) enum Code {
    /// A code.
    Given(MfaCode, CodeSource),
    /// Another process took the question over.
    AnsweredElsewhere,
}

/// Gets a code of the device for a call of `profile`: made from `seed`, where there is one. `locks` are those that a take-over would take.
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
        let headline = "`mfa_process` gave no MFA code";
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
    let prompt = resolve_prompt(request.prompt.as_ref(), settings)?;
    let prompt = prompt.unwrap_or(Prompt { driver: PromptDriver::Terminal, item: None });
    if prompt.driver == PromptDriver::Stored {
        let name = quote_word(profile.as_str());
        return Err(Failure::new(FailureKind::Usage, format!("no TOTP seed is stored for {serial}"))
            .hint(format!("hatbox mfa store-seed {name}"))
            .hint("or choose another way to give MFA codes: --prompt terminal"));
    }
    if let Some((program, arguments)) = program_of(&prompt, serial, &world.environment) {
        let timeout = settings.prompt_timeout();
        // Security: only what is in a directory that PATH names from the root on, so not in the working directory.
        let Some(found) = find_in_path(world, program).into_iter().next() else {
            return Err(Failure::new(FailureKind::Failed, format!("`{program}` was not found in PATH"))
                .hint("choose another way to give MFA codes: --prompt terminal"));
        };
        let name = format!("`{program}` for profile `{profile}`");
        let headline = format!("`{program}` gave no MFA code");
        let output = run_program(name, &found, &arguments, &helper_environment(world, profile), timeout);
        let output = output.map_err(|error| {
            Failure::new(FailureKind::Failed, headline.as_str()).caused_by(&error).shared()
        })?;
        return parse_output(&headline, &output);
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

fn parse_output(headline: &str, output: &[u8]) -> Result<Code, Failure> {
    let text = std::str::from_utf8(output).unwrap_or_default();
    match MfaCode::parse(text) {
        Ok(code) => Ok(Code::Given(code, CodeSource::Process)),
        Err(error) => Err(Failure::new(FailureKind::Failed, headline).caused_by(&error).shared()),
    }
}
