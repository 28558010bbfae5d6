//! `hatbox list`.

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  hatbox list
  hatbox list --profiles  print one name per line, for scripts";

/// List profiles, stored keys and cached sessions
///
/// Asks no questions: if the store is locked, the columns of keys and sessions say so.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ListArgs {
    /// Print only the names of the profiles
    #[arg(long, group = "only")]
    pub(crate) profiles: bool,

    /// Print only the cached sessions
    #[arg(long, group = "only")]
    pub(crate) sessions: bool,

    /// Print only the names of the stored keys
    #[arg(long, group = "only")]
    pub(crate) credentials: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Ask for the passphrase if the store is locked
    #[arg(long)]
    pub(crate) unlock: bool,
}

/// What to restrict the list to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListOnly {
    Everything,
    Profiles,
    Sessions,
    Credentials,
}

impl ListArgs {
    pub(crate) fn only(&self) -> ListOnly {
        if self.credentials {
            ListOnly::Credentials
        } else if self.profiles {
            ListOnly::Profiles
        } else if self.sessions {
            ListOnly::Sessions
        } else {
            ListOnly::Everything
        }
    }
}
