//! `credential_source = Ec2InstanceMetadata`: the role of the EC2 instance that hatbox runs on, by IMDSv2.
//!
//! IMDSv1 is never used: it answers any program that can be tricked into a plain GET request.

use std::time::Duration;

use hatbox_core::answer::parse_service_answer;
use hatbox_core::config::profile::Origin;
use hatbox_types::name::ProfileName;
use hatbox_types::text::printable_start;
use zeroize::Zeroizing;

use super::BaseCredentials;
use super::machine_failure::MachineFailure;
use crate::aws::endpoint::EndpointUrl;
use crate::aws::machine::{MachineAnswer, MachineRequest, MachineService};
use crate::credentials::plan::{METADATA_DISABLED, Planned, is_instance_metadata_disabled};
use crate::errors::{Failure, FailureKind};

const TOKEN_HEADER: &str = "x-aws-ec2-metadata-token";
const LIFE_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
/// The maximum lifetime of an IMDSv2 token, in seconds. The token is used for two requests and dropped.
const TOKEN_LIFE: &str = "21600";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
/// On an instance, the service answers within milliseconds; anywhere else there is no service to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Requests a token, then the name of the role, then its credentials.
pub(super) fn run(
    planned: &Planned,
    profile: &ProfileName,
    url: &str,
    origin: &Origin,
) -> Result<BaseCredentials, Failure> {
    let failure = MachineFailure {
        planned,
        origin,
        headline: format!("could not get the instance's role for profile `{profile}` from {url}"),
    };
    if is_instance_metadata_disabled(&planned.world.environment) {
        return Err(failure
            .of_text(FailureKind::Refused, &format!("{METADATA_DISABLED} turns instance metadata off"))
            .hint(format!("unset {METADATA_DISABLED}")));
    }
    let endpoint = EndpointUrl::parse_of_machine(url).map_err(|error| failure.of_endpoint(&error))?;
    if !endpoint.is_on_machine() {
        planned.world.announce_endpoint("instance metadata", Some(&endpoint));
    }
    let client = Imds {
        service: MachineService::open("instance metadata", &endpoint, TIMEOUT)
            .map_err(|error| failure.of_error(&error))?,
        url: url.trim_end_matches('/'),
        failure: &failure,
    };
    let token = client.fetch_token()?;
    let role = client.fetch_role(&token)?;
    let answer = client.get(&format!("{ROLES}{role}"), &token)?;
    let given = parse_service_answer(&answer.body, planned.world.clock.now())
        .map_err(|error| failure.of_error(&error))?;
    Ok(given.into())
}

struct Imds<'a> {
    service: MachineService,
    /// Without a trailing slash.
    url: &'a str,
    failure: &'a MachineFailure<'a>,
}

impl Imds<'_> {
    fn fetch_token(&self) -> Result<Zeroizing<String>, Failure> {
        let request = MachineRequest {
            method: "PUT",
            url: format!("{}/latest/api/token", self.url),
            headers: &[(LIFE_HEADER, TOKEN_LIFE)],
        };
        let answer = self.service.send(&request).map_err(|error| {
            self.failure.of_error(&error).hint(
                "instance metadata exists only on EC2 instances; for containers on one, its hop limit must \
                 be 2 or more",
            )
        })?;
        let text = std::str::from_utf8(&answer.body).unwrap_or_default();
        match answer.status {
            200 if !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(Zeroizing::new(text.to_owned()))
            }
            200 => Err(self
                .failure
                .of_text(FailureKind::Failed, "it returned no token: the service is not IMDSv2")),
            status => Err(self
                .failure
                .of_text(FailureKind::Failed, &format!("it returned no token (HTTP {status})"))
                .hint(
                    "hatbox uses IMDSv2 only; allow it for the instance, and a hop limit of 2 for containers",
                )),
        }
    }

    fn fetch_role(&self, token: &str) -> Result<String, Failure> {
        let answer = self.get(ROLES, token)?;
        let text = std::str::from_utf8(&answer.body).unwrap_or_default();
        let role = text.lines().next().unwrap_or_default().trim();
        let is_name = (1..=64).contains(&role.len())
            && role.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
        if is_name {
            Ok(role.to_owned())
        } else {
            let text = format!("`{}` is not the name of a role", printable_start(role, 64));
            Err(self.failure.of_text(FailureKind::Failed, &text))
        }
    }

    fn get(&self, path: &str, token: &str) -> Result<MachineAnswer, Failure> {
        let request = MachineRequest {
            method: "GET",
            url: format!("{}{path}", self.url),
            headers: &[(TOKEN_HEADER, token)],
        };
        let answer = self.service.send(&request).map_err(|error| self.failure.of_error(&error))?;
        match answer.status {
            200 => Ok(answer),
            404 => Err(self
                .failure
                .of_text(FailureKind::Failed, "no role is attached to the instance (HTTP 404)")
                .hint("attach an instance profile with a role to the instance")),
            status => Err(self.failure.of_text(FailureKind::Failed, &format!("it returned HTTP {status}"))),
        }
    }
}
