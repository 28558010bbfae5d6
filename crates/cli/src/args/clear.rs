//! `hatbox clear`.

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  hatbox clear                  delete the sessions of all profiles
  hatbox clear dev-infra-admin  delete the sessions of one profile";

/// Delete cached sessions
///
/// Without PROFILE, also deletes the SSO tokens on this machine. To end the sign-ins at Identity Center as well, use
/// `hatbox sso logout`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ClearArgs {
    /// Delete only the sessions of this profile [default: all profiles]
    pub(crate) profile: Option<String>,
}
