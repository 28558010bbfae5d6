//! Secrets that are stored in the world's file but never shown in messages.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A secret that is stored in the world's file. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorldSecret(String);

impl WorldSecret {
    /// Wraps the text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the secret text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WorldSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
