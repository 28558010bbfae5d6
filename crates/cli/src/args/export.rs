//! `hatbox export`.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use hatbox_core::handover::Format;

use super::SessionArgs;

const EXAMPLES: &str = "\
Examples:
  eval \"$(hatbox export --format sh dev)\"           set them in this shell
  eval \"$(hatbox export --format sh --unset)\"       remove them again
  hatbox export --format fish dev | source          the same in fish
  hatbox export --format json dev                   for `credential_process`

In ~/.aws/config, this line lets the AWS CLI and every SDK use hatbox:
  credential_process = hatbox export --format json dev";

/// Print temporary credentials of a profile
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,

    /// Print even inside another `hatbox exec`
    #[arg(long)]
    pub(crate) nested: bool,

    /// Print in this format
    #[arg(long, value_parser = format_parser(), default_value = Format::Env.as_str())]
    pub(crate) format: Format,

    /// Print the commands that remove the credentials from the shell again
    #[arg(long, conflicts_with = "profile")]
    pub(crate) unset: bool,

    /// The profile to use [default: AWS_PROFILE]
    pub(crate) profile: Option<String>,
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    let values = Format::ALL
        .map(|format| PossibleValue::new(format.as_str()).help(format.summary()).aliases(format.aliases()));
    PossibleValuesParser::new(values).try_map(|name| Format::parse(&name).ok_or("unknown format"))
}
