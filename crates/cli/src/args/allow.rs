//! `hatbox allow`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  hatbox allow            show the file of this project, and allow it
  hatbox allow --revoke   revoke the permission";

/// Allow a project's `.hatbox.toml` to name the profile
///
/// Without PROFILE, `hatbox exec` and `hat` then use the profile of the file. If the file or the role of its profile
/// changes later, you must allow it again.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AllowArgs {
    /// Revoke the permission
    #[arg(long)]
    pub(crate) revoke: bool,

    /// Allow it without asking
    #[arg(long, alias = "force", conflicts_with = "revoke")]
    pub(crate) yes: bool,

    /// The directory of the project [default: this directory, and those above it]
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}
