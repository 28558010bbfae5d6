//! One-time codes of MFA devices (TOTP) in AWS's form: RFC 6238 with HMAC-SHA1, 30-second steps, 6 digits.

use hatbox_types::secret::{MfaCode, SecretString};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use sha1::Sha1;
use zeroize::Zeroizing;

/// How long a code is shown, in seconds.
pub const STEP_SECONDS: i64 = 30;

/// The minimum length of a seed in bytes: RFC 4226 requires 16, other services use 10, and AWS 40.
const SHORTEST: usize = 10;
const LONGEST: usize = 128;
/// The maximum length of a seed's text in bytes, including an `otpauth` URL.
const LONGEST_TEXT: usize = 2048;

/// The number of 30-second steps since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TotpStep(i64);

impl TotpStep {
    /// Returns the step at this time.
    pub fn at(at: Timestamp) -> Self {
        Self(at.as_second().div_euclid(STEP_SECONDS))
    }

    /// Returns the step before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

/// The secret from which a device computes its codes. Wiped on drop, and not printed by `Debug`.
#[derive(Clone)]
pub struct TotpSeed {
    base32: SecretString,
    bytes: Zeroizing<Vec<u8>>,
}

impl TotpSeed {
    /// Parses a seed as services show it: base32, perhaps in groups, or the `otpauth://totp/` URL of a QR code.
    ///
    /// # Errors
    /// If it is neither, has fewer than 10 or more than 128 bytes, or is for codes that AWS does not accept. The error
    /// contains no part of the text.
    pub fn parse(text: &str) -> Result<Self, TotpSeedError> {
        let text = text.trim();
        if text.len() > LONGEST_TEXT {
            return Err(TotpSeedError::Length);
        }
        match text.strip_prefix("otpauth://") {
            Some(url) => Self::parse_base32(&secret_of_url(url)?),
            None => Self::parse_base32(text),
        }
    }

    fn parse_base32(text: &str) -> Result<Self, TotpSeedError> {
        let mut base32 = Zeroizing::new(String::with_capacity(text.len()));
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
        let (mut word, mut bits) = (0_u32, 0_u32);
        let text = text.trim_end_matches('=');
        for c in text.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| c.to_ascii_uppercase()) {
            let value = match c {
                'A'..='Z' => u32::from(c) - u32::from('A'),
                '2'..='7' => u32::from(c) - u32::from('2') + 26,
                _ => return Err(TotpSeedError::Character),
            };
            base32.push(c);
            word = (word << 5 | value) & 0xffff;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from(word >> bits & 0xff).unwrap_or_default());
            }
        }
        if !(SHORTEST..=LONGEST).contains(&bytes.len()) {
            return Err(TotpSeedError::Length);
        }
        Ok(Self { base32: SecretString::new(base32.to_string()), bytes })
    }

    /// Returns the seed in base32: capital letters and digits, without padding.
    pub fn base32(&self) -> &SecretString {
        &self.base32
    }

    /// Returns the code that a device with this seed shows in `step`.
    pub fn code(&self, step: TotpStep) -> MfaCode {
        // HMAC accepts keys of any length.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&self.bytes) else { return MfaCode::of_number(0) };
        mac.update(&step.0.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let offset = usize::from(digest.last().copied().unwrap_or_default() & 15);
        let word = digest.iter().skip(offset).take(4).fold(0_u32, |word, &byte| word << 8 | u32::from(byte));
        MfaCode::of_number(word & 0x7fff_ffff)
    }
}

impl std::fmt::Debug for TotpSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why a text is not a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TotpSeedError {
    /// It contains a character that is not in base32.
    #[error(
        "invalid TOTP seed: expected base32 (letters and the digits 2 to 7), or an `otpauth://totp/` URL"
    )]
    Character,
    /// It is too short or too long.
    #[error("invalid TOTP seed: expected 16 to 205 characters of base32")]
    Length,
    /// The URL is for something else, or has no secret.
    #[error("invalid TOTP seed: the URL is not `otpauth://totp/...?secret=...`")]
    Url,
    /// The URL is for codes that AWS does not accept.
    #[error("invalid TOTP seed: AWS accepts only SHA1 codes of 6 digits with a period of 30 seconds")]
    Parameters,
}

