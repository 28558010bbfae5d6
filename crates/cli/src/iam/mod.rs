//! Live IAM: the account that a profile's credentials belong to, and a user's own access keys.

#[cfg(feature = "trust")]
mod backup;
#[cfg(feature = "trust")]
mod denial;
mod failure;
#[cfg(feature = "trust")]
mod live;
mod own_keys;
#[cfg(feature = "trust")]
mod replace;
#[cfg(feature = "trust")]
mod snapshot;
mod user;
#[cfg(feature = "trust")]
mod verify;

use hatbox_core::handover::Credentials;

use crate::aws::client::Signer;
#[cfg(feature = "trust")]
pub(crate) use crate::aws::iam::RoleFacts;

#[cfg(feature = "trust")]
pub(crate) use backup::{load_backup, save_backup};
#[cfg(feature = "trust")]
pub(crate) use denial::ask_about_denial;
#[cfg(feature = "trust")]
pub(crate) use live::{LiveIam, open_iam};
pub(crate) use own_keys::{IamUser, NotCreated, OwnKeys, OwnKeysNow};
#[cfg(feature = "trust")]
pub(crate) use replace::ReadBack;
#[cfg(feature = "trust")]
pub(crate) use snapshot::{AccountSnapshot, READ_ACTIONS, fetch_account, render_snapshot};
pub(crate) use user::{LiveUser, open_user, open_user_of_key};
#[cfg(feature = "trust")]
pub(crate) use verify::verify;

fn signer_of(credentials: Credentials) -> Signer {
    match credentials {
        Credentials::AccessKey(key) => Signer::Key(key),
        Credentials::Session(session) => Signer::Session(session),
        Credentials::Found { key, session_token } => Signer::Found { key, session_token },
    }
}
