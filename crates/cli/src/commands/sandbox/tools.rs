//! The programs that the demo uses if they are installed: the real `aws` and `terraform`.

use super::player::{Player, is_there};
use super::scene::Scene;
use crate::errors::Failure;

/// The S3 client of the demo.
pub(super) enum S3Tool {
    /// The real program, in this version.
    Aws { version: String, endpoint: Endpoint },
    /// `hatbox sandbox s3`, for this reason.
    Own(&'static str),
}

/// How the real program learns the sandbox's endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// From `AWS_ENDPOINT_URL`.
    Variable,
    /// From `--endpoint-url`, as this version ignores the variable.
    Flag,
}

/// Whether the demo uses terraform.
pub(super) enum Terraform {
    /// The real program, in this version.
    Version(String),
    /// Not used, for this reason.
    Absent(&'static str),
}

impl S3Tool {
    /// The words before `s3 ls` and the like.
    pub(super) fn words(&self, url: &str) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Aws { endpoint: Endpoint::Variable, .. } => &["aws", "s3"],
            Self::Aws { endpoint: Endpoint::Flag, .. } => &["aws", "--endpoint-url", url, "s3"],
            Self::Own(_) => &["hatbox", "sandbox", "s3"],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

pub(super) fn find_aws(player: &mut Player<'_>, scene: &Scene<'_>) -> Result<S3Tool, Failure> {
    if !is_there(scene, "aws") {
        return Ok(S3Tool::Own("no `aws` is on PATH"));
    }
    let mut command = scene.command("aws");
    command.arg("--version");
    let played = player.run_unseen(command)?;
    Ok(match parse_aws_version(&played.text).filter(|_| played.code == 0) {
        Some((version, endpoint)) => S3Tool::Aws { version, endpoint },
        None => S3Tool::Own("the `aws` on PATH does not run with another HOME"),
    })
}

pub(super) fn find_terraform(player: &mut Player<'_>, scene: &Scene<'_>) -> Result<Terraform, Failure> {
    if !is_there(scene, "terraform") {
        return Ok(Terraform::Absent("no `terraform` is on PATH"));
    }
    let mut command = scene.command("terraform");
    command.arg("version");
    let played = player.run_unseen(command)?;
    let version = played.text.lines().find_map(|line| line.strip_prefix("Terraform v")).map(str::to_owned);
    Ok(match version.filter(|_| played.code == 0) {
        // Since 1.10, the S3 backend has its own lock file.
        Some(version) if parse_numbers(&version) >= Some((1, 10)) => Terraform::Version(version),
        Some(_) => Terraform::Absent("the `terraform` on PATH is older than 1.10"),
        None => Terraform::Absent("the `terraform` on PATH does not run with another HOME"),
    })
}

/// Parses `aws-cli/2.15.0 Python/3.11.6 ...`. `AWS_ENDPOINT_URL` is supported since 1.29 and 2.13 (AWS SDKs reference
/// guide, service-specific endpoints).
fn parse_aws_version(text: &str) -> Option<(String, Endpoint)> {
    let version = text.lines().find_map(|line| line.strip_prefix("aws-cli/"))?.split(' ').next()?;
    let numbers = parse_numbers(version)?;
    let knows = match numbers {
        (0 | 1, _) => numbers >= (1, 29),
        _ => numbers >= (2, 13),
    };
    Some((version.to_owned(), if knows { Endpoint::Variable } else { Endpoint::Flag }))
}

fn parse_numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_of_aws_get_the_endpoint_by_flag() {
        let table = [
            ("aws-cli/1.45.11 Python/3.11.7 Linux/6.1 botocore/1.43.11", Some(Endpoint::Variable)),
            ("aws-cli/1.28.9 Python/3.7", Some(Endpoint::Flag)),
            ("aws-cli/2.9.19 Python/3.11.2 Linux/6.1 source/x86_64.debian.12", Some(Endpoint::Flag)),
            ("aws-cli/2.13.0 Python/3.11.4", Some(Endpoint::Variable)),
            ("a warning\naws-cli/2.31.0 Python/3.13", Some(Endpoint::Variable)),
            ("pyenv: aws: command not found", None),
            ("aws-cli/x", None),
        ];
        for (text, endpoint) in table {
            assert_eq!(parse_aws_version(text).map(|(_, endpoint)| endpoint), endpoint, "{text}");
        }
    }
}
