//! `hatbox export`.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use hatbox_core::handover::Format;

use super::SessionArgs;

const EXAMPLES: &str = "\
Examples:
  eval \"$(hatbox export --format export-env dev)\"   set them in this shell
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

    /// The profile to use [default: AWS_PROFILE]
    pub(crate) profile: Option<String>,
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    let values = Format::ALL.map(|format| PossibleValue::new(format.as_str()).help(format.summary()));
    let find = |name: String| Format::ALL.into_iter().find(|format| format.as_str() == name);
    PossibleValuesParser::new(values).try_map(move |name| find(name).ok_or("unknown format"))
}
