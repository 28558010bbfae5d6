//! A long-lived key in hatbox's store.

use hatbox_types::name::{AccessKeyId, ProfileName};

use crate::aws::client::Signer;
use crate::errors::{Failure, FailureKind};
use crate::keys::KeyStore;

/// Reads the key of `profile`, which has the id that the plan was made for.
pub(super) fn read(
    store: &mut KeyStore,
    profile: &ProfileName,
    id: Option<&AccessKeyId>,
) -> Result<Signer, Failure> {
    let key = store.read_key(profile)?;
    // The plan, and with it the name of the cached session, was made for the key of the index.
    if id.is_some_and(|id| *id != key.id) {
        return Err(Failure::new(
            FailureKind::Failed,
            format!("the access key of `{profile}` was changed meanwhile"),
        )
        .hint("run the command again"));
    }
    Ok(Signer::Key(key))
}
