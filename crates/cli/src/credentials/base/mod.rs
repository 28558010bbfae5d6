//! The identity that a plan starts from, as something that signs: one file for each base.
//!
//! A base is a stage like any other. Where it makes a call ([`Base::call`]), the run of the plan takes its lock, looks
//! into the cache and saves what it gave; a key that is simply there is read when it signs.

mod plain_keys;
mod stored_key;
mod unsupported;

use hatbox_core::plan::Base;

use super::plan::Planned;
use crate::aws::client::Signer;
use crate::errors::Failure;
use crate::keys::KeyStore;

/// Gets what the base of the plan gives: the one place that knows every base.
pub(super) fn run_base(planned: &Planned, store: &mut KeyStore) -> Result<Signer, Failure> {
    match &planned.plan.base {
        Base::StoredKey { profile, id } => stored_key::read(store, profile, id.as_ref()),
        Base::FileKeys { keys, .. } | Base::Environment { keys, .. } => {
            Ok(plain_keys::signer_of(&keys.value))
        }
        base @ (Base::Sso { .. }
        | Base::WebIdentity { .. }
        | Base::CredentialProcess { .. }
        | Base::Metadata { .. }
        | Base::LoginSession { .. }) => Err(unsupported::failure_of(base)),
    }
}
