//! `credential_process`: a command that prints credentials.

use hatbox_core::answer::parse_process_answer;
use hatbox_core::config::profile::Sourced;
use hatbox_types::name::ProfileName;

use super::BaseCredentials;
use crate::credentials::plan::Planned;
use crate::credentials::profile_command::ProfileCommand;
use crate::errors::{Failure, FailureKind};

/// Runs the command. It may prompt on the terminal, and may take as long as entering an MFA code.
pub(super) fn run(
    planned: &Planned,
    profile: &ProfileName,
    command: &Sourced<String>,
) -> Result<BaseCredentials, Failure> {
    let headline = format!("`credential_process` of profile `{profile}` returned no credentials");
    let place = command.origin.place().map(|place| planned.files.shown_place(place));
    let at = |failure: Failure| match &place {
        Some(place) => failure.at(place.clone()),
        None => failure,
    };
    let call = ProfileCommand {
        key: "credential_process",
        profile,
        command,
        timeout: planned.patience(),
        headline: &headline,
    };
    let output = call.run(planned).map_err(&at)?;
    match parse_process_answer(&output, planned.world.clock.now()) {
        Ok(given) => Ok(given.into()),
        Err(error) => Err(at(Failure::new(FailureKind::Failed, headline).caused_by(&error).shared())
            .hint("run the command by itself to see what it prints")),
    }
}
