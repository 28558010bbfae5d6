//! Verifies Signature Version 4: who signed exactly this request, and with which key.
//!
//! The checks, in order: form ([`claim`]), key and session token, clock, signature ([`canonical`]), expiry, payload
//! ([`payload`]). Without the secret, a caller learns nothing about the payload or the expiry. Regions are not checked:
//! one listener stands in for AWS in all regions.
//! Source: AWS "Signature Version 4 signing process".

mod canonical;
mod claim;
mod dialect;
mod payload;
mod signing_key;
mod words;

use hyper::body::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error_response::ErrorResponse;
use crate::http::Received;
use crate::world::{KeyOwner, KeyStatus, Principal, Session, World};
use claim::{Claim, Form};
pub(crate) use dialect::Dialect;
use dialect::SKEW_SECONDS;
use signing_key::SigningKey;

/// The verified caller of a request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) key_id: String,
    pub(crate) principal: Principal,
    /// The temporary credentials that signed; `None` for a long-lived key.
    pub(crate) session: Option<Session>,
    /// The region in the scope of the signature.
    pub(crate) region: String,
}

impl Caller {
    /// Returns the caller's account.
    pub(crate) fn account(&self) -> &str {
        self.principal.account()
    }
}

/// A request with a valid signature.
#[derive(Debug, Clone)]
pub(crate) struct Verified {
    pub(crate) caller: Caller,
    /// The body without chunk framing.
    pub(crate) payload: Bytes,
}

/// Verifies the signature of a request against the keys of `world` at the time `now`.
pub(crate) fn verify(
    world: &World,
    request: &Received,
    dialect: Dialect,
    now: Timestamp,
) -> Result<Verified, ErrorResponse> {
    let claim = claim::parse_claim(request, dialect)?;
    let (secret, caller) = find_caller(world, &claim, dialect)?;
    check_clock(&claim, dialect, now)?;
    let hash = payload::payload_hash(request, &claim, dialect)?;
    let canonical = canonical::render_canonical(request, &claim, dialect, &hash);
    let signing_key = SigningKey::derive(&secret, &claim);
    let signature = signing_key.sign(&[
        "AWS4-HMAC-SHA256",
        &claim.stamp,
        &claim.scope(),
        &hex::encode(Sha256::digest(canonical.as_bytes())),
    ]);
    if !bool::from(signature.as_bytes().ct_eq(claim.signature.as_bytes())) {
        return Err(words::wrong_signature(dialect));
    }
    if caller.session.as_ref().is_some_and(|session| now >= session.expires_at) {
        return Err(words::expired(dialect));
    }
    let payload = payload::open_payload(request, &claim, &hash, &signing_key)?;
    Ok(Verified { caller, payload })
}

fn find_caller(world: &World, claim: &Claim, dialect: Dialect) -> Result<(String, Caller), ErrorResponse> {
    let caller = |principal, session| Caller {
        key_id: claim.key_id.clone(),
        principal,
        session,
        region: claim.region.clone(),
    };
    if let Some((owner, key)) = world.find_key(&claim.key_id) {
        if key.status == KeyStatus::Inactive {
            return Err(words::unknown_key(dialect).because("the access key is inactive"));
        }
        if claim.token.is_some() {
            return Err(words::wrong_token(dialect).because("a long-lived key was sent with a session token"));
        }
        let principal = match owner {
            KeyOwner::User(account, name) => {
                Principal::User { account: account.to_owned(), name: name.to_owned() }
            }
            KeyOwner::Root(account) => Principal::Root { account: account.to_owned() },
        };
        return Ok((key.secret.expose().to_owned(), caller(principal, None)));
    }
    let Some(session) = world.sessions.get(&claim.key_id) else {
        return Err(words::unknown_key(dialect).because("the sandbox did not mint this access key"));
    };
    let Some(token) = &claim.token else {
        return Err(words::unknown_key(dialect).because("a temporary key was sent without its session token"));
    };
    if !bool::from(token.as_bytes().ct_eq(session.token.expose().as_bytes())) {
        return Err(words::wrong_token(dialect).because("the session token is not that of the key"));
    }
    if is_gone(world, &session.principal) {
        return Err(words::unknown_key(dialect).because("the user or role of the session was deleted"));
    }
    Ok((session.secret.expose().to_owned(), caller(session.principal.clone(), Some(session.clone()))))
}

fn is_gone(world: &World, principal: &Principal) -> bool {
    match principal {
        Principal::User { account, name } => world.user(account, name).is_none(),
        Principal::RoleSession { account, role, .. } => world.role(account, role).is_none(),
        Principal::Federated { account, user, .. } => {
            user.as_ref().is_some_and(|user| world.user(account, user).is_none())
        }
        Principal::Root { .. } => false,
    }
}

fn check_clock(claim: &Claim, dialect: Dialect, now: Timestamp) -> Result<(), ErrorResponse> {
    let ahead = claim.at.as_second() - now.as_second();
    match claim.form {
        Form::Presigned { expires } if dialect == Dialect::S3 => {
            if ahead > SKEW_SECONDS {
                return Err(ErrorResponse::denied("Request is not yet valid"));
            }
            if -ahead > expires {
                return Err(ErrorResponse::denied("Request has expired"));
            }
            Ok(())
        }
        form => {
            let limit = match form {
                Form::Presigned { expires } => expires.min(SKEW_SECONDS),
                Form::Header => SKEW_SECONDS,
            };
            if ahead > SKEW_SECONDS {
                return Err(words::too_early(dialect, &claim.stamp, now));
            }
            if -ahead > limit {
                return Err(words::too_late(dialect, &claim.stamp, now, limit));
            }
            Ok(())
        }
    }
}
