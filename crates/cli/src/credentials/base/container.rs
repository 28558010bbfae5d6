//! `credential_source = EcsContainer`: the role of the ECS task or EKS pod that hatbox runs in, or of any other program
//! that serves credentials over the same protocol.

use std::path::Path;
use std::time::Duration;

use hatbox_core::answer::{AnswerError, parse_service_answer};
use hatbox_core::config::profile::Origin;
use hatbox_types::name::ProfileName;
use zeroize::Zeroizing;

use super::BaseCredentials;
use super::machine_failure::MachineFailure;
use crate::aws::endpoint::EndpointUrl;
use crate::aws::machine::{MachineRequest, MachineService};
use crate::credentials::plan::Planned;
use crate::errors::{Failure, FailureKind};
use crate::files::token_file::read_token_file;

const FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
/// Allows for a server that calls AWS before it answers.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Fetches credentials from the endpoint that the environment names.
pub(super) fn run(
    planned: &Planned,
    profile: &ProfileName,
    url: Option<&str>,
    origin: &Origin,
) -> Result<BaseCredentials, Failure> {
    let from = url.map(|url| format!(" from {url}")).unwrap_or_default();
    let failure = MachineFailure {
        planned,
        origin,
        headline: format!("could not get the container's role for profile `{profile}`{from}"),
    };
    let Some(url) = url else {
        return Err(failure
            .of_text(FailureKind::Failed, &format!("{FULL_URI} is not set"))
            .hint("ECS and EKS set it in their containers; elsewhere, use another `credential_source`"));
    };
    let endpoint = EndpointUrl::parse_of_machine(url).map_err(|error| failure.of_endpoint(&error))?;
    if !endpoint.is_on_machine() {
        planned.world.announce_endpoint("container credentials", Some(&endpoint));
    }
    let token = read_token(&failure)?;
    let mut headers = vec![("accept", "application/json")];
    headers.extend(token.as_ref().map(|token| ("authorization", token.as_str())));
    let service = MachineService::open("the container credential endpoint", &endpoint, TIMEOUT)
        .map_err(|error| failure.of_error(&error))?;
    let request = MachineRequest { method: "GET", url: url.to_owned(), headers: &headers };
    let answer = service.send(&request).map_err(|error| failure.of_error(&error))?;
    let given = parse_service_answer(&answer.body, planned.world.clock.now());
    match (answer.status, given) {
        (200, Ok(given)) => Ok(given.into()),
        (200, Err(error)) => Err(failure.of_error(&error)),
        (status, Err(AnswerError::Service { code, message })) => Err(with_hint(
            failure.of_text(FailureKind::Failed, &format!("HTTP {status}: {code}: {message}")),
            status,
        )),
        (status, _) => Err(with_hint(
            failure.of_text(FailureKind::Failed, &format!("it returned HTTP {status}")),
            status,
        )),
    }
}

fn with_hint(failure: Failure, status: u16) -> Failure {
    match status {
        401 | 403 => {
            failure.hint(format!("check the token in {TOKEN} or in the file that {TOKEN_FILE} names"))
        }
        _ => failure,
    }
}

/// Reads the token. The file takes precedence over the variable, and is read each time because EKS replaces it.
fn read_token(failure: &MachineFailure<'_>) -> Result<Option<Zeroizing<String>>, Failure> {
    let environment = &failure.planned.world.environment;
    let (name, token) = match (environment.text(TOKEN_FILE), environment.text(TOKEN)) {
        (Some(path), _) => {
            let bytes = read_token_file(Path::new(&path)).map_err(|error| {
                failure.of_error(&error).hint(format!("{TOKEN_FILE} names `{path}`: correct or unset it"))
            })?;
            let text = std::str::from_utf8(&bytes).unwrap_or_default();
            // AWS's tools reject a token with a line end, so it cannot be part of the token.
            (TOKEN_FILE, Zeroizing::new(text.trim().to_owned()))
        }
        (None, Some(token)) => (TOKEN, Zeroizing::new(token)),
        (None, None) => return Ok(None),
    };
    // Security: a line end in a header value would start another header.
    if token.is_empty() || token.chars().any(|c| c.is_control() || !c.is_ascii()) {
        let text = format!("the token in {name} is empty or has a character that a header cannot have");
        return Err(failure.of_text(FailureKind::Failed, &text));
    }
    Ok(Some(token))
}
