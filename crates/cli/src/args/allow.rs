//! `hatbox allow`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  hatbox allow            show the file of this project, and allow it
  hatbox allow --revoke   revoke the permission";

/// Allow a project's `.hatbox.toml` to name the profile
///
/// Without a profile in its line, `hatbox exec` and `hat` then use that of the file. The permission is for the file as it is now: after
/// a change of its content, or of the role of its profile, it asks for a new one.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AllowArgs {
    /// Take the permission back
    #[arg(long)]
    pub(crate) revoke: bool,

    /// Allow it without asking
    #[arg(long, alias = "force", conflicts_with = "revoke")]
    pub(crate) yes: bool,

    /// The directory of the project [default: this directory, and those above it]
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}
