//! One call to STS: settings, guards, the code, the request, the answer.

use std::path::PathBuf;
use std::time::Duration;

use hatbox_core::config::profile::StsRegional;
use hatbox_core::name::ProfileName;
use hatbox_core::plan::{AssumeRole, Mfa, Plan, Step};
use hatbox_core::sandbox_key::is_minted_by;
use hatbox_core::secret::SessionCredentials;

use super::mfa::{Code, CodeSource};
use super::refusal::{Refused, failure_of};
use super::{Fetching, Locks};
use crate::aws::endpoint::EndpointUrl;
use crate::aws::sts::{AssumeRoleCall, MfaProof, Sending, Signer, Sts, StsSettings};
use crate::aws::sts_error::{StsError, StsProblem};
use crate::env_names;
use crate::report::{Failure, FailureKind};
use crate::sys::lock::Lock;
use crate::world::environment::Environment;
use crate::world::used_codes::UsedCode;
use crate::world::waiting::{leave_failure, wait_for_lock};

/// How often a person may correct a wrong code.
const TRIES: u32 = 3;
/// How often a program that gives a used code is asked again, a half minute later each time.
const NEXT_CODE_WAITS: u32 = 2;

/// A question for a code: the device, the last code of it, the locks that a take-over takes.
struct Asked<'a> {
    mfa: &'a Mfa,
    used: UsedCode,
    locks: [&'a Lock; 2],
}

/// What came of a call.
pub(super) enum Outcome {
    Answered(SessionCredentials),
    /// Another process took the question for the code over.
    AnsweredElsewhere,
}

