//! AssumeRoleWithWebIdentity: exchanges a token, from a file or a command, for a role session. The request is not
//! signed.

use std::path::Path;

use hatbox_core::config::profile::{Origin, Sourced, WebIdentity};
use hatbox_core::plan::Base;
use hatbox_types::name::{ProfileName, RoleArn};
use hatbox_types::partition::Partition;
use hatbox_types::secret::SecretString;
use hatbox_types::text;

use super::BaseCredentials;
use crate::aws::client::Signer;
use crate::aws::sts::{Sts, WebIdentityCall};
use crate::aws::sts_error::{StsError, StsProblem};
use crate::credentials::denial::add_hints_of_network;
use crate::credentials::plan::Planned;
use crate::credentials::profile_command::ProfileCommand;
use crate::credentials::service::{check_sandbox_token, resolve_sts_settings};
use crate::credentials::session_name::default_session_name;
use crate::credentials::step::policies_of;
use crate::errors::{Failure, FailureKind};
use crate::files::token_file::read_token_file;

/// Token lengths that STS accepts, in characters (API reference, AssumeRoleWithWebIdentity).
const TOKEN_LENGTHS: std::ops::RangeInclusive<usize> = 4..=20_000;

/// Reads the token from its file again, as it may have been replaced. Returns `None` if a command prints the token or
/// the plan has another base.
pub(in crate::credentials) fn read_from_file(planned: &Planned) -> Result<Option<SecretString>, Failure> {
    match &planned.plan.base {
        Base::WebIdentity { profile, token, .. } if matches!(token.value, WebIdentity::File(_)) => {
            read_token(planned, profile, token).map(Some)
        }
        _ => Ok(None),
    }
}

/// Does the same without reporting errors, for a plan that is only displayed.
pub(crate) fn read_quietly(base: &Base) -> Option<SecretString> {
    let Base::WebIdentity { token: Sourced { value: WebIdentity::File(path), .. }, .. } = base else {
        return None;
    };
    parse_token(&read_token_file(Path::new(path)).ok()?).ok()
}

/// Sends the token: the text that was read from the file for this run, or the output of the command.
pub(super) fn run(planned: &Planned, base: &Base) -> Result<BaseCredentials, Failure> {
    let Base::WebIdentity { profile, token, text, role, session_name, duration, policies } = base else {
        return Err(Failure::new(FailureKind::Failed, "the credential plan names no web identity"));
    };
    let world = &planned.world;
    // The cached session is keyed by this text, so the same text must be sent.
    let text = match text {
        Some(text) => text.clone(),
        None => read_token(planned, profile, token)?,
    };
    // Security: the request is not signed, so no access key is checked before the token is sent.
    check_sandbox_token(&world.environment, &text, profile)?;
    let partition = Partition::parse(role.value.partition()).unwrap_or(Partition::Aws);
    let settings = resolve_sts_settings(&planned.plan, partition, &world.environment)?;
    world.announce_endpoint("STS", settings.endpoint.as_ref());
    let call = WebIdentityCall {
        role: role.value.clone(),
        session_name: match session_name {
            Some(name) => name.value.clone(),
            None => default_session_name(profile, world.clock.now().as_second()),
        },
        duration: duration.value,
        token: text,
        policies: policies.as_deref().map(policies_of).unwrap_or_default(),
    };
    world.output.debug(|| format!("calling AssumeRoleWithWebIdentity for `{profile}`"));
    let client = Sts::unsigned(&settings, world.clock.time_source())?;
    match client.fetch_role_with_web_identity(&call) {
        Ok(credentials) => Ok(Signer::Session(credentials).into()),
        Err(error) => {
            let failure = failure_of(profile, &role.value, &error);
            Err(match &error.problem {
                StsProblem::AwsError(answer) => add_hints(failure, &answer.code, &role.value, token),
                problem => add_hints_of_network(failure, problem, &settings, None),
            }
            .shared())
        }
    }
}

fn failure_of(profile: &ProfileName, role: &RoleArn, error: &StsError) -> Failure {
    let headline = format!("could not assume the role of profile `{profile}` ({role}) with its web identity");
    Failure::new(FailureKind::Failed, headline).caused_by(error)
}

