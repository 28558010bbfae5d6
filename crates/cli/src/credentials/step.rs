//! One call to STS: settings, guards, the code, the request, the answer.

use std::time::Duration;

use hatbox_core::plan::{AssumeRole, Mfa, Plan, Step};
use hatbox_types::name::ProfileName;
use hatbox_types::secret::SessionCredentials;

use super::denial::Refused;
use super::mfa::{Code, CodeSource};
use super::run::{Fetching, Locks, Source, no_identity};
use super::service::{check_sandbox, partition_of, resolve_sts_settings};
use crate::ask::waiting::{Wanted, leave_failure, seal_of, wait_for_lock};
use crate::aws::client::{Sending, ServiceSettings, Signer};
use crate::aws::sts::{AssumeRoleCall, MfaProof, Sts};
use crate::aws::sts_error::StsError;
use crate::credentials::used_codes::UsedCodes;
use crate::errors::{Failure, FailureKind};
use crate::sys::lock::Lock;
use crate::world::World;

/// How often a person may correct a wrong code.
const TRIES: u32 = 3;
/// How often a program that gives a used code is asked again, a half minute later each time.
const NEXT_CODE_WAITS: u32 = 2;

/// A question for a code: the device, its codes so far, the locks that a take-over takes.
struct Asked<'a> {
    mfa: &'a Mfa,
    session_name: Option<&'a str>,
    used: UsedCodes,
    locks: [&'a Lock; 2],
}

/// What came of a call.
pub(super) enum Outcome {
    Answered {
        credentials: SessionCredentials,
        /// How many seconds this machine's clock is ahead of the endpoint's, where that is known.
        clock_ahead: Option<i64>,
    },
    /// Another process took the question for the code over.
    AnsweredElsewhere,
}

impl Fetching<'_> {
    /// Makes the call of `step`, signed by `signer`, under the session's lock.
    pub(super) fn make_call(
        &self,
        plan: &Plan,
        index: usize,
        signer: &Source,
        locks: Locks<'_>,
    ) -> Result<Outcome, Failure> {
        let Source { signer, obtained_at } = signer;
        let Some(step) = plan.steps.get(index) else { return Err(no_identity()) };
        let settings = resolve_sts_settings(plan, partition_of(step), &self.world.environment)?;
        check_sandbox(&self.world.environment, signer.access_key_id(), step.profile())?;
        self.world.announce_endpoint("STS", settings.endpoint.as_ref());
        let session_name = self.session_name(step);
        let refused = |error: &StsError, source| {
            self.failure_of(&Refused {
                error,
                plan,
                index,
                step,
                settings: &settings,
                code_source: source,
                session_name: session_name.as_deref(),
                source_at: *obtained_at,
            })
        };
        self.world.output.debug(|| format!("calling {} for `{}`", step.call().label(), step.profile()));
        let Some(mfa) = step.mfa() else {
            let client = self.client(&settings, signer, Sending::WithRetries)?;
            return send(&client, step, session_name.as_deref(), None)
                .map(|credentials| Outcome::Answered { credentials, clock_ahead: client.clock_ahead() })
                .map_err(|error| refused(&error, None));
        };
        let serial = &mfa.serial.value;
        let held_for = format!("the MFA code of {serial}");
        let path = self.lock_path(locks.sessions, "mfa", serial.as_str().as_bytes());
        let seal = seal_of("mfa", serial.as_str().as_bytes());
        let wanted = Wanted {
            path: &path,
            patience: self.patience(),
            held_for: &held_for,
            seal: seal.as_ref(),
            taken_from: locks.session.taken_from(),
        };
        let device = wait_for_lock(self.world, &wanted)?;
        locks.session.note(self.world.prompter().device(), &held_for);
        let client = self.client(&settings, signer, Sending::Once)?;
        let question = Asked {
            mfa,
            session_name: session_name.as_deref(),
            used: UsedCodes::beside(&path, serial),
            locks: [locks.session, &device],
        };
        let result = self.send_with_code(&client, step, &question, &refused);
        if let Err(failure) = &result
            && matches!(failure.kind, FailureKind::Cancelled | FailureKind::NeedsPerson)
        {
            // Whoever waits for the device would ask the same person the same question.
            leave_failure(&device, failure, seal.as_ref());
        }
        result
    }

    fn send_with_code(
        &self,
        client: &Sts,
        step: &Step,
        asked: &Asked<'_>,
        refused: &dyn Fn(&StsError, Option<CodeSource>) -> Failure,
    ) -> Result<Outcome, Failure> {
        let mut tries = 0;
        let mut waits = 0;
        let Asked { mfa, session_name, used, locks } = asked;
        loop {
            let (code, source) = match self.fetch_code(step.profile(), mfa, locks)? {
                Code::Given(code, source) => (code, source),
                Code::AnsweredElsewhere => return Ok(Outcome::AnsweredElsewhere),
            };
            if used.has(&code) {
                match source {
                    CodeSource::Person => {
                        self.world.prompter().show("That code was used already: wait for the next.");
                    }
                    CodeSource::Process if waits < NEXT_CODE_WAITS => {
                        waits += 1;
                        self.wait_for_next_code();
                    }
                    CodeSource::Process => return Err(used_already(mfa).shared()),
                    CodeSource::Flag => return Err(used_already(mfa)),
                }
                continue;
            }
            // Whoever took the lock over sends a code of its own.
            if !locks.iter().all(|lock| lock.is_current()) {
                return Ok(Outcome::AnsweredElsewhere);
            }
            used.save(&code)?;
            tries += 1;
            let proof = MfaProof { serial: mfa.serial.value.clone(), code };
            let result = send(client, step, *session_name, Some(&proof));
            if result.is_err() && !client.may_have_sent() {
                used.forget(&proof.code)?;
            }
            match result {
                Ok(credentials) => {
                    return Ok(Outcome::Answered { credentials, clock_ahead: client.clock_ahead() });
                }
                Err(error) if error.is_wrong_code() && source == CodeSource::Person && tries < TRIES => {
                    self.world
                        .prompter()
                        .show("AWS did not take that code. Each one works once: wait for the next.");
                }
                Err(error) => return Err(refused(&error, Some(source))),
            }
        }
    }

    /// Sleeps until authenticators show another code: they change on the half minute (RFC 6238).
    fn wait_for_next_code(&self) {
        let into_step = self.world.clock.now().as_second().rem_euclid(30);
        self.world.output.note("that MFA code was used already; waiting for the next one");
        std::thread::sleep(Duration::from_secs(u64::try_from(30 - into_step).unwrap_or(30)));
    }

    fn client(&self, settings: &ServiceSettings, signer: &Signer, sending: Sending) -> Result<Sts, Failure> {
        open_sts(self.world, settings, signer, sending)
    }

    /// The name that the session gets, decided once: what is said of a refusal is about the name that was sent.
    fn session_name(&self, step: &Step) -> Option<String> {
        let Step::AssumeRole(step) = step else { return None };
        Some(match &step.session_name {
            Some(name) => name.value.clone(),
            None => default_session_name(&step.profile, self.world.clock.now().as_second()),
        })
    }
}

