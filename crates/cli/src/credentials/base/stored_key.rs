//! A long-lived key in hatbox's store.

use hatbox_types::name::{AccessKeyId, ProfileName};

use crate::aws::client::Signer;
use crate::errors::{Failure, FailureKind};
use crate::keys::KeyStore;

/// Reads the key of `profile` and checks that it is the one that the plan was made for.
pub(super) fn read(
    store: &mut KeyStore,
    profile: &ProfileName,
    id: Option<&AccessKeyId>,
) -> Result<Signer, Failure> {
    let key = store.read_key(profile)?;
    // The plan and the cached session's name were made for the key in the index.
    if id.is_some_and(|id| *id != key.id) {
        return Err(Failure::new(
            FailureKind::Failed,
            format!("the access key of `{profile}` was changed in the meantime"),
        )
        .hint("run the command again"));
    }
    Ok(Signer::Key(key))
}
