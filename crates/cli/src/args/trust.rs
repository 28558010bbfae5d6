//! `hatbox trust` and its commands.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Ask who may put on which role, and why not: policies judged offline, as AWS judges them
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

/// Judge requests in bulk: a line of JSON in for each, a line of JSON out
///
/// docs/trust-evaluate.md describes a line. One that cannot be read is answered with its error, the others are
/// judged all the same, and the exit code is 1.
#[derive(Debug, Args)]
pub(crate) struct TrustEvaluateArgs {
    /// The file with the requests; `-` is stdin
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
}

/// Report who can assume a role and what is wrong with its trust policy
///
/// Checks each caller with and without MFA, with a session token and by role chaining; finds holes, typing mistakes
/// and what AWS rejects. docs/lint-in-ci.md lists the rules. The exit code is 5 when there are findings.
#[derive(Debug, Args)]
pub(crate) struct TrustLintArgs {
    /// Trust policies; of a directory all `.json` files, `-` is stdin
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) sources: TrustSourceArgs,

    /// How to print
    #[arg(long, value_enum, default_value_t = LintFormat::Text)]
    pub(crate) format: LintFormat,

    /// Show every policy in full, also those without findings
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

    /// A condition key of the request; may be given several times, also for one key
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
    /// Holes, and what cannot work
    Error,
    /// Also what is perhaps not meant
    Warning,
    /// Also what is worth knowing
    Info,
}

/// Keep all of IAM of one account or several in a file, to ask questions of it offline
///
/// Users, groups, roles and policies, MFA devices, and how long a role's sessions may be; nothing secret. What a
/// profile may not read is said and left out. docs/trust-snapshot.md describes the file.
#[derive(Debug, Args)]
pub(crate) struct TrustSnapshotArgs {
    /// A profile whose account is read; may be given several times [default: AWS_PROFILE]
    #[arg(long = "profile", value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,

    /// The file to write; `-` is stdout
    #[arg(short, long, value_name = "FILE", required_unless_present = "dry_run")]
    pub(crate) output: Option<PathBuf>,

    /// The MFA code that the profile needs, instead of being asked for it
    #[arg(short = 't', long, value_name = "CODE")]
    pub(crate) mfa_token: Option<String>,

    /// Print what AWS would be asked for, and ask nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What is known of users and roles.
#[derive(Debug, Args)]
pub(crate) struct TrustSourceArgs {
    /// Where users, roles and policies are told: a snapshot, account details, a state or plan of Terraform, a trust
    /// policy, a directory of those, or `live`, which asks IAM with the profile of AWS_PROFILE (`live:PROFILE` with
    /// another); may be given several times [default: `trust.sources` of the settings]
    #[arg(long = "from", value_name = "SRC")]
    pub(crate) from: Vec<PathBuf>,

    /// The MFA code that `live` needs, instead of being asked for it
    #[arg(short = 't', long, value_name = "CODE")]
    pub(crate) mfa_token: Option<String>,
}

/// What a question leaves open.
#[derive(Debug, Args)]
pub(crate) struct TrustGivenArgs {
    /// A condition key and its value, such as `aws:SourceIp=203.0.113.7`; may be given several times
    #[arg(long = "context", value_name = "KEY=VALUE", value_parser = parse_context)]
    pub(crate) context: Vec<(String, String)>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Can this user or role put on that role, and if not, why
///
/// Exit code 0: yes; 3: no; 6: not known, for want of the facts that are named. docs/trust-sources.md tells what
/// can be a source.
#[derive(Debug, Args)]
pub(crate) struct TrustCanArgs {
    /// Who asks: a user or role by ARN or name, or a profile
    #[arg(value_name = "CALLER")]
    pub(crate) caller: String,

    /// The role asked for: by ARN or name, or a profile
    #[arg(value_name = "ROLE")]
    pub(crate) role: String,

    /// An MFA code is sent
    #[arg(long, conflicts_with = "no_mfa")]
    pub(crate) mfa: bool,

