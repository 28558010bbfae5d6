//! `hatbox hat`: what the shell function `hat` calls.

use clap::Args;

use super::SessionArgs;

const EXAMPLES: &str = "\
Examples:
  hat dev         assume the role of the profile `dev` in this shell
  hat -d 2h dev   with options of `hatbox exec`
  hat -           return to the previous profile
  hat --drop      remove the credentials from this shell";

/// Assume the role of a profile in this shell
///
/// `hat` is a shell function, which `hatbox shell-init` defines. It renews the credentials before they expire.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, override_usage = "hat [OPTIONS] [PROFILE]\n       hat -\n       hat --drop")]
pub(crate) struct HatArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,

    /// Remove the credentials from this shell; its variables are again as they were before
    // Declared for the help: the shell function implements it.
    #[arg(short = 'u', long, visible_alias = "unset")]
    pub(crate) drop: bool,

    /// Renew credentials that expire at this time, in seconds since 1970, and ask no one
    #[arg(long, hide = true, value_name = "SECONDS")]
    pub(crate) renew: Option<i64>,

    /// The profile of the call before, in the place of PROFILE
    #[arg(long, hide = true, value_name = "PROFILE")]
    pub(crate) of: Option<String>,

    /// The profile to use [default: AWS_PROFILE]
    pub(crate) profile: Option<String>,
}
