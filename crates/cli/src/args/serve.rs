//! `hatbox serve`.

use clap::Args;

use super::SessionArgs;

const EXAMPLES: &str = "\
Examples:
  hatbox serve dev       serve one profile, and print what a shell must set
  hatbox serve dev prod  serve two, each with an address and a token
  hatbox serve --json dev

To serve one command only: hatbox exec --server dev -- COMMAND";

/// Serve temporary credentials of profiles to AWS SDKs
///
/// Listens on 127.0.0.1 until you stop it. The credentials are renewed before they expire.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,

    /// Serve even inside another `hatbox exec`
    #[arg(long)]
    pub(crate) nested: bool,

    /// Listen on `127.0.0.1:PORT`, or on the socket `unix:PATH` [default: a free port]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,

    /// The URL that clients use, where a program forwards it to the server: `https://HOST:PORT`
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Print the variables as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// The profiles to serve [default: AWS_PROFILE]
    #[arg(value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,
}
