//! GetSessionToken, AssumeRole and AssumeRoleWithWebIdentity.

use std::time::Duration;

use aws_sdk_sts::types::{AssumedRoleUser, Credentials, PolicyDescriptorType, Tag};
use aws_smithy_async::time::SharedTimeSource;
use hatbox_types::name::{MfaSerial, RoleArn};
use hatbox_types::secret::{MfaCode, SecretString, SessionCredentials};
use hatbox_types::text::printable;
use jiff::Timestamp;

use super::client::{ClientError, Runner, Sending, ServiceSettings, Signer, sdk_config};
use super::issued::{IssuedError, check_issued};
use super::sts_error::{NetworkProblem, StsError, StsProblem};

/// The serial number of a device, and one of its codes.
#[derive(Debug, Clone)]
pub(crate) struct MfaProof {
    pub(crate) serial: MfaSerial,
    pub(crate) code: MfaCode,
}

/// The parameters of AssumeRole.
#[derive(Debug, Clone)]
pub(crate) struct AssumeRoleCall {
    pub(crate) role: RoleArn,
    pub(crate) session_name: String,
    pub(crate) duration: Duration,
    pub(crate) external_id: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) transitive_tags: Vec<String>,
    pub(crate) source_identity: Option<String>,
    pub(crate) policies: Policies,
}

/// Session policies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policies {
    pub(crate) document: Option<String>,
    pub(crate) arns: Vec<String>,
}

impl Policies {
    fn descriptors(&self) -> Option<Vec<PolicyDescriptorType>> {
        let describe = |arn: &String| PolicyDescriptorType::builder().arn(arn).build();
        (!self.arns.is_empty()).then(|| self.arns.iter().map(describe).collect())
    }
}

/// The parameters of GetFederationToken.
#[derive(Debug, Clone)]
pub(crate) struct FederationCall {
    pub(crate) name: String,
    pub(crate) duration: Duration,
    pub(crate) policies: Policies,
}

/// The parameters of AssumeRoleWithWebIdentity.
#[derive(Debug)]
pub(crate) struct WebIdentityCall {
    pub(crate) role: RoleArn,
    pub(crate) session_name: String,
    pub(crate) duration: Duration,
    pub(crate) token: SecretString,
    pub(crate) policies: Policies,
}

/// A client for one signer.
pub(crate) struct Sts {
    client: aws_sdk_sts::Client,
    runner: Runner,
    clock: SharedTimeSource,
}

impl Sts {
    /// Creates the client. Calls with an MFA code need [`Sending::Once`]: neither a retry nor a correction of clock
    /// skew may send them again, as AWS rejects a second use of a code.
    pub(crate) fn new(
        settings: &ServiceSettings,
        signer: &Signer,
        clock: SharedTimeSource,
        sending: Sending,
    ) -> Result<Self, ClientError> {
        Self::of_signer(settings, Some(signer), clock, sending)
    }

    /// Creates a client for unsigned calls.
    pub(crate) fn unsigned(settings: &ServiceSettings, clock: SharedTimeSource) -> Result<Self, ClientError> {
        Self::of_signer(settings, None, clock, Sending::WithRetries)
    }

    fn of_signer(
        settings: &ServiceSettings,
        signer: Option<&Signer>,
        clock: SharedTimeSource,
        sending: Sending,
    ) -> Result<Self, ClientError> {
        let (config, runner) = sdk_config(settings, signer, clock.clone(), sending)?;
        Ok(Self { client: aws_sdk_sts::Client::new(&config), runner, clock })
    }

    /// GetSessionToken.
    pub(crate) fn fetch_session_token(
        &self,
        duration: Duration,
        mfa: Option<&MfaProof>,
    ) -> Result<SessionCredentials, StsError> {
        let call = self
            .client
            .get_session_token()
            .duration_seconds(seconds(duration))
            .set_serial_number(mfa.map(|m| m.serial.as_str().to_owned()))
            .set_token_code(mfa.map(|m| m.code.expose().to_owned()));
        let answer = self.runner.run(call.send())?;
        self.check(answer.credentials)
    }

    /// GetFederationToken.
    pub(crate) fn fetch_federation_token(
        &self,
        call: &FederationCall,
    ) -> Result<SessionCredentials, StsError> {
        let request = self
            .client
            .get_federation_token()
            .name(&call.name)
            .duration_seconds(seconds(call.duration))
            .set_policy(call.policies.document.clone())
            .set_policy_arns(call.policies.descriptors());
        let answer = self.runner.run(request.send())?;
        self.check(answer.credentials)
    }

