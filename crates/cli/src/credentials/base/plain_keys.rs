//! Keys in plain text, of a file or of the environment: the plan carries them.

use hatbox_core::config::profile::StaticKeys;

use crate::aws::client::Signer;

pub(super) fn signer_of(keys: &StaticKeys) -> Signer {
    let key = keys.key.clone();
    match &keys.session_token {
        None => Signer::Key(key),
        Some(session_token) => Signer::Found { key, session_token: session_token.clone() },
    }
}
