//! JSON Web Tokens: the compact form of RFC 7515, signed and verified by `ring`.
//!
//! | `alg` | key | signs | verifies |
//! |---|---|---|---|
//! | `ES256` | P-256 | yes | yes |
//! | `ES384` | P-384 | yes | yes |
//! | `RS256` | RSA, 2048 bits or more | no: `ring` makes no RSA keys | yes |
//!
//! Any other `alg`, in particular `none`, is rejected. The key determines the algorithm, and the token's header must
//! name the same one.

use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, KeyPair, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::encoding::{parse_base64_url, render_base64_url};
use crate::error::Error;
use crate::world::WorldSecret;

/// A public key in the form of RFC 7517, as a provider publishes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty")]
pub enum PublicKey {
    /// A point on a curve.
    #[serde(rename = "EC")]
    Ec {
        /// Which curve.
        crv: Curve,
        /// The first coordinate, base64url.
        x: String,
        /// The second coordinate, base64url.
        y: String,
    },
    /// An RSA key.
    #[serde(rename = "RSA")]
    Rsa {
        /// The modulus, base64url.
        n: String,
        /// The exponent, base64url.
        e: String,
    },
}

/// The curve of a key that signs tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Curve {
    /// For `ES256`.
    #[serde(rename = "P-256")]
    P256,
    /// For `ES384`.
    #[serde(rename = "P-384")]
    P384,
}

impl Curve {
    fn alg(self) -> &'static str {
        match self {
            Self::P256 => "ES256",
            Self::P384 => "ES384",
        }
    }

    fn signing(self) -> &'static signature::EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            Self::P384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        }
    }

    fn verifying(self) -> &'static signature::EcdsaVerificationAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::P384 => &signature::ECDSA_P384_SHA384_FIXED,
        }
    }
}

impl PublicKey {
    fn alg(&self) -> &'static str {
        match self {
            Self::Ec { crv, .. } => crv.alg(),
            Self::Rsa { .. } => "RS256",
        }
    }

    fn is_signature(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ec { crv, x, y } => parse_base64_url(x).zip(parse_base64_url(y)).is_some_and(|(x, y)| {
                // The SEC 1 form of an uncompressed point.
                let point = [&[4], x.as_slice(), &y].concat();
                UnparsedPublicKey::new(crv.verifying(), point).verify(message, signature).is_ok()
            }),
            Self::Rsa { n, e } => parse_base64_url(n).zip(parse_base64_url(e)).is_some_and(|(n, e)| {
                let key = RsaPublicKeyComponents { n: &n, e: &e };
                key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }),
        }
    }
}

/// Creates a key pair on `curve`: the secret half as PKCS#8 in base64url, and the public half.
pub(crate) fn mint_key_pair(curve: Curve) -> Result<(WorldSecret, PublicKey), Error> {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(curve.signing(), &random).map_err(|_| Error::Random)?;
    let pair = EcdsaKeyPair::from_pkcs8(curve.signing(), document.as_ref(), &random)
        .map_err(|_| Error::SigningKey)?;
    let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
    let (x, y) = point.split_at(point.len() / 2);
    let public = PublicKey::Ec { crv: curve, x: render_base64_url(x), y: render_base64_url(y) };
    Ok((WorldSecret::new(render_base64_url(document.as_ref())), public))
}

/// Signs `claims` with a secret half created by [`mint_key_pair`] on `curve`.
pub(crate) fn sign(
    curve: Curve,
    secret: &WorldSecret,
    key_id: &str,
    claims: &Map<String, Value>,
) -> Result<String, Error> {
    let random = SystemRandom::new();
    let document = parse_base64_url(secret.expose()).ok_or(Error::SigningKey)?;
    let pair =
        EcdsaKeyPair::from_pkcs8(curve.signing(), &document, &random).map_err(|_| Error::SigningKey)?;
    let header = json!({ "alg": curve.alg(), "typ": "JWT", "kid": key_id }).to_string();
    let claims = Value::Object(claims.clone()).to_string();
    let message =
        format!("{}.{}", render_base64_url(header.as_bytes()), render_base64_url(claims.as_bytes()));
    let signature = pair.sign(&random, message.as_bytes()).map_err(|_| Error::Random)?;
    Ok(format!("{message}.{}", render_base64_url(signature.as_ref())))
}

