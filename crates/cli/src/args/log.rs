//! `hatbox log`.

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  hatbox log
  hatbox log --profile 'prod-*' --since 24h
  hatbox log --json -L 1000 --since 2026-11-01";

/// Show which credentials were used, by what, and why
///
/// The audit log is a file on this machine. hatbox writes it if the setting `audit_log` is `on` or `required`, and for each
/// use with `--reason`. It contains no secrets and no command arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LogArgs {
    /// Show only uses of these profiles; `*` and `?` are wildcards
    #[arg(long, value_name = "PATTERN")]
    pub(crate) profile: Option<String>,

    /// Show only uses by these commands; `*` and `?` are wildcards
    #[arg(long, value_name = "PATTERN")]
    pub(crate) command: Option<String>,

    /// Show only uses since this time: `24h` or `7d` ago, `2026-11-29` or `2026-11-29T16:00:00Z`
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,

    /// Show only uses by coding agents
    #[arg(long)]
    pub(crate) agent: bool,

    /// Show at most this many uses, the newest first
    #[arg(short = 'L', long, value_name = "N", default_value_t = 30)]
    pub(crate) limit: usize,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
