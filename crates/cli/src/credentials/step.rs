//! Makes one call to STS: settings, checks, MFA code, request, answer.

use std::time::Duration;

use hatbox_core::cache::CachedSession;
use hatbox_core::handover::Credentials;
use hatbox_core::plan::{AssumeRole, GetFederationToken, Mfa, SessionPolicies, Step};
use hatbox_core::totp::{STEP_SECONDS, TotpSeed};
use hatbox_types::name::AccountId;
use hatbox_types::secret::SessionCredentials;
use jiff::Timestamp;

use super::call_lock::{CallLock, Locked};
use super::mfa::{Code, CodeSource, fetch_code};
use super::plan::Planned;
use super::service::{check_sandbox, partition_of, resolve_sts_settings};
use super::session_name::{default_session_name, federated_name};
use super::used_codes::UsedCodes;
use crate::aws::client::{Sending, ServiceSettings, Signer};
use crate::aws::sts::{AssumeRoleCall, FederationCall, MfaProof, Policies, Sts};
use crate::aws::sts_error::StsError;
use crate::errors::{Failure, FailureKind};
use crate::store::sessions::Sessions;
use crate::world::World;

/// How many times the user may enter a code.
const TRIES: u32 = 3;
/// How often to wait half a minute and ask a program again that returned a used code.
const NEXT_CODE_WAITS: u32 = 2;

/// The result of a stage, which signs the next call or is handed over.
pub(super) struct Source {
    pub(super) signer: Signer,
    /// When it was obtained, if it is the session of an earlier stage.
    pub(super) obtained_at: Option<Timestamp>,
    /// The account of the credentials, if the source named it.
    pub(super) account: Option<AccountId>,
}

impl Source {
    pub(super) fn of_session(session: CachedSession) -> Self {
        let CachedSession { credentials, obtained_at, account, .. } = session;
        Self { signer: Signer::Session(credentials), obtained_at: Some(obtained_at), account }
    }

    pub(super) fn into_credentials(self) -> Credentials {
        match self.signer {
            Signer::Key(key) => Credentials::AccessKey(key),
            Signer::Session(session) => Credentials::Session(session),
            Signer::Found { key, session_token } => Credentials::Found { key, session_token },
        }
    }
}

/// The call of a step, and what it is made with.
pub(super) struct StepCall<'a> {
    pub(super) planned: &'a Planned,
    /// The index of the step in the plan.
    pub(super) index: usize,
    pub(super) step: &'a Step,
    pub(super) source: &'a Source,
    /// The stored seed that the MFA codes are computed from, if there is one.
    pub(super) seed: Option<&'a TotpSeed>,
    /// The session's lock, held by the caller.
    pub(super) lock: &'a CallLock,
    pub(super) sessions: Option<&'a Sessions>,
}

/// The result of a call.
pub(super) enum Outcome {
    Answered {
        signer: Signer,
        /// The account of the credentials, if the answer named it.
        account: Option<AccountId>,
        /// How many seconds this machine's clock is ahead of the endpoint's, if known.
        clock_ahead: Option<i64>,
    },
    /// Another process took over asking for the code.
    AnsweredElsewhere,
}

/// The parameters of a request.
#[derive(Debug, Clone)]
pub(super) enum Request {
    GetSessionToken(Duration),
    GetFederationToken(Box<FederationCall>),
    AssumeRole(Box<AssumeRoleCall>),
}

impl Request {
    fn of_step(step: &Step, now: Timestamp) -> Self {
        match step {
            Step::GetSessionToken(step) => Self::GetSessionToken(step.duration.value),
            Step::GetFederationToken(step) => Self::GetFederationToken(Box::new(federation_call(step))),
            Step::AssumeRole(step) => Self::AssumeRole(Box::new(role_call(step, now))),
        }
    }

    /// The name of the role session, if the call creates one.
    pub(super) fn session_name(&self) -> Option<&str> {
        match self {
            Self::GetSessionToken(_) | Self::GetFederationToken(_) => None,
            Self::AssumeRole(call) => Some(&call.session_name),
        }
    }
}