    /// No MFA code is sent [default: one is sent if it is needed]
    #[arg(long)]
    pub(crate) no_mfa: bool,

    /// A role to put on before; may be given several times, in their order
    #[arg(long, value_name = "ROLE")]
    pub(crate) via: Vec<String>,

    #[command(flatten)]
    pub(crate) given: TrustGivenArgs,

    #[command(flatten)]
    pub(crate) sources: TrustSourceArgs,
}

/// Everybody who can become a role, through other roles too, and whether that asks for MFA
#[derive(Debug, Args)]
pub(crate) struct TrustWhoArgs {
    /// The role: by ARN or name, or a profile
    #[arg(value_name = "ROLE")]
    pub(crate) role: String,

    #[command(flatten)]
    pub(crate) given: TrustGivenArgs,

    #[command(flatten)]
    pub(crate) sources: TrustSourceArgs,
}

/// Everything that a user or role can become, through other roles too, and whether that asks for MFA
#[derive(Debug, Args)]
pub(crate) struct TrustReachArgs {
    /// The user or role: by ARN or name, or a profile
    #[arg(value_name = "CALLER")]
    pub(crate) caller: String,

    #[command(flatten)]
    pub(crate) given: TrustGivenArgs,

    #[command(flatten)]
    pub(crate) sources: TrustSourceArgs,
}

/// Draw who can become which role: users, roles, and whether MFA is asked for
///
/// Above 60 users and roles, those with the same ways are drawn as one; JSON has them all. docs/trust-sources.md tells
/// what can be a source.
#[derive(Debug, Args)]
pub(crate) struct TrustGraphArgs {
    #[command(flatten)]
    pub(crate) sources: TrustSourceArgs,

    /// The file to write; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// What to write [default: what the ending of FILE says; text on stdout]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<TrustGraphFormat>,

    /// Draw the lines of text with `-` and `.` [default: where the terminal is not UTF-8]
    #[arg(long)]
    pub(crate) ascii: bool,
}

/// The forms of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TrustGraphFormat {
    /// A picture, light or dark as the reader's system is
    Svg,
    /// For the terminal
    Text,
    /// For Graphviz, and others that read its language
    Dot,
    /// For programs
    Json,
}

/// Make a role ask for MFA: show what would change and who would lose access, and write it with --apply
///
/// Exit code 3: a guard refuses. docs/protect-a-role-with-mfa.md tells what is changed, and what never is.
#[derive(Debug, Args)]
pub(crate) struct TrustRequireMfaArgs {
    /// The role: by ARN, by name, or the profile that puts it on
    #[arg(value_name = "ROLE", required_unless_present_any = ["restore", "file"])]
    pub(crate) role: Option<String>,

    /// A file with a trust policy, in the place of a role
    #[arg(long, value_name = "FILE", conflicts_with_all = ["role", "profile", "from", "yes", "verify", "restore"])]
    pub(crate) file: Option<PathBuf>,

    /// The profile that reads and writes the role [default: AWS_PROFILE]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,

    /// Where users and roles of other accounts are told, as for `hatbox trust who`; may be given several times
    #[arg(long = "from", value_name = "SRC")]
    pub(crate) from: Vec<PathBuf>,

    /// The MFA code that the profile needs, instead of being asked for it
    #[arg(short = 't', long, value_name = "CODE", conflicts_with = "file")]
    pub(crate) mfa_token: Option<String>,

    /// How old the sign-in with MFA may be, such as `12h`
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_age: Option<String>,

    /// Write the policy: to IAM after a question, to the file without one
    #[arg(long)]
    pub(crate) apply: bool,

    /// Write it without a question
    #[arg(long)]
    pub(crate) yes: bool,

    /// Then put the role on without a code, which must fail, and with one; ROLE is the profile to do it by
    #[arg(long, conflicts_with = "restore")]
    pub(crate) verify: bool,

    /// Write back the trust policy that was kept in this file when it was changed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["role", "max_age", "apply"])]
    pub(crate) restore: Option<PathBuf>,
}

fn parse_context(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}
