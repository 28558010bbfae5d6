//! Writes the audit log, if the settings or `--reason` ask for it.

use hatbox_core::handover::Credentials;
use hatbox_core::plan::{Plan, find_agent};
use hatbox_types::name::{AccessKeyId, ProfileName};
use jiff::Timestamp;

use super::guard::Exit;
use crate::args::SessionArgs;
use crate::errors::{Failure, FailureKind};
use crate::files::audit_log::{AuditEntry, AuditLog};
use crate::world::World;
use crate::world::settings::AuditSetting;

/// Limit in characters: a longer reason belongs in a document.
const MAX_REASON: usize = 500;
/// Limit in characters of the recorded command: no file name is longer.
const MAX_COMMAND: usize = 255;

/// Checks `--reason` before the user is asked anything and before anything is sent.
pub(crate) fn check_reason(session: &SessionArgs) -> Result<(), Failure> {
    let Some(reason) = &session.reason else { return Ok(()) };
    let length = reason.trim().chars().count();
    if (1..=MAX_REASON).contains(&length) {
        return Ok(());
    }
    let error = format!("invalid --reason of {length} characters: expected 1 to {MAX_REASON}");
    Err(Failure::new(FailureKind::Usage, error))
}

/// What is handed over.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HandedOver<'a> {
    /// `None` for a link, which contains no credentials.
    pub(super) credentials: Option<&'a Credentials>,
    pub(super) account: Option<&'a str>,
}

/// Appends a line to the audit log. A failure to write is a warning, unless the settings require the log.
pub(super) fn record_use(
    world: &World,
    reason: Option<&str>,
    plan: &Plan,
    given: HandedOver<'_>,
    exit: Exit<'_>,
) -> Result<(), Failure> {
    let whose = Whose {
        profile: plan.profile.to_string(),
        role: plan.role().map(str::to_owned),
        account: given.account.map(str::to_owned),
        access_key_id: given.credentials.map(|credentials| credentials.id().masked()),
        expires_at: given.credentials.and_then(Credentials::session).and_then(|(_, expires_at)| expires_at),
    };
    record(world, reason, whose, exit)
}

/// Does the same for credentials found in the environment, which are those of `profile` as far as hatbox knows.
pub(super) fn record_use_of_environment(
    world: &World,
    reason: Option<&str>,
    profile: Option<&ProfileName>,
    (id, expires_at): (&AccessKeyId, Option<Timestamp>),
    exit: Exit<'_>,
) -> Result<(), Failure> {
    let whose = Whose {
        profile: profile.map(ToString::to_string).unwrap_or_default(),
        role: None,
        account: None,
        access_key_id: Some(id.masked()),
        expires_at,
    };
    record(world, reason, whose, exit)
}

/// Whose credentials the line is about.
struct Whose {
    profile: String,
    role: Option<String>,
    account: Option<String>,
    access_key_id: Option<String>,
    expires_at: Option<Timestamp>,
}

fn record(world: &World, reason: Option<&str>, whose: Whose, exit: Exit<'_>) -> Result<(), Failure> {
    let setting = world.settings()?.audit_log;
    if setting == AuditSetting::Off && reason.is_none() {
        return Ok(());
    }
    let command = exit.command().map(|name| name.chars().take(MAX_COMMAND).collect());
    let Whose { profile, role, account, access_key_id, expires_at } = whose;
    let entry = AuditEntry {
        time: world.clock.now(),
        exit: exit.name().to_owned(),
        profile,
        command,
        role,
        account,
        access_key_id,
        expires_at,
        reason: reason.map(|reason| reason.trim().to_owned()),
        agent: find_agent(|name| world.environment.text(name)).map(|agent| agent.marker.to_owned()),
        // A sidecar serves another process, so that process is recorded.
        pid: world
            .environment
            .sidecar_of()
            .and_then(|pid| pid.try_into().ok())
            .unwrap_or_else(std::process::id),
    };
    let Err(error) = AuditLog::at(&world.dirs.audit_log()).append(&entry) else { return Ok(()) };
    let failure = Failure::of_error(FailureKind::Failed, &error);
    if setting == AuditSetting::Required {
        let failure = failure.because("the setting `audit_log` requires the log");
        return Err(match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        });
    }
    let cause = failure.causes.iter().map(|cause| format!(": {cause}")).collect::<String>();
    world.output.warn(&format!("this use is not in the audit log: {}{cause}", failure.error));
    Ok(())
}
