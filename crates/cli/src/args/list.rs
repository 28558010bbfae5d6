//! `hatbox list`.

use clap::Args;

/// List profiles, stored keys and cached sessions
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ListArgs {
    /// Only the names of the profiles
    #[arg(long, group = "only")]
    pub(crate) profiles: bool,

    /// Only the cached sessions
    #[arg(long, group = "only")]
    pub(crate) sessions: bool,

    /// Only the names of the stored keys
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
