//! The machine of the world, whose role's credentials instance metadata and the container endpoint return.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Role, WorldSecret};

/// A machine with a role, both as an instance and as a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The account of its role.
    pub account: String,
    /// The role's name.
    pub role: String,
    /// The role, if it is created only on first use: until then, lists of roles do not show it.
    #[serde(default)]
    pub new_role: Option<Role>,
    /// The value of `Authorization` that containers send.
    pub container_token: WorldSecret,
    /// Tokens issued by instance metadata.
    #[serde(default)]
    pub tokens: Vec<MachineToken>,
}

/// A token of instance metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineToken {
    /// SHA-256 of the token, in hexadecimal.
    pub digest: String,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl MachineToken {
    /// Returns the digest of a token.
    pub fn digest_of(token: &str) -> String {
        hex::encode(Sha256::digest(token))
    }

    /// Returns whether this is the stored form of `token`.
    pub(crate) fn is_of(&self, token: &str) -> bool {
        self.digest.as_bytes().ct_eq(Self::digest_of(token).as_bytes()).into()
    }
}