/// What was sent, to explain a denial.
#[derive(Debug)]
pub(super) struct Sent {
    /// The index of the step in the plan.
    pub(super) index: usize,
    pub(super) request: Request,
    pub(super) at: Timestamp,
    pub(super) settings: ServiceSettings,
    /// Where the MFA code came from, if there was one.
    pub(super) code: Option<CodeSource>,
    /// When the session that signed was obtained, if a session signed.
    pub(super) source_at: Option<Timestamp>,
}

/// Why a call returned no credentials.
pub(super) enum CallError {
    /// No request was sent.
    Failed(Failure),
    /// STS rejected the request or did not answer.
    Unanswered(Box<(Sent, StsError)>),
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Makes the call. The caller holds the session's lock.
pub(super) fn make_call(call: &StepCall<'_>) -> Result<Outcome, CallError> {
    let StepCall { planned, step, source, lock, sessions, .. } = *call;
    let world = &planned.world;
    let settings = resolve_sts_settings(&planned.plan, partition_of(step), &world.environment)?;
    check_sandbox(&world.environment, source.signer.access_key_id(), step.profile())?;
    world.announce_endpoint("STS", settings.endpoint.as_ref());
    let request = Request::of_step(step, world.clock.now());
    world.output.debug(|| format!("calling {} for `{}`", step.call().label(), step.profile()));
    let Some(mfa) = step.mfa() else {
        let client = open_sts(world, &settings, &source.signer, Sending::WithRetries)?;
        return Outgoing { call, client, request, settings }.send_without_code();
    };
    let serial = &mfa.serial.value;
    let words = format!("the MFA code of {serial}");
    let what = Locked { kind: "mfa", identity: serial.as_str().as_bytes(), words: &words };
    let device = CallLock::wait(planned, sessions, what, lock.lock().taken_from())?;
    lock.lock().note(world.prompter().device(), &words);
    let client = open_sts(world, &settings, &source.signer, Sending::Once)?;
    let result = Outgoing { call, client, request, settings }.send_with_code(mfa, &device);
    if let Err(CallError::Failed(failure)) = &result
        && matches!(failure.kind, FailureKind::Cancelled | FailureKind::NeedsPerson)
    {
        // Processes that wait for the device would ask the same user the same question.
        device.leave_failure(failure);
    }
    result
}

/// A request with the client that sends it.
struct Outgoing<'a> {
    call: &'a StepCall<'a>,
    client: Sts,
    request: Request,
    settings: ServiceSettings,
}

