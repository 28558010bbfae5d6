//! The machine of the world: what instance metadata and the container endpoint give credentials of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Role, WorldSecret};

/// A machine that has a role, as an instance and as a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The account of its role.
    pub account: String,
    /// The role's name.
    pub role: String,
    /// The role, where it is made when it is first used: who only looks at roles and users has one less to look at.
    #[serde(default)]
    pub new_role: Option<Role>,
    /// What containers send as `Authorization`.
    pub container_token: WorldSecret,
    /// Tokens that instance metadata gave out.
    #[serde(default)]
    pub tokens: Vec<MachineToken>,
}

/// A token of instance metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineToken {
    /// SHA-256 of it, in hexadecimal.
    pub digest: String,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl MachineToken {
    /// The digest of a token.
    pub fn digest_of(token: &str) -> String {
        hex::encode(Sha256::digest(token))
    }

    /// Whether it is this token.
    pub(crate) fn is_of(&self, token: &str) -> bool {
        self.digest.as_bytes().ct_eq(Self::digest_of(token).as_bytes()).into()
    }
}
