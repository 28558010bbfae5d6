//! `hatbox trust` and its commands.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  hatbox trust snapshot --profile dev -o iam.json  save an account's IAM data
  hatbox trust who Admin --from iam.json           list who can assume it
  hatbox trust graph --from iam.json -o trust.svg  draw all users and roles
  hatbox trust lint trust-policy.json              find holes and mistakes";
const SNAPSHOT_EXAMPLES: &str = "\
Examples:
  hatbox trust snapshot --profile dev -o iam.json
  hatbox trust snapshot --profile dev --dry-run  print the calls, make none";
const LINT_EXAMPLES: &str = "\
Examples:
  hatbox trust lint trust-policy.json
  terraform show -json tfplan | hatbox trust lint --from -";
const REQUIRE_MFA_EXAMPLES: &str = "\
Examples:
  hatbox trust require-mfa Admin --profile admin          show the change
  hatbox trust require-mfa Admin --profile admin --apply  write it
  hatbox trust require-mfa --file trust-policy.json       change a file";
const GRAPH_EXAMPLES: &str = "\
Examples:
  hatbox trust graph --from iam.json
  hatbox trust graph --from iam.json -o trust.svg
  hatbox trust graph --from live:dev                ask IAM with a profile";
const CAN_EXAMPLES: &str = "\
Examples:
  hatbox trust can alice Admin --from iam.json
  hatbox trust can alice Admin --no-mfa --from iam.json  check without MFA";

/// Find out who can assume which role, and why not
///
/// Evaluates IAM policies offline, as AWS evaluates them. The users, roles and policies come from files or from IAM
/// itself: see --from of each command.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
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
#[command(after_help = "Example:\n  hatbox trust evaluate requests.jsonl")]
pub(crate) struct TrustEvaluateArgs {
    /// The file with the requests; `-` is stdin
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
}

/// Check trust policies and report who can assume their roles
///
/// Checks each caller with and without MFA, with a session token and by role chaining; finds security holes, typos and
/// what AWS rejects. docs/lint-in-ci.md lists the rules. The exit code is 5 if there are findings.
#[derive(Debug, Args)]
#[command(after_help = LINT_EXAMPLES)]
pub(crate) struct TrustLintArgs {
    /// Trust policies, directories of `.json` files, or `-` for stdin
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) sources: TrustSourceArgs,

    /// Print in this format
    #[arg(long, value_enum, default_value_t = LintFormat::Text)]
    pub(crate) format: LintFormat,

    /// Show every policy in full, including those without findings
    #[arg(long)]
    pub(crate) all: bool,

    /// Exit with 5 if there is a finding of this level or higher
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = LintLevel::Error)]
    pub(crate) fail_on: LintLevel,

    /// Evaluate this caller [default: the first account, user or role that the policy trusts]
    #[arg(long, value_name = "ARN")]
    pub(crate) caller: Option<String>,

    /// Assume that the caller requests this role session name
    #[arg(long, value_name = "NAME")]
    pub(crate) role_session_name: Option<String>,

    /// Set a condition key of the request; may be repeated, also for one key
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
    /// Security holes, and policies that cannot work
    Error,
    /// Also probable mistakes
    Warning,
    /// Also things worth knowing
    Info,
}

/// Save the IAM data of accounts in a file
///
/// Saves users, groups, roles, policies, MFA devices and maximum session durations; no secrets. What the profile has no
/// permission to read is reported and left out. docs/trust-snapshot.md describes the file.
#[derive(Debug, Args)]
#[command(after_help = SNAPSHOT_EXAMPLES)]
pub(crate) struct TrustSnapshotArgs {
    /// Read the account of this profile; may be repeated [default: AWS_PROFILE]
    #[arg(long = "profile", value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,

    /// Write to this file; `-` is stdout
    #[arg(short, long, value_name = "FILE", required_unless_present = "dry_run")]
    pub(crate) output: Option<PathBuf>,

    /// Use this MFA code for the profile instead of asking for one
    #[arg(short = 't', long, value_name = "CODE")]
    pub(crate) mfa_token: Option<String>,