impl Outgoing<'_> {
    fn send_without_code(self) -> Result<Outcome, CallError> {
        let at = self.call.planned.world.clock.now();
        match self.send(None) {
            Ok(credentials) => Ok(self.answered(credentials)),
            Err(error) => Err(self.unanswered(error, at, None)),
        }
    }

    fn send_with_code(self, mfa: &Mfa, device: &CallLock) -> Result<Outcome, CallError> {
        let StepCall { planned, step, lock, seed, .. } = *self.call;
        let world = &planned.world;
        let locks = [lock.lock(), device.lock()];
        let used = UsedCodes::beside(device.path(), &mfa.serial.value);
        let mut tries = 0;
        let mut waits = 0;
        loop {
            let (code, source) = match fetch_code(planned, step.profile(), mfa, seed, &locks)? {
                Code::Given(code, source) => (code, source),
                Code::AnsweredElsewhere => return Ok(Outcome::AnsweredElsewhere),
            };
            if used.has(&code) {
                match source {
                    CodeSource::Person => {
                        world.prompter().reject("This code was used already: wait for the next one.");
                    }
                    CodeSource::Process | CodeSource::Seed if waits < NEXT_CODE_WAITS => {
                        waits += 1;
                        wait_for_next_code(world);
                    }
                    CodeSource::Process | CodeSource::Seed => return Err(used_already(mfa).shared().into()),
                    CodeSource::Flag => return Err(used_already(mfa).into()),
                }
                continue;
            }
            // The process that took the lock over sends its own code.
            if !locks.iter().all(|lock| lock.is_current()) {
                return Ok(Outcome::AnsweredElsewhere);
            }
            used.save(&code).map_err(Failure::from)?;
            tries += 1;
            let proof = MfaProof { serial: mfa.serial.value.clone(), code };
            let at = world.clock.now();
            let result = self.send(Some(&proof));
            if result.is_err() && !self.client.may_have_sent() {
                used.forget(&proof.code).map_err(Failure::from)?;
            }
            match result {
                Ok(credentials) => return Ok(self.answered(credentials)),
                Err(error) if error.is_wrong_code() && source == CodeSource::Person && tries < TRIES => {
                    world.prompter().reject("AWS rejected the code: wait for the next one.");
                }
                // The code may have been used outside of hatbox, such as on AWS's sign-in page.
                Err(error) if error.is_wrong_code() && source == CodeSource::Seed && tries < 2 => {
                    wait_for_next_code(world);
                }
                Err(error) => return Err(self.unanswered(error, at, Some(source))),
            }
        }
    }

    fn send(&self, mfa: Option<&MfaProof>) -> Result<SessionCredentials, StsError> {
        match &self.request {
            Request::GetSessionToken(duration) => self.client.fetch_session_token(*duration, mfa),
            Request::GetFederationToken(call) => self.client.fetch_federation_token(call),
            Request::AssumeRole(call) => self.client.fetch_role(call, mfa),
        }
    }

    fn answered(&self, credentials: SessionCredentials) -> Outcome {
        let signer = Signer::Session(credentials);
        Outcome::Answered { signer, account: None, clock_ahead: self.client.clock_ahead() }
    }

    fn unanswered(self, error: StsError, at: Timestamp, code: Option<CodeSource>) -> CallError {
        let Self { call, request, settings, .. } = self;
        let source_at = call.source.obtained_at;
        CallError::Unanswered(Box::new((
            Sent { index: call.index, request, at, settings, code, source_at },
            error,
        )))
    }
}

/// Sleeps until the next MFA code: codes change every 30 seconds (RFC 6238).
pub(super) fn wait_for_next_code(world: &World) {
    let into_step = world.clock.now().as_second().rem_euclid(STEP_SECONDS);
    world.output.note("that MFA code was used already; waiting for the next one");
    std::thread::sleep(Duration::from_secs(u64::try_from(STEP_SECONDS - into_step).unwrap_or(30)));
}

/// Decides the session name once, so that the explanation of a denial shows the name that was sent.
fn role_call(step: &AssumeRole, now: Timestamp) -> AssumeRoleCall {
    let session_name = match &step.session_name {
        Some(name) => name.value.clone(),
        None => default_session_name(&step.profile, now.as_second()),
    };
    AssumeRoleCall {
        role: step.role.value.clone(),
        session_name,
        duration: step.duration.value,
        external_id: step.external_id.as_ref().map(|id| id.value.clone()),
        tags: step.tags.as_ref().map(|tags| tags.value.clone()).unwrap_or_default(),
        transitive_tags: step.transitive_tags.as_ref().map(|tags| tags.value.clone()).unwrap_or_default(),
        source_identity: step.source_identity.as_ref().map(|id| id.value.clone()),
        policies: step.policies.as_ref().map(policies_of).unwrap_or_default(),
    }
}

pub(super) fn policies_of(policies: &SessionPolicies) -> Policies {
    Policies {
        document: policies.document.as_ref().map(|document| document.value.clone()),
        arns: policies.arns.iter().map(|arn| arn.value.clone()).collect(),
    }
}

fn federation_call(step: &GetFederationToken) -> FederationCall {
    FederationCall {
        name: federated_name(&step.profile),
        duration: step.duration.value,
        policies: policies_of(&step.policies),
    }
}

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