impl Fetching<'_, '_> {
    /// Makes the call of `step`, signed by `signer`, under the session's lock.
    pub(super) fn make_call(
        &self,
        plan: &Plan,
        step: &Step,
        signer: &Signer,
        locks: Locks<'_>,
    ) -> Result<Outcome, Failure> {
        let settings = resolve_settings(plan, step, &self.world.environment)?;
        self.check_sandbox(signer, step.profile())?;
        if let Some(endpoint) = settings.endpoint.as_ref().filter(|endpoint| !endpoint.is_aws()) {
            self.world.output.note(&format!("STS is {} here, not AWS", endpoint.as_str()));
        }
        let refused = |error: &StsError, source| {
            failure_of(&Refused { error, plan, step, settings: &settings, code_source: source })
        };
        self.world.output.debug(|| format!("calling {} for `{}`", step.call().label(), step.profile()));
        let Some(mfa) = step.mfa() else {
            let client = self.client(&settings, signer, Sending::WithRetries)?;
            return self
                .send(&client, step, None)
                .map(Outcome::Answered)
                .map_err(|error| refused(&error, None));
        };
        let serial = &mfa.serial.value;
        let held_for = format!("the MFA code of {serial}");
        let path = self.lock_path(locks.sessions, "mfa", serial.as_str().as_bytes());
        let device = wait_for_lock(self.world, &path, self.patience(), &held_for)?;
        locks.session.note(self.world.prompter().device(), &held_for);
        let client = self.client(&settings, signer, Sending::Once)?;
        let question = Asked { mfa, used: UsedCode::beside(&path, serial), locks: [locks.session, &device] };
        let result = self.send_with_code(&client, step, &question, &refused);
        if let Err(failure) = &result
            && matches!(failure.kind, FailureKind::Cancelled | FailureKind::NeedsPerson)
        {
            // Whoever waits for the device would ask the same person the same question.
            leave_failure(&device, failure);
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
        let Asked { mfa, used, locks } = asked;
        loop {
            let (code, source) = match self.fetch_code(step.profile(), mfa, locks)? {
                Code::Given(code, source) => (code, source),
                Code::AnsweredElsewhere => return Ok(Outcome::AnsweredElsewhere),
            };
            if used.is(&code) {
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
            used.save(&code).map_err(|error| Failure::of_error(FailureKind::Failed, &error))?;
            tries += 1;
            let proof = MfaProof { serial: mfa.serial.value.clone(), code };
            match self.send(client, step, Some(&proof)) {
                Ok(credentials) => return Ok(Outcome::Answered(credentials)),
                Err(error)
                    if error.problem == StsProblem::WrongCode
                        && source == CodeSource::Person
                        && tries < TRIES =>
                {
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

    fn client(&self, settings: &StsSettings, signer: &Signer, sending: Sending) -> Result<Sts, Failure> {
        Sts::new(settings, signer, self.world.clock.time_source(), sending).map_err(|error| {
            Failure::of_error(FailureKind::Failed, &error)
                .hint("install the package `ca-certificates`, or set AWS_CA_BUNDLE to a file of trusted certificates")
        })
    }

    fn send(
        &self,
        client: &Sts,
        step: &Step,
        mfa: Option<&MfaProof>,
    ) -> Result<SessionCredentials, StsError> {
        match step {
            Step::GetSessionToken(step) => client.fetch_session_token(step.duration.value, mfa),
            Step::AssumeRole(step) => client.fetch_role(&self.role_call(step), mfa),
        }
    }

    fn role_call(&self, step: &AssumeRole) -> AssumeRoleCall {
        AssumeRoleCall {
            role: step.role.value.clone(),
            session_name: match &step.session_name {
                Some(name) => name.value.clone(),
                None => default_session_name(&step.profile, self.world.clock.now().as_second()),
            },
            duration: step.duration.value,
            external_id: step.external_id.as_ref().map(|id| id.value.clone()),
            tags: step.tags.as_ref().map(|tags| tags.value.clone()).unwrap_or_default(),
            transitive_tags: step.transitive_tags.as_ref().map(|tags| tags.value.clone()).unwrap_or_default(),
            source_identity: step.source_identity.as_ref().map(|id| id.value.clone()),
        }
    }

    /// In a sandbox's environment only keys that the sandbox minted are used: no signature and no code of a
    /// real one goes to a sandbox that was left behind.
    fn check_sandbox(&self, signer: &Signer, profile: &ProfileName) -> Result<(), Failure> {
        let Some(sandbox) = self.world.environment.text(env_names::SANDBOX) else { return Ok(()) };
        let id = match signer {
            Signer::Key(key) | Signer::Found { key, .. } => &key.id,
            Signer::Session(session) => &session.access_key_id,
        };
        if is_minted_by(id, &sandbox) {
            return Ok(());
        }
        Err(Failure::new(
            FailureKind::Refused,
            format!(
                "this is a sandbox's environment, and the access key behind `{profile}` is not the sandbox's"
            ),
        )
        .hint(format!("leave the sandbox's shell, or unset {}", env_names::SANDBOX)))
    }
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

/// Regions in which `sts_regional_endpoints = legacy` means the global endpoint (AWS SDKs reference guide).
const LEGACY_REGIONS: [&str; 16] = [
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "aws-global",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

fn resolve_settings(plan: &Plan, step: &Step, environment: &Environment) -> Result<StsSettings, Failure> {
    let asked = &plan.endpoint;
    let region = match &plan.region {
        Some(region) => region.value.as_str().to_owned(),
        None => usual_region(step).to_owned(),
    };
    let is_global = asked.sts_regional.as_ref().is_some_and(|said| said.value == StsRegional::Legacy)
        && LEGACY_REGIONS.contains(&region.as_str());
    let url = match &asked.sts_url {
        Some(url) => Some(url.value.clone()),
        None => is_global.then(|| "https://sts.amazonaws.com".to_owned()),
    };
    let endpoint = url
        .map(|url| EndpointUrl::parse(&url))
        .transpose()
        .map_err(|error| Failure::of_error(FailureKind::Refused, &error))?;
    Ok(StsSettings {
        endpoint,
        region: if is_global && asked.sts_url.is_none() { "us-east-1".to_owned() } else { region },
        use_fips: asked.use_fips.as_ref().is_some_and(|said| said.value),
        use_dualstack: asked.use_dualstack.as_ref().is_some_and(|said| said.value),
        ca_bundle: asked
            .ca_bundle
            .as_ref()
            .map(|path| path.value.clone())
            .or_else(|| environment.text("SSL_CERT_FILE"))
            .map(PathBuf::from),
    })
}

/// Where STS is asked when no region is named: one that every account of the role's partition has.
fn usual_region(step: &Step) -> &'static str {
    let partition = match step {
        Step::AssumeRole(step) => step.role.value.partition(),
        Step::GetSessionToken(step) => {
            step.mfa.as_ref().and_then(|mfa| mfa.serial.value.as_str().split(':').nth(1)).unwrap_or("aws")
        }
    };
    match partition {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        "aws-eusc" => "eusc-de-east-1",
        _ => "us-east-1",
    }
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