    /// AssumeRole.
    pub(crate) fn fetch_role(
        &self,
        call: &AssumeRoleCall,
        mfa: Option<&MfaProof>,
    ) -> Result<SessionCredentials, StsError> {
        let tags = call
            .tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| StsError { problem: StsProblem::Other, text: error.to_string() })?;
        let request = self
            .client
            .assume_role()
            .role_arn(call.role.as_str())
            .role_session_name(&call.session_name)
            .duration_seconds(seconds(call.duration))
            .set_external_id(call.external_id.clone())
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_transitive_tag_keys((!call.transitive_tags.is_empty()).then(|| call.transitive_tags.clone()))
            .set_source_identity(call.source_identity.clone())
            .set_policy(call.policies.document.clone())
            .set_policy_arns(call.policies.descriptors())
            .set_serial_number(mfa.map(|m| m.serial.as_str().to_owned()))
            .set_token_code(mfa.map(|m| m.code.expose().to_owned()));
        let answer = self.runner.run(request.send())?;
        check_role(answer.assumed_role_user.as_ref(), &call.role)?;
        self.check(answer.credentials)
    }

    /// AssumeRoleWithWebIdentity. The SDK also retries `IDPCommunicationError`, which means that AWS could not reach
    /// the issuer.
    pub(crate) fn fetch_role_with_web_identity(
        &self,
        call: &WebIdentityCall,
    ) -> Result<SessionCredentials, StsError> {
        let request = self
            .client
            .assume_role_with_web_identity()
            .role_arn(call.role.as_str())
            .role_session_name(&call.session_name)
            .duration_seconds(seconds(call.duration))
            .web_identity_token(call.token.expose())
            .set_policy(call.policies.document.clone())
            .set_policy_arns(call.policies.descriptors());
        let answer = self.runner.run(request.send())?;
        check_role(answer.assumed_role_user.as_ref(), &call.role)?;
        self.check(answer.credentials)
    }
}

impl Sts {
    fn check(&self, credentials: Option<Credentials>) -> Result<SessionCredentials, StsError> {
        let now = Timestamp::try_from(self.clock.now()).unwrap_or(Timestamp::MAX);
        parse_credentials(credentials, now, self.runner.trace().date())
    }

    /// How many seconds this machine's clock is ahead of the endpoint's, from its last answer.
    pub(crate) fn clock_ahead(&self) -> Option<i64> {
        let now = Timestamp::try_from(self.clock.now()).ok()?;
        Some(now.as_second() - self.runner.trace().date()?.as_second())
    }

    /// Whether the last request may have left this machine.
    pub(crate) fn may_have_sent(&self) -> bool {
        self.runner.trace().may_have_sent()
    }

    /// GetCallerIdentity: returns the ARN of the signer. It needs no permission and cannot be denied.
    pub(crate) fn fetch_caller(&self) -> Result<String, StsError> {
        let call = self.client.get_caller_identity();
        let answer = self.runner.run(call.send())?;
        let is_arn = |arn: &&str| arn.starts_with("arn:") && arn.chars().all(|c| c.is_ascii_graphic());
        let bad = || StsError {
            problem: StsProblem::Network(NetworkProblem::NotTheService),
            text: "the response has no caller".to_owned(),
        };
        answer.arn().filter(is_arn).map(str::to_owned).ok_or_else(bad)
    }
}

/// Security: the right credentials or none. An endpoint that returns another role's is not trusted.
fn check_role(user: Option<&AssumedRoleUser>, role: &RoleArn) -> Result<(), StsError> {
    let user = user.map_or("no one", AssumedRoleUser::arn);
    if is_session_of(user, role) {
        return Ok(());
    }
    let text = format!("the response is for `{}`, not for the requested role", printable(user));
    Err(StsError { problem: StsProblem::Other, text })
}

/// Whether `arn:PARTITION:sts::ACCOUNT:assumed-role/NAME/SESSION` is a session of `role`.
fn is_session_of(arn: &str, role: &RoleArn) -> bool {
    let prefix =
        format!("arn:{}:sts::{}:assumed-role/{}/", role.partition(), role.account(), role.role_name());
    arn.starts_with(&prefix)
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

/// Checks that the answer contains valid credentials.
fn parse_credentials(
    credentials: Option<Credentials>,
    now: Timestamp,
    date: Option<Timestamp>,
) -> Result<SessionCredentials, StsError> {
    let bad = |text: &str| StsError { problem: StsProblem::Other, text: text.to_owned() };
    let credentials = credentials.ok_or_else(|| bad("the response has no credentials"))?;
    // The SDK's client replaces missing values: with an empty text, and with the start of 1970.
    if credentials.expiration.secs() == 0 {
        return Err(bad("the response does not say when the credentials expire"));
    }
    let expires_at = Timestamp::from_second(credentials.expiration.secs())
        .map_err(|_| bad("the `Expiration` in the response is not a date"))?;
    let secret = SecretString::new(credentials.secret_access_key);
    let token = SecretString::new(credentials.session_token);
    check_issued(&credentials.access_key_id, secret, token, expires_at, now).map_err(|error| {
        let clock_ahead = date.map(|date| now.as_second() - date.as_second());
        let problem = match error {
            IssuedError::Expired { .. } => StsProblem::Expired { clock_ahead },
            _ => StsProblem::Other,
        };
        StsError { problem, text: error.to_string() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_for_another_role_is_kept_apart() {
        let role = RoleArn::parse("arn:aws:iam::444455556666:role/team/Ops").unwrap();
        assert!(is_session_of("arn:aws:sts::444455556666:assumed-role/Ops/me", &role));
        for other in [
            "arn:aws:sts::444455556666:assumed-role/OpsAdmin/me",
            "arn:aws:sts::111122223333:assumed-role/Ops/me",
            "arn:aws-cn:sts::444455556666:assumed-role/Ops/me",
            "nobody",
        ] {
            assert!(!is_session_of(other, &role), "{other}");
        }
    }
}
