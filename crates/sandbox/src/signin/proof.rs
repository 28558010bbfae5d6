//! Proofs of possession (RFC 9449) in the `DPoP` header: a token signed by the key in its own header.

use serde_json::Value;

use super::{TOKEN, invalid};
use crate::context::RequestContext;
use crate::encoding::parse_base64_url;
use crate::error_response::ErrorResponse;
use crate::jwt::{Curve, PublicKey, Token};

/// The maximum clock difference of the signer.
const SKEW_SECONDS: i64 = 300;

/// Verifies the proof of a call, and returns its key. A proof can be used only once.
pub(super) fn check_proof(context: &mut RequestContext) -> Result<PublicKey, ErrorResponse> {
    let refused = |why: &str| invalid("Invalid DPoP proof").because(why);
    let request = context.request;
    let mut headers = request.headers.iter().filter(|(name, _)| name == "dpop");
    let (Some((_, text)), None) = (headers.next(), headers.next()) else {
        return Err(refused("there is not one DPoP header"));
    };
    let token = Token::parse(text).ok_or_else(|| refused("it is not a token"))?;
    if token.header.get("typ").and_then(Value::as_str) != Some("dpop+jwt") {
        return Err(refused("typ is not dpop+jwt"));
    }
    let key = token.header.get("jwk").cloned().unwrap_or_default();
    if key.get("d").is_some() {
        return Err(refused("the header has the private key"));
    }
    let key: PublicKey = serde_json::from_value(key).map_err(|_| refused("jwk is not a key"))?;
    let PublicKey::Ec { crv: Curve::P256, x, y } = &key else {
        return Err(refused("the key is not one of ES256"));
    };
    // RFC 7518, section 6.2.1.2: coordinates have full length, including leading zeros.
    let is_whole = |part: &String| parse_base64_url(part).is_some_and(|bytes| bytes.len() == 32);
    if !is_whole(x) || !is_whole(y) {
        return Err(refused("a coordinate does not have 32 bytes"));
    }
    if !token.is_signed_by(&key) {
        return Err(refused("the signature does not hold"));
    }
    let claim = |name: &str| token.claims.get(name).and_then(Value::as_str);
    if claim("htm") != Some("POST") {
        return Err(refused("htm is not POST"));
    }
    let url = format!("http://{}{TOKEN}", request.header("host").unwrap_or_default());
    if claim("htu") != Some(&*url) {
        return Err(refused("htu is not the URL of the call"));
    }
    let now = context.now.as_second();
    let is_now = token.claims.get("iat").and_then(Value::as_i64);
    if is_now.is_none_or(|at| at.abs_diff(now) > SKEW_SECONDS.unsigned_abs()) {
        return Err(refused("iat is not now"));
    }
    let id = claim("jti").filter(|id| !id.is_empty()).ok_or_else(|| refused("there is no jti"))?;
    if context.world.logins.proofs.insert(id.to_owned(), context.now).is_some() {
        return Err(refused("the proof was used before"));
    }
    Ok(key)
}
