//! Mints tokens of the world's identity providers on request.

use serde_json::{Map, Value, json};

use super::wire::{TokenMinted, TokenOrder};
use crate::clock::CENTURY;
use crate::http::{Received, Reply};
use crate::mint;
use crate::sandbox::Sandbox;

impl TokenOrder {
    fn claims(self, now: i64, id: &str) -> Map<String, Value> {
        let usual = json!({
            "iss": self.issuer, "sub": self.subject, "aud": self.audience, "jti": id,
            "iat": now, "exp": now + self.lifetime_seconds,
        });
        let mut claims = usual.as_object().cloned().unwrap_or_default();
        claims.extend(self.claims);
        claims.retain(|_, value| !value.is_null());
        claims
    }
}

/// Returns a new token, which is not stored.
pub(super) fn mint_token(sandbox: &Sandbox, request: &Received) -> Reply {
    let order: TokenOrder = match serde_json::from_slice(&request.body) {
        Ok(order) => order,
        Err(error) => return Reply::text(400, &format!("no order for a token: {error}")),
    };
    if !(-CENTURY..=CENTURY).contains(&order.lifetime_seconds) {
        return Reply::text(400, "give a `lifetime_seconds` within a century");
    }
    let Some(provider) = sandbox.world.identity_providers.get(&order.issuer) else {
        return Reply::text(404, &format!("there is no identity provider `{}`", order.issuer));
    };
    let signed = mint::mint_bytes::<16>()
        .and_then(|id| provider.sign(&order.claims(sandbox.now().as_second(), &hex::encode(id))).transpose());
    match signed {
        Ok(Some(token)) => Reply::json(&json!(TokenMinted { token })),
        Ok(None) => {
            Reply::text(404, "the identity provider signs elsewhere: its keys have no secret half here")
        }
        Err(error) => Reply::text(500, &error.to_string()),
    }
}
