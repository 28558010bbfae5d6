//! The command line: one file per command, with its flags and help, and nothing else.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

mod add;
mod allow;
pub(crate) mod called;
mod clear;
mod completions;
mod doctor;
pub(crate) mod drop_in;
mod each;
mod exec;
mod explain;
mod export;
mod hat;
pub(crate) mod help;
mod import;
mod list;
mod lock;
mod log;
mod login;
mod mfa;
mod profile;
mod remove;
#[cfg(feature = "iam")]
mod rotate;
#[cfg(all(unix, feature = "sandbox"))]
mod sandbox;
mod serve;
mod session;
mod shell_init;
mod sso;
mod store;
#[cfg(feature = "trust")]
mod trust;
mod why;
pub(crate) mod wrong;

pub(crate) use add::AddArgs;
pub(crate) use allow::AllowArgs;
pub(crate) use clear::ClearArgs;
pub(crate) use completions::{CompletionsArgs, ShellKind};
pub(crate) use doctor::{DoctorArgs, FailOn};
pub(crate) use each::EachArgs;
pub(crate) use exec::ExecArgs;
pub(crate) use explain::ExplainArgs;
pub(crate) use export::ExportArgs;
pub(crate) use hat::HatArgs;
pub(crate) use import::{ImportArgs, ImportAwsVaultArgs, ImportCredentialsArgs, ImportSource, VaultKind};
pub(crate) use list::{ListArgs, ListOnly};
pub(crate) use lock::LockArgs;
pub(crate) use log::LogArgs;
pub(crate) use login::LoginArgs;
pub(crate) use mfa::{MfaArgs, MfaCodeArgs, MfaCommand, MfaRemoveSeedArgs, MfaStoreSeedArgs};
#[cfg(feature = "iam")]
pub(crate) use mfa::{MfaListArgs, MfaRegisterArgs};
pub(crate) use profile::{ProfileAddArgs, ProfileArgs, ProfileCommand, ProfileRemoveArgs};
pub(crate) use remove::RemoveArgs;
#[cfg(feature = "iam")]
pub(crate) use rotate::RotateArgs;
#[cfg(all(unix, feature = "sandbox"))]
pub(crate) use sandbox::{
    Pace, SandboxArgs, SandboxCommand, SandboxDemoArgs, SandboxLogArgs, SandboxS3, SandboxSignInArgs,
    SandboxTokenArgs, SandboxUpArgs,
};
pub(crate) use serve::ServeArgs;
pub(crate) use session::SessionArgs;
pub(crate) use shell_init::{PromptArgs, ShellInitArgs};
pub(crate) use sso::{SsoArgs, SsoCommand, SsoLoginArgs, SsoLogoutArgs, SsoPopulateArgs, SsoStatusArgs};
pub(crate) use store::{StoreArgs, StoreCommand, StoreMigrateArgs, StoreStatusArgs, StoreUseArgs};
#[cfg(feature = "file")]
pub(crate) use store::{StoreRekeyArgs, StoreTrustArgs, StoreWrapAdd, StoreWrapArgs, StoreWrapCommand};
#[cfg(feature = "trust")]
pub(crate) use trust::{
    LintFormat, LintLevel, TrustArgs, TrustCanArgs, TrustCommand, TrustEvaluateArgs, TrustGivenArgs,
    TrustGraphArgs, TrustGraphFormat, TrustLintArgs, TrustReachArgs, TrustRequireMfaArgs, TrustSnapshotArgs,
    TrustSourceArgs, TrustWhoArgs,
};
pub(crate) use why::WhyArgs;

const EXAMPLES: &str = "\
Examples:
  hatbox add jan                                  store an access key
  hatbox exec security-auditor -- aws s3 ls       run a command with a role
  hatbox exec dev-infra-admin -- terraform apply  run one with MFA
  hatbox explain dev-infra-admin                  show what it would do";
const SANDBOX_EXAMPLE: &str = "
  hatbox sandbox demo                             try it all without AWS";

