//! `hatbox trust` and its commands.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Find out who can assume which role, and why not
///
/// Evaluates IAM policies offline, as AWS evaluates them.
#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    #[command(subcommand)]
    pub(crate) command: TrustCommand,
}

/// The commands of `hatbox trust`.
#[derive(Debug, Subcommand)]
pub(crate) enum TrustCommand {
    Evaluate(TrustEvaluateArgs),
    Lint(TrustLintArgs),
    Can(TrustCanArgs),
    Who(TrustWhoArgs),
    Reach(TrustReachArgs),
    Graph(TrustGraphArgs),
    Snapshot(TrustSnapshotArgs),
    RequireMfa(TrustRequireMfaArgs),
}

/// Evaluate many requests, one line of JSON each
///
/// docs/trust-evaluate.md describes the lines. For a line that cannot be read, the output is an error; the others are
/// still evaluated, and the exit code is 1.
#[derive(Debug, Args)]
pub(crate) struct TrustEvaluateArgs {
    /// The file with the requests; `-` is stdin
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
}

/// Check trust policies and report who can assume their roles
///
/// Checks each caller with and without MFA, with a session token and by role chaining; finds holes, typing mistakes
/// and what AWS rejects. docs/lint-in-ci.md lists the rules. The exit code is 5 when there are findings.
#[derive(Debug, Args)]
pub(crate) struct TrustLintArgs {
    /// Trust policies, directories of `.json` files, or `-` for stdin
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) sources: TrustSourceArgs,

    /// The output format
    #[arg(long, value_enum, default_value_t = LintFormat::Text)]
    pub(crate) format: LintFormat,

    /// Show every policy in full, including those without findings
    #[arg(long)]
    pub(crate) all: bool,

    /// The lowest level of findings for which the exit code is 5
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = LintLevel::Error)]
    pub(crate) fail_on: LintLevel,

    /// The caller to evaluate [default: the first account, user or role that the policy trusts]
    #[arg(long, value_name = "ARN")]
    pub(crate) caller: Option<String>,

    /// The role session name that the caller requests
    #[arg(long, value_name = "NAME")]
    pub(crate) role_session_name: Option<String>,

    /// A condition key of the request; repeatable, also for one key
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) context: Vec<String>,
}

/// A form of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// A level of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintLevel {
    /// Security holes, and what cannot work
    Error,
    /// Also what may be a mistake
    Warning,
    /// Also what is worth knowing
    Info,
}

/// Save the IAM data of accounts in a file, for offline use
///
/// Saves users, groups, roles, policies, MFA devices and maximum session durations; no secrets. Reports and leaves out
/// what the profile has no permission to read. docs/trust-snapshot.md describes the file.
#[derive(Debug, Args)]
pub(crate) struct TrustSnapshotArgs {
    /// A profile of the account to read; repeatable [default: AWS_PROFILE]
    #[arg(long = "profile", value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,

    /// The file to write; `-` is stdout
    #[arg(short, long, value_name = "FILE", required_unless_present = "dry_run")]
    pub(crate) output: Option<PathBuf>,

    /// The MFA code for the profile, instead of a prompt
    #[arg(short = 't', long, value_name = "CODE")]
    pub(crate) mfa_token: Option<String>,

    /// Print the calls that would be made, and make none
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What is known of users and roles.
#[derive(Debug, Args)]
pub(crate) struct TrustSourceArgs {
    /// A source of users, roles and policies: a snapshot, account details, a Terraform state or plan, a trust policy, a
    /// directory of those, or `live`, which reads IAM with AWS_PROFILE (`live:PROFILE` for another profile); repeatable
    /// [setting: trust.sources]
    #[arg(long = "from", value_name = "SRC")]
    pub(crate) from: Vec<PathBuf>,

    /// The MFA code for `live`, instead of a prompt
    #[arg(short = 't', long, value_name = "CODE")]
    pub(crate) mfa_token: Option<String>,
}

/// What a question leaves open.
#[derive(Debug, Args)]
pub(crate) struct TrustGivenArgs {
    /// A condition key and its value, such as `aws:SourceIp=203.0.113.7`; repeatable
    #[arg(long = "context", value_name = "KEY=VALUE", value_parser = parse_context)]
    pub(crate) context: Vec<(String, String)>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Find out whether a user or role can assume a role
///
/// Exit code 0: yes; 3: no; 6: not known, because facts are missing, which the output names. docs/trust-sources.md
/// lists the sources.
#[derive(Debug, Args)]
pub(crate) struct TrustCanArgs {
    /// The user or role: an ARN, a name or a profile
    #[arg(value_name = "CALLER")]
    pub(crate) caller: String,