fn send(
    client: &Sts,
    step: &Step,
    session_name: Option<&str>,
    mfa: Option<&MfaProof>,
) -> Result<SessionCredentials, StsError> {
    match step {
        Step::GetSessionToken(step) => client.fetch_session_token(step.duration.value, mfa),
        Step::AssumeRole(step) => client.fetch_role(&role_call(step, session_name.unwrap_or_default()), mfa),
    }
}

fn role_call(step: &AssumeRole, session_name: &str) -> AssumeRoleCall {
    AssumeRoleCall {
        role: step.role.value.clone(),
        session_name: session_name.to_owned(),
        duration: step.duration.value,
        external_id: step.external_id.as_ref().map(|id| id.value.clone()),
        tags: step.tags.as_ref().map(|tags| tags.value.clone()).unwrap_or_default(),
        transitive_tags: step.transitive_tags.as_ref().map(|tags| tags.value.clone()).unwrap_or_default(),
        source_identity: step.source_identity.as_ref().map(|id| id.value.clone()),
    }
}

/// A client of STS.
pub(super) fn open_sts(
    world: &World,
    settings: &ServiceSettings,
    signer: &Signer,
    sending: Sending,
) -> Result<Sts, Failure> {
    Ok(Sts::new(settings, signer, world.clock.time_source(), sending)?)
}

fn used_already(mfa: &Mfa) -> Failure {
    Failure::new(FailureKind::Failed, format!("the MFA code of {} was used already", mfa.serial.value))
        .hint("each code works once; wait for the next one")
}

/// `hatbox-PROFILE-SECONDS`: in CloudTrail it tells the hat and the time. 2..=64 of `[\w+=,.@-]`.
fn default_session_name(profile: &ProfileName, now: i64) -> String {
    let profile: String = profile
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) { c } else { '-' })
        .take(40)
        .collect();
    format!("hatbox-{profile}-{now}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_name_is_one_that_sts_takes() {
        let name = |profile: &str| default_session_name(&ProfileName::parse(profile).unwrap(), 1_768_471_200);
        assert_eq!(name("dev-infra-admin"), "hatbox-dev-infra-admin-1768471200");
        assert_eq!(name("my prof/x"), "hatbox-my-prof-x-1768471200");
        assert!(name(&"x".repeat(200)).len() <= 64);
    }
}
