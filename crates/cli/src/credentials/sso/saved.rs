//! The contents of a sign-in's sealed files.

use hatbox_core::sso::token_file::{Client, SsoToken};
use hatbox_types::secret::SecretString;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// Whether other programs may use the token too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Only hatbox stores it.
    Private,
    /// It is also in `~/.aws/sso/cache`.
    Shared,
}

/// A token, and when it was obtained.
#[derive(Debug, Clone)]
pub(crate) struct SavedToken {
    pub(crate) token: SsoToken,
    /// By this machine's clock.
    pub(crate) obtained_at: Timestamp,
}

impl SavedToken {
    /// Returns `None` for anything that [`Self::render`] did not write; the token then counts as absent.
    pub(super) fn parse(text: &[u8]) -> Option<(Self, Sharing)> {
        let text = std::str::from_utf8(text).ok()?;
        let value: Value = serde_json::from_str(text).ok()?;
        let obtained_at = value.get("obtainedAt")?.as_str()?.parse().ok()?;
        let is_shared = value.get("shared").and_then(Value::as_bool).unwrap_or_default();
        let sharing = if is_shared { Sharing::Shared } else { Sharing::Private };
        Some((Self { token: SsoToken::parse(text).ok()?, obtained_at }, sharing))
    }

    pub(super) fn render(&self, sharing: Sharing) -> String {
        let is_shared = sharing == Sharing::Shared;
        let more = json!({"obtainedAt": self.obtained_at.to_string(), "shared": is_shared}).to_string();
        self.token.render(Some(&more))
    }
}

/// The format of a client registration on disk.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientOnDisk {
    client_id: String,
    client_secret: SecretString,
    expires_at: Timestamp,
}

/// Returns `None` for anything that [`render_client`] did not write.
pub(super) fn parse_client(text: &[u8]) -> Option<Client> {
    let client: ClientOnDisk = serde_json::from_slice(text).ok()?;
    Some(Client { id: client.client_id, secret: client.client_secret, expires_at: client.expires_at })
}

pub(super) fn render_client(client: &Client) -> String {
    json!({
        "clientId": client.id,
        "clientSecret": client.secret.expose(),
        "expiresAt": client.expires_at.to_string(),
    })
    .to_string()
}
