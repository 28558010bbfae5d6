//! Parses and compares typed values: numbers, dates, IP addresses and binary data.

use std::net::IpAddr;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

/// A number; integers are exact.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Integer(i128),
    Real(f64),
}

impl Number {
    /// Parses a decimal number. Rejects `inf`, `0x10` and the like.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(integer) = text.parse() {
            return Some(Self::Integer(integer));
        }
        let is_decimal = text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
        let real: f64 = if is_decimal { text.parse().ok()? } else { return None };
        real.is_finite().then_some(Self::Real(real))
    }

    #[expect(clippy::cast_precision_loss, reason = "only when compared with a number that has a fraction")]
    fn as_real(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Real(real) => real,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(std::cmp::Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(b)),
            (a, b) => a.as_real().partial_cmp(&b.as_real()),
        }
    }
}

/// Parses a date in a form of ISO 8601 (UTC if it has no time zone), or seconds since 1970.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // `YYYY` and `YYYY-MM` are allowed by W3C's profile of ISO 8601 (https://www.w3.org/TR/NOTE-datetime).
    let text = match text.len() {
        4 if text.bytes().all(|b| b.is_ascii_digit()) => format!("{text}-01-01"),
        7 if text.get(4..5) == Some("-") => format!("{text}-01"),
        _ => text.to_owned(),
    };
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite());
    if let Some(seconds) = seconds {
        let span = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
        return Timestamp::from_duration(span).ok();
    }
    let local: civil::DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(local).ok()
}

/// Whether the address `actual` is in `range`, an address or a CIDR block; `None` if either is invalid.
pub(super) fn is_in_range(actual: &str, range: &str) -> Option<bool> {
    let (actual, (base, length)) = (parse_address(actual)?, parse_range(range)?);
    Some(match (actual, base) {
        (IpAddr::V4(actual), IpAddr::V4(base)) => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            u32::from(actual) & mask == u32::from(base) & mask
        }
        (IpAddr::V6(actual), IpAddr::V6(base)) => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            u128::from(actual) & mask == u128::from(base) & mask
        }
        _ => false,
    })
}

fn parse_address(text: &str) -> Option<IpAddr> {
    text.trim().parse().ok()
}

/// Parses an address or a CIDR block; returns it with its prefix length in bits.
pub(crate) fn parse_range(text: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = match text.trim().split_once('/') {
        Some((address, length)) => (parse_address(address)?, Some(length)),
        None => (parse_address(text)?, None),
    };
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let length = match length {
        Some(length) if length.bytes().all(|b| b.is_ascii_digit()) => length.parse().ok()?,
        Some(_) => return None,
        None => whole,
    };
    (length <= whole).then_some((address, length))
}

/// Whether two texts are base64 of the same bytes.
pub(super) fn is_same_binary(actual: &str, wanted: &str) -> bool {
    match (parse_base64(actual), parse_base64(wanted)) {
        (Some(actual), Some(wanted)) => actual == wanted,
        _ => false,
    }
}

/// Decodes base64 with the standard alphabet; padding is optional.
fn parse_base64(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&STANDARD, LENIENT).decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        let less = |a, b| Number::parse(a).unwrap() < Number::parse(b).unwrap();
        assert!(less("9", "10"));
        assert!(less("-1", "0.5"));
        assert!(less("9007199254740992", "9007199254740993"), "exact beyond what a float holds");
        assert_eq!(Number::parse("10"), Number::parse("10.0"));
        for bad in ["", "abc", "inf", "NaN", "0x10", "1e999", "1 2", "e"] {
            assert!(Number::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn one_moment_has_many_forms() {
        let midnight = parse_date("2026-01-15T00:00:00Z").unwrap();
        for same in
            ["2026-01-15", "2026-01-15T00:00:00", "2026-01-15T02:00:00+02:00", "1768435200", "1768435200.0"]
        {
            assert_eq!(parse_date(same), Some(midnight), "{same}");
        }
        assert_eq!(parse_date("2026"), parse_date("2026-01-01T00:00:00Z"));
        assert_eq!(parse_date("2026-01"), parse_date("2026-01-01"));
        assert_eq!(parse_date("12345.5"), Timestamp::from_millisecond(12_345_500).ok());
        assert_eq!(parse_date("1234567"), Timestamp::from_second(1_234_567).ok());
        assert_eq!(parse_date("1e10"), Timestamp::from_second(10_000_000_000).ok());
        for bad in ["", "tomorrow", "2026-13-01", "99999999999999999999", "inf", "2026-é"] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_address_lies_in_a_block_of_its_own_family() {
        for (address, range, is_in, why) in [
            ("203.0.113.7", "203.0.113.0/24", true, "within"),
            ("203.0.114.7", "203.0.113.0/24", false, "beside"),
            ("203.0.113.7", "203.0.113.99/24", true, "host bits do not count"),
            ("203.0.113.7", "203.0.113.7", true, "a bare address is itself"),
            ("203.0.113.8", "203.0.113.7", false, "and nothing else"),
            ("203.0.113.7", "0.0.0.0/0", true, "all"),
            ("2001:db8::1", "0.0.0.0/0", false, "all of the other family"),
            ("2001:db8:1::1", "2001:DB8:1::/48", true, "hex in any case"),
            ("2001:db8:2::1", "2001:db8:1::/48", false, "beside"),
            ("2001:db8::1", "::/0", true, "all"),
            ("2001:db8::1", "2001:db8::1", true, "a bare address"),
            ("203.0.113.7", "203.0.113.0/33", false, "no such block"),
            ("2001:db8::1", "2001:db8::/129", false, "no such block"),
            ("203.0.113.7", "203.0.113.0/", false, "no length"),
            ("203.0.113.7", "203.0.113.0/+24", false, "no sign"),
            ("here", "0.0.0.0/0", false, "no address"),
        ] {
            assert_eq!(is_in_range(address, range) == Some(true), is_in, "{address} {range}: {why}");
        }
    }

    #[test]
    fn bytes_are_compared_not_their_spelling() {
        assert!(is_same_binary("aGF0", "aGF0"));
        assert!(is_same_binary("aGF0Ym94", "aGF0Ym94"));
        assert!(is_same_binary("aA==", "aA"), "padding may be left out");
        assert!(is_same_binary("aB==", "aA=="), "bits that belong to no byte do not count");
        assert!(!is_same_binary("+/09azAZ", "+/09azAY"), "each letter tells");
        assert!(!is_same_binary("aGF0", "agf0"), "case tells");
        assert!(!is_same_binary("a!", "a!"), "no base64");
        assert!(!is_same_binary("a", "a"), "no base64");
    }
}
