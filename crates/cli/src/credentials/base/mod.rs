//! The identity that a plan starts from, as something that signs: one file for each base.
//!
//! A base is a stage like any other. Where it makes a call ([`Base::call`]), the run of the plan takes its lock, looks
//! into the cache and saves what it gave; a key that is simply there is read when it signs.

mod credential_process;
mod plain_keys;
mod stored_key;
mod unsupported;
mod web_identity;

use hatbox_core::answer::GivenCredentials;
use hatbox_core::plan::Base;
use hatbox_types::name::AccountId;
use hatbox_types::secret::SessionCredentials;

use super::plan::Planned;
use crate::aws::client::Signer;
use crate::errors::Failure;
use crate::keys::KeyStore;

/// What a base gave.
pub(super) struct BaseCredentials {
    pub(super) signer: Signer,
    /// The account that they belong to, where what gave them said so.
    pub(super) account: Option<AccountId>,
}

impl From<Signer> for BaseCredentials {
    fn from(signer: Signer) -> Self {
        Self { signer, account: None }
    }
}

impl From<GivenCredentials> for BaseCredentials {
    fn from(given: GivenCredentials) -> Self {
        let GivenCredentials { key, session_token, expires_at, account } = given;
        let signer = match (session_token, expires_at) {
            (Some(session_token), Some(expires_at)) => Signer::Session(SessionCredentials {
                access_key_id: key.id,
                secret_access_key: key.secret,
                session_token,
                expires_at,
            }),
            (Some(session_token), None) => Signer::Found { key, session_token },
            // AWS has no access keys that expire: the end is that of the program's next rotation.
            (None, _) => Signer::Key(key),
        };
        Self { signer, account }
    }
}

/// Gets what the base of the plan gives: the one place that knows every base.
pub(super) fn run_base(planned: &Planned, store: &mut KeyStore) -> Result<BaseCredentials, Failure> {
    match &planned.plan.base {
        Base::StoredKey { profile, id } => stored_key::read(store, profile, id.as_ref()).map(Into::into),
        Base::FileKeys { keys, .. } | Base::Environment { keys, .. } => {
            Ok(plain_keys::signer_of(&keys.value).into())
        }
        Base::CredentialProcess { profile, command } => credential_process::run(planned, profile, command),
        base @ Base::WebIdentity { .. } => web_identity::run(planned, base),
        base @ (Base::Sso { .. } | Base::Metadata { .. } | Base::LoginSession { .. }) => {
            Err(unsupported::failure_of(base))
        }
    }
}