    /// The role to assume: an ARN, a name or a profile
    #[arg(value_name = "ROLE")]
    pub(crate) role: String,

    /// Assume that an MFA code is sent
    #[arg(long, conflicts_with = "no_mfa")]
    pub(crate) mfa: bool,

    /// Assume that no MFA code is sent [default: one is sent if needed]
    #[arg(long)]
    pub(crate) no_mfa: bool,

    /// A role to assume first; repeatable, in order
    #[arg(long, value_name = "ROLE")]
    pub(crate) via: Vec<String>,

    #[command(flatten)]
    pub(crate) given: TrustGivenArgs,

    #[command(flatten)]
    pub(crate) sources: TrustSourceArgs,
}

/// List who can assume a role, directly or by role chaining
#[derive(Debug, Args)]
pub(crate) struct TrustWhoArgs {
    /// The role: an ARN, a name or a profile
    #[arg(value_name = "ROLE")]
    pub(crate) role: String,

    #[command(flatten)]
    pub(crate) given: TrustGivenArgs,

    #[command(flatten)]
    pub(crate) sources: TrustSourceArgs,
}

/// List the roles that a user or role can assume
#[derive(Debug, Args)]
pub(crate) struct TrustReachArgs {
    /// The user or role: an ARN, a name or a profile
    #[arg(value_name = "CALLER")]
    pub(crate) caller: String,

    #[command(flatten)]
    pub(crate) given: TrustGivenArgs,

    #[command(flatten)]
    pub(crate) sources: TrustSourceArgs,
}

/// Draw who can assume which role, and whether MFA is required
///
/// If there are more than 60 users and roles, those with the same relations are drawn as one; JSON has them all.
/// docs/trust-sources.md lists the sources.
#[derive(Debug, Args)]
pub(crate) struct TrustGraphArgs {
    #[command(flatten)]
    pub(crate) sources: TrustSourceArgs,

    /// The file to write; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// The output format [default: by the extension of FILE; text on stdout]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<TrustGraphFormat>,

    /// Draw with ASCII characters [default: if the terminal is not UTF-8]
    #[arg(long)]
    pub(crate) ascii: bool,
}

/// The forms of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TrustGraphFormat {
    /// A picture, in the light or dark mode of the reader
    Svg,
    /// For the terminal
    Text,
    /// For Graphviz
    Dot,
    /// For programs
    Json,
}

/// Change a trust policy so that it requires MFA
///
/// Shows the change and who would lose access; writes it with --apply only. Exit code 3: a guard refuses.
/// docs/protect-a-role-with-mfa.md says what is changed, and what never is.
#[derive(Debug, Args)]
pub(crate) struct TrustRequireMfaArgs {
    /// The role: an ARN, a name or the profile that assumes it
    #[arg(value_name = "ROLE", required_unless_present_any = ["restore", "file"])]
    pub(crate) role: Option<String>,

    /// A file with a trust policy, instead of a role
    #[arg(long, value_name = "FILE", conflicts_with_all = ["role", "profile", "from", "yes", "verify", "restore"])]
    pub(crate) file: Option<PathBuf>,

    /// The profile that reads and writes the role [default: AWS_PROFILE]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,

    /// A source of users and roles of other accounts, as for `hatbox trust who`; repeatable
    #[arg(long = "from", value_name = "SRC")]
    pub(crate) from: Vec<PathBuf>,

    /// The MFA code for the profile, instead of a prompt
    #[arg(short = 't', long, value_name = "CODE", conflicts_with = "file")]
    pub(crate) mfa_token: Option<String>,

    /// The maximum age of the MFA authentication, such as `12h`
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_age: Option<String>,

    /// Write the policy: to IAM after a question, to a file without one
    #[arg(long)]
    pub(crate) apply: bool,

    /// Write the policy without a question
    #[arg(long)]
    pub(crate) yes: bool,

    /// Then assume the role without a code, which must fail, and with one; ROLE must be a profile
    #[arg(long, conflicts_with = "restore")]
    pub(crate) verify: bool,

    /// Restore the trust policy from this file, which --apply saved
    #[arg(long, value_name = "FILE", conflicts_with_all = ["role", "max_age", "apply"])]
    pub(crate) restore: Option<PathBuf>,
}

fn parse_context(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}