/// A parsed token. Its content cannot be trusted until [`Token::is_signed_by`] returns `true`.
#[derive(Debug)]
pub(crate) struct Token<'t> {
    alg: String,
    /// The header, including `alg` and `kid`.
    pub(crate) header: Map<String, Value>,
    /// The id of the issuer's key that is said to have signed the token.
    pub(crate) key_id: Option<String>,
    /// The claims.
    pub(crate) claims: Map<String, Value>,
    message: &'t str,
    signature: Vec<u8>,
}

impl<'t> Token<'t> {
    /// Parses the compact form; `None` if the text does not have it.
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        let (message, signature) = text.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let object = |part: &str| serde_json::from_slice::<Map<String, Value>>(&parse_base64_url(part)?).ok();
        let header = object(header)?;
        // RFC 7515, section 4.1.11: reject unknown critical extensions; none are supported here.
        if header.contains_key("crit") {
            return None;
        }
        let text = |name: &str| header.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            alg: text("alg")?,
            key_id: text("kid"),
            header: header.clone(),
            claims: object(claims)?,
            message,
            signature: parse_base64_url(signature)?,
        })
    }

    /// Returns whether `key` signed the token.
    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.alg == key.alg() && key.is_signature(self.message.as_bytes(), &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515, appendices A.2 and A.3: the same claims, signed with RSA and on P-256.
    const CLAIMS: &str =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const RSA: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    const RSA_KEY: &str = r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#;
    const EC: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    const EC_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;

    fn key(text: &str) -> PublicKey {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_examples_of_the_standard_hold_with_their_own_key_alone() {
        let rsa = format!("eyJhbGciOiJSUzI1NiJ9.{CLAIMS}.{RSA}");
        let ec = format!("eyJhbGciOiJFUzI1NiJ9.{CLAIMS}.{EC}");
        for (token, own, other) in [(&rsa, RSA_KEY, EC_KEY), (&ec, EC_KEY, RSA_KEY)] {
            let parsed = Token::parse(token).unwrap();
            assert_eq!(parsed.claims["iss"], "joe");
            assert!(parsed.is_signed_by(&key(own)));
            assert!(!parsed.is_signed_by(&key(other)));
            // Changes one letter of the claims or of a signature.
            for (from, to) in [("eyJpc3Mi", "eyJpc3Ni"), (".cC4h", ".cC4i"), (".DtEh", ".DtEi")] {
                let spoilt = token.replace(from, to);
                if spoilt != **token {
                    assert!(Token::parse(&spoilt).is_none_or(|spoilt| !spoilt.is_signed_by(&key(own))));
                }
            }
        }
    }

    #[test]
    fn the_key_decides_on_the_algorithm_and_not_the_header() {
        let header = |text: &str| render_base64_url(text.as_bytes());
        for alg in ["none", "HS256", "RS256", "ES384", "es256"] {
            let named = header(&format!(r#"{{"alg":"{alg}"}}"#));
            for signature in [EC, ""] {
                let token = format!("{named}.{CLAIMS}.{signature}");
                assert!(!Token::parse(&token).unwrap().is_signed_by(&key(EC_KEY)), "{alg}");
            }
        }
        let critical = header(r#"{"alg":"ES256","crit":["exp"]}"#);
        assert!(Token::parse(&format!("{critical}.{CLAIMS}.{EC}")).is_none());
    }

    #[test]
    fn what_is_signed_here_holds_with_the_public_half_of_the_pair_alone() {
        let claims = json!({ "iss": "https://issuer.example", "aud": ["a", "b"] });
        let claims = claims.as_object().unwrap();
        for curve in [Curve::P256, Curve::P384] {
            let (secret, public) = mint_key_pair(curve).unwrap();
            let token = sign(curve, &secret, "k1", claims).unwrap();
            let parsed = Token::parse(&token).unwrap();
            assert_eq!((parsed.key_id.as_deref(), &parsed.claims), (Some("k1"), claims));
            assert!(parsed.is_signed_by(&public));
            assert!(!parsed.is_signed_by(&mint_key_pair(curve).unwrap().1));
            assert!(!format!("{secret:?}").contains(secret.expose()));
        }
    }

    #[test]
    fn what_is_not_a_token_is_not_a_token() {
        for text in
            ["", "abcd", "..", "a.b", "e30.e30.", "e30.e30.AA", "eyJhbGciOiJFUzI1NiJ9.W10.AA", "a.b.c.d"]
        {
            assert!(Token::parse(text).is_none(), "{text}");
        }
    }
}
