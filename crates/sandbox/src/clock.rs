//! The sandbox's clock: the system clock plus an offset that tests set.

use jiff::{SignedDuration, Timestamp};

/// The limit of the offset in seconds: enough for any test, and every resulting time can be rendered.
pub(crate) const CENTURY: i64 = 100 * 365 * 24 * 3600;

/// Returns the time of a sandbox whose clock is `offset_seconds` ahead of the system clock.
pub(crate) fn now(offset_seconds: i64) -> Timestamp {
    let system = Timestamp::now();
    system.checked_add(SignedDuration::from_secs(offset_seconds)).unwrap_or(system)
}

/// Returns `at` plus `seconds`, or the maximum timestamp on overflow.
pub(crate) fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// Truncates `at` to whole seconds.
pub(crate) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// Renders a time as in signatures: `20260102T030405Z`.
pub(crate) fn render_basic(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Renders a time as in STS and IAM: `2026-01-02T03:04:05Z`.
pub(crate) fn render_iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Renders a time as in S3 documents: `2026-01-02T03:04:05.000Z`.
pub(crate) fn render_iso_millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// Renders a time as in HTTP headers: `Fri, 02 Jan 2026 03:04:05 GMT`.
pub(crate) fn render_http(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Parses exactly the form `20260102T030405Z`.
pub(crate) fn parse_basic(text: &str) -> Option<Timestamp> {
    if text.len() != 16 || !text.ends_with('Z') {
        return None;
    }
    let (date, time) = text.trim_end_matches('Z').split_once('T')?;
    let number = |text: &str, range| -> Option<i16> {
        let digits: &str = text.get(range)?;
        if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
    };
    let small = |text: &str, range| number(text, range).and_then(|n| i8::try_from(n).ok());
    let (year, month, day) = (number(date, 0..4)?, small(date, 4..6)?, small(date, 6..8)?);
    let (hour, minute, second) = (small(time, 0..2)?, small(time, 2..4)?, small(time, 4..6)?);
    let civil = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_basic_time_is_read_as_written() {
        let at = parse_basic("20260102T030405Z").unwrap();
        assert_eq!(render_basic(at), "20260102T030405Z");
        assert_eq!(render_iso(at), "2026-01-02T03:04:05Z");
        assert_eq!(render_http(at), "Fri, 02 Jan 2026 03:04:05 GMT");
    }

    #[test]
    fn what_is_not_a_basic_time_is_refused() {
        for bad in [
            "",
            "2026-01-02T03:04:05Z",
            "20260102T030405",
            "20261302T030405Z",
            "20260102t030405Z",
            "2026010+T030405Z",
        ] {
            assert_eq!(parse_basic(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_offset_moves_the_clock() {
        let ahead = now(3600).as_second() - Timestamp::now().as_second();
        assert!((3599..=3600).contains(&ahead), "{ahead}");
    }
}