    /// Print the calls that would be made, and make none
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What is known of users and roles.
#[derive(Debug, Args)]
pub(crate) struct TrustSourceArgs {
    /// Read users, roles and policies from this source: a snapshot, account details, a Terraform state or plan, a trust
    /// policy, a directory of those, or `live:PROFILE`, which reads IAM (`live` alone uses AWS_PROFILE); may be repeated
    /// [setting: trust.sources]
    #[arg(long = "from", value_name = "SRC")]
    pub(crate) from: Vec<PathBuf>,

    /// Use this MFA code for `live` instead of asking for one
    #[arg(short = 't', long, value_name = "CODE")]
    pub(crate) mfa_token: Option<String>,
}

/// What a question leaves open.
#[derive(Debug, Args)]
pub(crate) struct TrustGivenArgs {
    /// Set a condition key of the request, such as `aws:SourceIp=203.0.113.7`; may be repeated
    #[arg(long = "context", value_name = "KEY=VALUE", value_parser = parse_context)]
    pub(crate) context: Vec<(String, String)>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show whether a user or role can assume a role
///
/// The exit code is 0 for yes, 3 for no, and 6 if facts are missing; the output names them. docs/trust-sources.md lists
/// the sources.
#[derive(Debug, Args)]
#[command(after_help = CAN_EXAMPLES)]
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

    /// Assume this role first; may be repeated, in order
    #[arg(long, value_name = "ROLE")]
    pub(crate) via: Vec<String>,

    #[command(flatten)]
    pub(crate) given: TrustGivenArgs,

    #[command(flatten)]
    pub(crate) sources: TrustSourceArgs,
}

/// List who can assume a role, also by role chaining
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox trust who Admin --from iam.json")]
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
#[command(after_help = "Example:\n  hatbox trust reach alice --from iam.json")]
pub(crate) struct TrustReachArgs {
    /// The user or role: an ARN, a name or a profile
    #[arg(value_name = "CALLER")]
    pub(crate) caller: String,

    #[command(flatten)]
    pub(crate) given: TrustGivenArgs,

    #[command(flatten)]
    pub(crate) sources: TrustSourceArgs,
}

/// Draw who can assume which role, with or without MFA
///
/// Above 60 users and roles, those with the same relations are drawn as one; JSON has them all. docs/trust-sources.md
/// lists the sources.
#[derive(Debug, Args)]
#[command(after_help = GRAPH_EXAMPLES)]
pub(crate) struct TrustGraphArgs {
    #[command(flatten)]
    pub(crate) sources: TrustSourceArgs,

    /// Write to this file; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Write in this format [default: by the extension of FILE; text on stdout]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<TrustGraphFormat>,

    /// Draw with ASCII characters [default: if the terminal is not UTF-8]
    #[arg(long)]
    pub(crate) ascii: bool,
}

/// The forms of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TrustGraphFormat {
    /// A picture for browsers, light or dark as the reader's system is
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
/// Shows the change and who would lose access, and writes it only with --apply. The exit code is 3 if hatbox refuses the
/// change. docs/protect-a-role-with-mfa.md describes what is changed, and what never is.
#[derive(Debug, Args)]
#[command(after_help = REQUIRE_MFA_EXAMPLES)]
pub(crate) struct TrustRequireMfaArgs {
    /// The role: an ARN, a name or the profile that assumes it
    #[arg(value_name = "ROLE", required_unless_present_any = ["restore", "file"])]
    pub(crate) role: Option<String>,

    /// Change a trust policy in this file instead of a role
    #[arg(long, value_name = "FILE", conflicts_with_all = ["role", "profile", "from", "yes", "verify", "restore"])]
    pub(crate) file: Option<PathBuf>,

    /// Read and write the role with this profile [default: AWS_PROFILE]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,

    /// Read users and roles of other accounts from this source, as `hatbox trust who` does; may be repeated
    #[arg(long = "from", value_name = "SRC")]
    pub(crate) from: Vec<PathBuf>,

    /// Use this MFA code for the profile instead of asking for one
    #[arg(short = 't', long, value_name = "CODE", conflicts_with = "file")]
    pub(crate) mfa_token: Option<String>,

    /// Also limit the age of the MFA authentication, for example to `12h`
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_age: Option<String>,

    /// Write the policy: to IAM after asking, to a file without asking
    #[arg(long)]
    pub(crate) apply: bool,

    /// Write the policy without asking
    #[arg(long, alias = "force", short_alias = 'f')]
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
