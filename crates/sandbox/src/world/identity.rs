//! Identity providers: the external issuers of tokens, and the trust of an account in them.
//!
//! As in AWS, these are two separate things. An [`IdentityProvider`] has keys and signs tokens; with an
//! [`OidcProvider`], an account accepts an issuer's tokens for certain audiences.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{World, WorldSecret};
use crate::error::Error;
use crate::jwt;
pub use crate::jwt::{Curve, PublicKey};
use crate::mint;

/// An issuer of tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityProvider {
    /// Keys by key id, as in the provider's published key set.
    pub keys: BTreeMap<String, IdentityKey>,
}

/// A key of an identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityKey {
    /// The public half.
    pub public: PublicKey,
    /// The secret half, PKCS#8 in base64url; `None` for a provider that signs its tokens elsewhere.
    pub secret: Option<WorldSecret>,
}

/// An account's configuration for an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcProvider {
    /// The issuer: `https://HOST/PATH`.
    pub url: String,
    /// The accepted audiences of tokens.
    pub client_ids: BTreeSet<String>,
    /// Thumbprints of its certificate, which are not checked.
    #[serde(default)]
    pub thumbprints: Vec<String>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl IdentityProvider {
    /// Creates a provider with one new key.
    ///
    /// # Errors
    /// If the operating system returns no random bytes.
    pub fn mint(curve: Curve) -> Result<Self, Error> {
        let (secret, public) = jwt::mint_key_pair(curve)?;
        let key_id = hex::encode(mint::mint_bytes::<8>()?);
        Ok(Self { keys: [(key_id, IdentityKey { public, secret: Some(secret) })].into() })
    }

    /// Signs `claims` with the first key that has a secret half; `None` if there is no such key.
    pub(crate) fn sign(&self, claims: &Map<String, Value>) -> Option<Result<String, Error>> {
        self.keys.iter().find_map(|(key_id, key)| {
            let PublicKey::Ec { crv, .. } = key.public else { return None };
            Some(jwt::sign(crv, key.secret.as_ref()?, key_id, claims))
        })
    }

    /// Returns the key with this id. Without an id, returns the key of a provider that has only one.
    pub(crate) fn key(&self, key_id: Option<&str>) -> Option<&PublicKey> {
        let key = match key_id {
            Some(key_id) => self.keys.get(key_id),
            None if self.keys.len() == 1 => self.keys.values().next(),
            None => None,
        };
        key.map(|key| &key.public)
    }
}

impl World {
    /// Creates an issuer of tokens for the users and roles of `account`, as AWS does when outbound web identity
    /// federation is enabled. Returns the issuer.
    ///
    /// # Errors
    /// If the operating system returns no random bytes.
    pub fn enable_outbound_federation(&mut self, account: &str) -> Result<String, Error> {
        let issuer = format!("https://{}.tokens.sts.global.api.aws", mint::mint_request_id()?);
        self.identity_providers.insert(issuer.clone(), IdentityProvider::mint(Curve::P384)?);
        let account = self.accounts.entry(account.to_owned()).or_default();
        account.outbound_issuer = Some(issuer.clone());
        Ok(issuer)
    }

    /// Makes `account` accept tokens of `issuer` with the audience `audience`. Returns the ARN for trust policies.
    pub fn add_oidc_provider(&mut self, account: &str, issuer: &str, audience: &str) -> String {
        let arn = oidc_provider_arn(account, issuer);
        let providers = &mut self.accounts.entry(account.to_owned()).or_default().oidc_providers;
        let provider = providers.entry(arn.clone()).or_insert_with(|| OidcProvider {
            url: issuer.to_owned(),
            client_ids: BTreeSet::new(),
            thumbprints: Vec::new(),
            created_at: Timestamp::UNIX_EPOCH,
        });
        provider.client_ids.insert(audience.to_owned());
        arn
    }
}

/// Returns the issuer without `https://`, as in ARNs and condition keys.
pub(crate) fn issuer_name(issuer: &str) -> &str {
    issuer.strip_prefix("https://").unwrap_or(issuer)
}

/// Returns `arn:aws:iam::A:oidc-provider/HOST/PATH`.
pub(crate) fn oidc_provider_arn(account: &str, issuer: &str) -> String {
    format!("arn:aws:iam::{account}:oidc-provider/{}", issuer_name(issuer))
}
