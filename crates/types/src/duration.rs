//! Durations as users write them: `3600`, `1h`, `1h30m`, `12h`. Whole seconds, more than zero.

use std::time::Duration;

/// The longest duration that is accepted: 366 days. AWS's own limits are far shorter, and AWS checks them.
pub const MAX_DURATION: Duration = Duration::from_hours(366 * 24);

/// Why a text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It has another form.
    #[error("expected `3600`, `90m` or `1h30m`")]
    Form,
    /// It is zero.
    #[error("expected more than 0")]
    Zero,
    /// It is more than [`MAX_DURATION`].
    #[error("expected at most 366 days")]
    TooLong,
}

/// Parses seconds (`3600`), or hours, minutes and seconds with their letters, in this order, each at most once.
///
/// # Errors
/// If it has another form, is zero, or is longer than [`MAX_DURATION`].
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let is_seconds = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let seconds = if is_seconds { parse_count(text)? } else { parse_units(text)? };
    match Duration::from_secs(seconds) {
        Duration::ZERO => Err(DurationError::Zero),
        long if long > MAX_DURATION => Err(DurationError::TooLong),
        duration => Ok(duration),
    }
}

fn parse_units(text: &str) -> Result<u64, DurationError> {
    let mut total = 0_u64;
    let mut rest = text;
    for (unit, seconds) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((count, after)) = rest.split_once(unit) {
            let count = parse_count(count)?;
            total = count
                .checked_mul(seconds)
                .and_then(|s| total.checked_add(s))
                .ok_or(DurationError::TooLong)?;
            rest = after;
        }
    }
    if rest.is_empty() && !text.is_empty() { Ok(total) } else { Err(DurationError::Form) }
}

fn parse_count(digits: &str) -> Result<u64, DurationError> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DurationError::Form);
    }
    // These are only digits, so the only possible error is their size.
    digits.parse().map_err(|_| DurationError::TooLong)
}

/// Renders a duration in the form of [`parse_duration`]: `1h30m`, `45s`, `0s`. Truncates fractions of a second.
pub fn render_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let mut text = String::new();
    for (count, unit) in [(seconds / 3600, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')] {
        if count > 0 || (unit == 's' && text.is_empty()) {
            text.push_str(&count.to_string());
            text.push(unit);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_length_is_read_in_seconds_or_with_letters() {
        for (text, seconds, rendered) in [
            ("3600", 3600, "1h"),
            ("1h", 3600, "1h"),
            ("1h30m", 5400, "1h30m"),
            ("12h", 43200, "12h"),
            ("90m", 5400, "1h30m"),
            ("61m", 3660, "1h1m"),
            ("1h0m5s", 3605, "1h5s"),
            ("0h15m", 900, "15m"),
            ("007", 7, "7s"),
        ] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(
                (duration.as_secs(), render_duration(duration).as_str()),
                (seconds, rendered),
                "{text}"
            );
        }
        assert_eq!(render_duration(Duration::ZERO), "0s");
    }

    #[test]
    fn what_is_not_a_length_is_refused_with_its_reason() {
        use DurationError::{Form, TooLong, Zero};
        for (text, error) in [
            ("", Form),
            ("abc", Form),
            ("-5", Form),
            ("+5", Form),
            ("1.5h", Form),
            ("1h1h", Form),
            ("30m1h", Form),
            ("1h 30m", Form),
            ("h", Form),
            ("1H", Form),
            ("1d", Form),
            ("500ms", Form),
            ("1h30", Form),
            ("٣", Form),
            ("0", Zero),
            ("0h0m", Zero),
            ("8785h", TooLong),
            ("99999999999999999999", TooLong),
            ("18446744073709551615h", TooLong),
        ] {
            assert_eq!(parse_duration(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(seconds in 1..=MAX_DURATION.as_secs()) {
            let duration = Duration::from_secs(seconds);
            prop_assert_eq!(parse_duration(&render_duration(duration)), Ok(duration));
        }

        #[test]
        fn what_is_read_is_more_than_nothing(text in "[0-9hms]{1,8}|.{0,30}") {
            if let Ok(duration) = parse_duration(&text) {
                prop_assert!(duration > Duration::ZERO && duration <= MAX_DURATION);
            }
        }
    }
}