/// Adds hints for an error that STS returned about the token or the role.
fn add_hints(failure: Failure, code: &str, role: &RoleArn, token: &Sourced<WebIdentity>) -> Failure {
    let source = match &token.value {
        WebIdentity::File(path) => format!("`{path}`"),
        WebIdentity::Process(_) => "`web_identity_token_process`".to_owned(),
    };
    match code {
        "ExpiredTokenException" | "ExpiredToken" => {
            failure.hint(format!("the token has expired: get a new one into {source}"))
        }
        "InvalidIdentityToken" => failure.hint(format!(
            "check the token of {source}: its issuer must be an identity provider of account {}, and its audience one \
             of the provider's",
            role.account()
        )),
        "IDPCommunicationError" => {
            failure.hint("AWS cannot reach the identity provider that issued the token; try again in a moment")
        }
        "PackedPolicyTooLarge" => failure.hint("the session policies are too long: shorten --policy"),
        "IDPRejectedClaim" => failure.hint("the identity provider rejected the token; sign in there again"),
        "AccessDenied" => failure.hint(format!(
            "check that the trust policy of {} allows sts:AssumeRoleWithWebIdentity for the token's `sub` and `aud`",
            role.role_name()
        )),
        _ => failure,
    }
}

fn read_token(
    planned: &Planned,
    profile: &ProfileName,
    token: &Sourced<WebIdentity>,
) -> Result<SecretString, Failure> {
    let at = |failure: Failure| match token.origin.place() {
        Some(place) => failure.at(planned.files.shown_place(place)),
        None => failure,
    };
    let (bytes, headline) = match &token.value {
        WebIdentity::File(path) => {
            let headline = format!("could not read the web identity token `{path}` of profile `{profile}`");
            let bytes = read_token_file(Path::new(path)).map_err(|error| {
                let failure = at(Failure::new(FailureKind::Failed, headline.as_str()).caused_by(&error));
                match (&token.origin, error.kind()) {
                    (Origin::Env(name), std::io::ErrorKind::NotFound) => {
                        failure.hint(format!("{name} names it: correct the variable, or unset it"))
                    }
                    _ => failure,
                }
            })?;
            (bytes, headline)
        }
        WebIdentity::Process(command) => {
            let headline = format!("`web_identity_token_process` of profile `{profile}` returned no token");
            let command = Sourced { value: command.clone(), origin: token.origin.clone() };
            let call = ProfileCommand {
                key: "web_identity_token_process",
                profile,
                command: &command,
                timeout: planned.patience(),
                headline: &headline,
            };
            (call.run(planned).map_err(at)?, headline)
        }
    };
    parse_token(&bytes)
        .map_err(|error| at(Failure::new(FailureKind::Failed, headline).caused_by(&error).shared()))
}

/// Why a text is not a usable token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum TokenError {
    #[error("it is empty")]
    Empty,
    #[error("it has {}; a token has 4 to 20,000", text::count(*.0, "character"))]
    Length(usize),
    #[error("it has a blank or a character outside printable ASCII, which no token has")]
    Character,
}

/// Removes the whitespace around the token, which editors and `echo` add and STS rejects.
fn parse_token(bytes: &[u8]) -> Result<SecretString, TokenError> {
    let bytes = bytes.trim_ascii();
    if bytes.is_empty() {
        return Err(TokenError::Empty);
    }
    if !TOKEN_LENGTHS.contains(&bytes.len()) {
        return Err(TokenError::Length(bytes.len()));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.bytes().all(|b| b.is_ascii_graphic()) => Ok(SecretString::new(text.to_owned())),
        _ => Err(TokenError::Character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_loses_its_line_end_and_must_be_one() {
        let parse = |text: &str| parse_token(text.as_bytes()).map(|token| token.expose().to_owned());
        assert_eq!(parse("eyJh.b-_.c\n").as_deref(), Ok("eyJh.b-_.c"));
        assert_eq!(parse(" \n"), Err(TokenError::Empty));
        assert_eq!(parse("abc"), Err(TokenError::Length(3)));
        assert_eq!(parse("a").unwrap_err().to_string(), "it has 1 character; a token has 4 to 20,000");
        assert_eq!(parse(&"x".repeat(20_001)), Err(TokenError::Length(20_001)));
        assert_eq!(parse("two lines\nhere"), Err(TokenError::Character));
        assert_eq!(parse_token(b"\xff\xfe\xff\xff").err(), Some(TokenError::Character));
    }
}