/// Returns the secret in `totp/LABEL?secret=...&algorithm=SHA1&digits=6&period=30`.
fn secret_of_url(url: &str) -> Result<Zeroizing<String>, TotpSeedError> {
    let query = url.strip_prefix("totp/").and_then(|rest| rest.split_once('?')).ok_or(TotpSeedError::Url)?.1;
    let query = query.split('#').next().unwrap_or_default();
    let mut secret = None;
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let value = percent_decode_str(value).decode_utf8().map_err(|_| TotpSeedError::Url)?;
        let is_usual = match name {
            "secret" => {
                secret = Some(Zeroizing::new(value.into_owned()));
                true
            }
            "algorithm" => value.eq_ignore_ascii_case("SHA1"),
            "digits" => value == "6",
            "period" => value == "30",
            _ => true,
        };
        if !is_usual {
            return Err(TotpSeedError::Parameters);
        }
    }
    secret.ok_or(TotpSeedError::Url)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `12345678901234567890`
    const RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn step(second: i64) -> TotpStep {
        TotpStep::at(Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        let seed = TotpSeed::parse(RFC).unwrap();
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(seed.code(step(second)).expose(), code, "{second}");
        }
        assert_eq!(step(59), step(30));
        assert_eq!(step(60).previous(), step(59));
    }

    #[test]
    fn a_seed_is_read_as_services_show_it() {
        let grouped = "gezd gnbv gy3t qojq gezd-gnbv-gy3t-qojq==";
        let url = format!("otpauth://totp/AWS:jan?secret={RFC}&issuer=AWS&algorithm=sha1&digits=6&period=30");
        let padded = format!("otpauth://totp/jan@1?secret={RFC}%3D%3D#x");
        for text in [RFC, grouped, &format!(" {RFC}\n"), &url, &padded] {
            let seed = TotpSeed::parse(text).unwrap();
            assert_eq!(seed.base32().expose(), RFC);
            assert_eq!(seed.code(step(59)).expose(), "287082");
        }
    }

    #[test]
    fn what_is_not_a_seed_is_refused_without_being_shown() {
        let url = |query: &str| format!("otpauth://totp/x?{query}");
        for (text, error) in [
            ("", TotpSeedError::Length),
            ("canary", TotpSeedError::Length),
            ("GEZDGNBVGY3TQOJ1", TotpSeedError::Character),
            ("gézdgnbvgy3tqojq", TotpSeedError::Character),
            (&"A".repeat(210), TotpSeedError::Length),
            (&"A".repeat(5000), TotpSeedError::Length),
            ("otpauth://hotp/x?secret=GEZDGNBVGY3TQOJQ&counter=0", TotpSeedError::Url),
            ("otpauth://totp/x", TotpSeedError::Url),
            (&url("issuer=x"), TotpSeedError::Url),
            (&url("secret=%ff"), TotpSeedError::Url),
            (&url("secret=GEZDGNBVGY3TQOJQ&digits=8"), TotpSeedError::Parameters),
            (&url("secret=GEZDGNBVGY3TQOJQ&period=60"), TotpSeedError::Parameters),
            (&url("algorithm=SHA256&secret=GEZDGNBVGY3TQOJQ"), TotpSeedError::Parameters),
            ("https://example.com", TotpSeedError::Character),
        ] {
            assert_eq!(TotpSeed::parse(text).unwrap_err(), error, "{text}");
        }
        assert_eq!(format!("{:?}", TotpSeed::parse(RFC).unwrap()), "[redacted]");
    }
}
