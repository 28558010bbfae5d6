//! `hatbox each`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::SessionArgs;

/// Repeated for each flag, as in [`SessionArgs`].
const PROFILES: &str = "Profiles";

const EXAMPLES: &str = "\
Examples:
  hatbox each 'prod-*' -- aws s3 ls         run it with each of these profiles
  hatbox each --tag env=prod --dry-run      show which profiles that selects
  hatbox each --all --json -- aws sts get-caller-identity
  hatbox each 'dev-*' -j 8 --fail-fast -- sh -c 'terraform plan -out $HATBOX'

The exit code is the highest of all commands: 128+n for one that a signal n \
ended, 125 for a profile without credentials, 126 if the command cannot be \
run, 127 if it is not found; 130 after Ctrl-C.";

/// Run a command with each of several profiles
///
/// Before any command runs, hatbox asks once for what the profiles share: a sign-in or an MFA code. The commands get the
/// environment that `hatbox exec` sets, with the profile's name in HATBOX, an empty stdin, and no terminal.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct EachArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,

    /// Use all profiles
    #[arg(long, help_heading = PROFILES)]
    pub(crate) all: bool,

    /// Use the profiles that FILE names, one per line; `-` reads stdin
    #[arg(long, value_name = "FILE", help_heading = PROFILES)]
    pub(crate) from: Vec<PathBuf>,

    /// Use only profiles with this word in `hatbox_tags`; may be repeated, to require all of them
    #[arg(long, value_name = "TAG", help_heading = PROFILES)]
    pub(crate) tag: Vec<String>,

    /// Use only profiles whose credentials belong to this account; may be repeated
    #[arg(long, value_name = "ACCOUNT_ID", help_heading = PROFILES)]
    pub(crate) account: Vec<String>,

    /// Leave out profiles that match this name or pattern; may be repeated
    #[arg(long, value_name = "PATTERN", help_heading = PROFILES)]
    pub(crate) exclude: Vec<String>,

    /// Run this many commands at a time, up to 128 [default: the number of CPUs]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=128))]
    pub(crate) jobs: Option<u16>,

    /// Print the output of each command as a whole when it ends
    #[arg(long)]
    pub(crate) group: bool,

    /// Print a line of JSON for each command when it ends
    #[arg(long, conflicts_with = "group")]
    pub(crate) json: bool,

    /// Start no more commands after one fails; let the running ones end
    #[arg(long, conflicts_with = "keep_going")]
    pub(crate) fail_fast: bool,

    /// Run the other commands even if one fails (the default)
    #[arg(short, long)]
    pub(crate) keep_going: bool,

    /// Show the profiles and what would be asked for, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Run even inside another `hatbox exec`
    #[arg(long)]
    pub(crate) nested: bool,

    /// Run each command in a new session keyring, without the unlocked store [setting: isolate_child]
    #[arg(long)]
    pub(crate) isolate: bool,

    /// Names of profiles, or patterns of names with `*` and `?`, in quotes
    #[arg(value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,

    /// The command and its arguments
    #[arg(last = true, value_name = "COMMAND", required_unless_present = "dry_run")]
    pub(crate) command: Vec<OsString>,
}
