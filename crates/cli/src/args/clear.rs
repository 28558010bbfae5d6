//! `hatbox clear`.

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  hatbox clear                  delete the sessions of all profiles
  hatbox clear dev-infra-admin  delete the sessions of one profile";

/// Delete cached sessions
///
/// Without a profile, also deletes the tokens of SSO here. `hatbox sso logout` ends the sign-ins at Identity Center too.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ClearArgs {
    /// Delete only the sessions of this profile [default: all profiles]
    pub(crate) profile: Option<String>,
}
