//! The identity that a plan starts from, as something that signs: one file for each base.
//!
//! A base is a stage like any other. Where it makes a call ([`Base::call`]), the run of the plan takes its lock, looks
//! into the cache and saves what it gave; a key that is simply there is read when it signs.

mod container;
mod credential_process;
mod instance;
mod login_session;
mod machine_failure;
mod plain_keys;
mod sso;
mod stored_key;
pub(crate) mod web_identity;

use hatbox_core::answer::GivenCredentials;
use hatbox_core::config::profile::MetadataMode;
use hatbox_core::plan::{Base, MetadataService};
use hatbox_types::name::AccountId;
use hatbox_types::secret::SessionCredentials;

use super::call_lock::CallLock;
use super::plan::Planned;
use super::sso::needs_person;
use crate::aws::client::Signer;
use crate::errors::Failure;
use crate::keys::SharedStore;
use crate::store::sessions::Sessions;

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

/// What is held while a base makes its call.
#[derive(Clone, Copy)]
pub(super) struct Held<'a> {
    /// The lock of its session.
    pub(super) lock: &'a CallLock,
    /// The cache, where there is one.
    pub(super) sessions: Option<&'a Sessions>,
}

/// Gets what the base of the plan gives: the one place that knows every base. `None` where it asks a person, and another
/// process took the question over. A base that makes no call needs nothing `held`.
pub(super) fn run_base(
    planned: &Planned,
    store: &SharedStore,
    held: Option<Held<'_>>,
) -> Result<Option<BaseCredentials>, Failure> {
    let given = match &planned.plan.base {
        Base::StoredKey { profile, id } => stored_key::read(&mut store.lock(), profile, id.as_ref())?.into(),
        Base::FileKeys { profile, keys } | Base::Environment { profile, keys } => {
            plain_keys::signer_of(planned, profile, keys)?.into()
        }
        Base::CredentialProcess { profile, command } => credential_process::run(planned, profile, command)?,
        base @ Base::WebIdentity { .. } => web_identity::run(planned, base)?,
        Base::Sso { sso, account_id, role_name, .. } => {
            let role = sso::SsoRole { sso, account: account_id, name: role_name };
            let (lock, sessions) = held
                .and_then(|held| Some((held.lock, held.sessions?)))
                .ok_or_else(|| needs_person(&sso.value))?;
            match sso::fetch(planned, &role, sessions, lock)? {
                Some(credentials) => Signer::Session(credentials).into(),
                None => return Ok(None),
            }
        }
        Base::Metadata { profile, service: MetadataService::Instance, endpoint, origin, .. } => {
            let url = endpoint.as_deref().unwrap_or(MetadataMode::Ipv4.url());
            instance::run(planned, profile, url, origin)?
        }
        Base::Metadata { profile, service: MetadataService::Container, endpoint, origin, .. } => {
            container::run(planned, profile, endpoint.as_deref(), origin)?
        }
        Base::LoginSession { profile, session } => login_session::fetch(planned, profile, session)?,
    };
    Ok(Some(given))
}
