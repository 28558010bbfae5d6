//! Obtains the identity that a plan starts from: one file for each kind of base.
//!
//! A base is a stage like any other. If it makes a call ([`Base::call`]), the run of the plan takes a lock, checks the
//! cache and saves the result. A key that needs no call is read only when it is needed to sign.

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

/// What a base returned.
pub(super) struct BaseCredentials {
    pub(super) signer: Signer,
    /// The account of the credentials, if the source names it.
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
            // An access key has no expiry in AWS: the time given is when the program will rotate it next.
            (None, _) => Signer::Key(key),
        };
        Self { signer, account }
    }
}

/// What the caller holds while a base makes its call.
#[derive(Clone, Copy)]
pub(super) struct Held<'a> {
    /// The lock of the session.
    pub(super) lock: &'a CallLock,
    /// The cache, if there is one.
    pub(super) sessions: Option<&'a Sessions>,
}

/// Obtains the identity that the plan starts from. Returns `None` if the base asks the user and another process took
/// the question over. A base that makes no call needs no `held`.
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