const GLOBAL: &str = "Options of every command";

/// Store AWS keys securely, run programs with temporary credentials
#[derive(Debug, Parser)]
#[command(name = "hatbox", version, help_template = template())]
#[command(before_long_help = examples())]
#[command(after_help = "Examples, and the options of every command: hatbox --help", after_long_help = "")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

fn examples() -> String {
    let has_sandbox = cfg!(all(unix, feature = "sandbox"));
    [EXAMPLES, if has_sandbox { SANDBOX_EXAMPLE } else { "" }].concat()
}

/// Puts the list of commands last, where it stays visible on a small terminal.
fn template() -> String {
    let style = *clap::builder::Styles::styled().get_header();
    let heading = |text: &str| format!("{style}{text}{style:#}");
    let (options, commands) = (heading("Options:"), heading("Commands:"));
    format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{options}\n{{options}}\n\n{{before-help}}\
         {commands}\n{{subcommands}}{{after-help}}"
    )
}

/// Flags of every command.
#[derive(Debug, Default, Args)]
pub(crate) struct GlobalArgs {
    /// Print each step to stderr, without secrets
    #[arg(long, global = true, help_heading = GLOBAL, hide_short_help = true)]
    pub(crate) debug: bool,

    /// Use this backend for the access keys [env: HATBOX_BACKEND, AWS_VAULT_BACKEND]
    #[arg(long, global = true, help_heading = GLOBAL, hide_short_help = true, value_name = "NAME")]
    pub(crate) backend: Option<String>,

    /// Use this directory for the `file` backend [env: HATBOX_FILE_DIR]
    #[arg(long, global = true, help_heading = GLOBAL, hide_short_help = true, value_name = "DIR")]
    pub(crate) file_dir: Option<PathBuf>,

    /// Read the passphrase of the store from this open file descriptor [env: HATBOX_PASSPHRASE_FD]
    #[arg(long, global = true, help_heading = GLOBAL, hide_short_help = true, value_name = "N")]
    pub(crate) passphrase_fd: Option<i32>,

    /// Keep the store unlocked for this long after each use, such as `8h` [setting: unlock_timeout] [default: 15m]
    #[arg(long, global = true, help_heading = GLOBAL, hide_short_help = true, value_name = "DURATION")]
    pub(crate) unlock_for: Option<String>,

    /// Get MFA codes from: terminal, stored (a TOTP seed), ykman, op, pass, rbw, bw (each also as NAME:ITEM), pinentry, zenity, kdialog or osascript [env: HATBOX_PROMPT, AWS_VAULT_PROMPT] [setting: prompt] [default: a stored seed if there is one, else terminal, else a window]
    #[arg(long, global = true, help_heading = GLOBAL, hide_short_help = true, value_name = "DRIVER")]
    pub(crate) prompt: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Add(AddArgs),
    Import(ImportArgs),
    #[command(visible_alias = "ls")]
    List(ListArgs),
    #[command(visible_alias = "rm")]
    Remove(RemoveArgs),
    Profile(ProfileArgs),
    Exec(ExecArgs),
    Each(EachArgs),
    Export(ExportArgs),
    Serve(ServeArgs),
    Explain(ExplainArgs),
    Doctor(DoctorArgs),
    Why(WhyArgs),
    Log(LogArgs),
    #[cfg(feature = "iam")]
    Rotate(RotateArgs),
    Login(LoginArgs),
    Clear(ClearArgs),
    Lock(LockArgs),
    Mfa(MfaArgs),
    Sso(SsoArgs),
    Store(StoreArgs),
    Completions(CompletionsArgs),
    ShellInit(ShellInitArgs),
    Prompt(PromptArgs),
    Allow(AllowArgs),
    #[command(hide = true)]
    Hat(HatArgs),
    #[cfg(feature = "trust")]
    Trust(TrustArgs),
    #[cfg(all(unix, feature = "sandbox"))]
    Sandbox(SandboxArgs),
}
