//! Checks the clock, and what expires soon. Times are arguments.

use jiff::Timestamp;

use super::finding::{Finding, Topic};
use hatbox_types::level::Level;
use hatbox_types::name::ProfileName;
use hatbox_types::text::shell::quote_word;

/// In seconds. AWS rejects signatures that differ by more than 15 minutes from its own time (STS: "Signature expired",
/// "not yet current"; S3: RequestTimeTooSkewed).
const REFUSED: i64 = 15 * 60;
/// In seconds. An MFA code is valid for its step of 30 seconds (RFC 6238) and the neighbouring steps.
const CODE_STEP: i64 = 30;
/// In seconds. Files written on another machine, or just now, may be ahead by this much.
const TOLERANCE: i64 = 5 * 60;
const DAY: i64 = 24 * 3600;
/// In days. Older keys should be rotated (CIS AWS Foundations Benchmark 1.14).
const OLD_KEY: i64 = 90;
/// In seconds. Sessions with less time left are reported.
const ENDING: i64 = 15 * 60;

/// Compares this machine's clock with a time from the host `source`.
pub fn check_skew(ours: Timestamp, theirs: Timestamp, source: &str) -> Option<Finding> {
    let skew = ours.as_second() - theirs.as_second();
    let off = format!(
        "the clock is {} {} that of {source}",
        render_length(skew),
        if skew > 0 { "ahead of" } else { "behind" }
    );
    let (level, text) = match skew.abs() {
        off if off <= CODE_STEP => return None,
        size if size < REFUSED => {
            (Level::Warning, format!("{off}: AWS rejects MFA codes that this machine makes"))
        }
        _ => (Level::Error, format!("{off}: AWS rejects every signature")),
    };
    Some(Finding::new(Topic::Clock, "clock-skew", level, text))
}

/// Reports a clock that is behind the time at which `file` was written.
pub fn check_behind(now: Timestamp, written: Timestamp, file: &str) -> Option<Finding> {
    let behind = written.as_second() - now.as_second();
    let text = format!(
        "the clock is behind: this file was written at {}, which is {} from now",
        render_moment(written),
        render_length(behind)
    );
    (behind > TOLERANCE)
        .then(|| Finding::new(Topic::Clock, "clock-behind", Level::Warning, text).in_file(file))
}

/// Reports a cached session from the future: the clock was set back, and sessions from before are not used.
pub fn check_obtained(now: Timestamp, obtained: Timestamp, profile: &ProfileName) -> Option<Finding> {
    let ahead = obtained.as_second() - now.as_second();
    let text = "some cached sessions are dated in the future (was the clock set back?); they will be renewed";
    (ahead > TOLERANCE)
        .then(|| Finding::new(Topic::Clock, "clock-set-back", Level::Warning, text).about(profile))
}

/// Reports a session that expires in `left` seconds, if that is soon. `call` is AWS's name of its call:
/// `GetSessionToken`.
pub fn check_ending(left: i64, call: &str, profile: &ProfileName) -> Option<Finding> {
    let text = format!("the cached {call} session of `{profile}` expires in {}", render_length(left));
    let is_ending = left > 0 && left < ENDING;
    is_ending.then(|| Finding::new(Topic::Store, "session-ending", Level::Info, text).about(profile))
}

/// Returns the age in whole days.
pub fn age_in_days(created: Timestamp, now: Timestamp) -> i64 {
    ((now.as_second() - created.as_second()) / DAY).max(0)
}

/// Reports an access key that was stored long ago.
pub fn check_key_age(now: Timestamp, created: Timestamp, profile: &ProfileName) -> Option<Finding> {
    let days = age_in_days(created, now);
    let text = format!("the access key of `{profile}` is {days} days old");
    let fix = format!("hatbox rotate {}", quote_word(profile.as_str()));
    (days > OLD_KEY)
        .then(|| Finding::new(Topic::Store, "old-key", Level::Warning, text).about(profile).fixed_by(fix))
}

/// Renders a length of time in whole units: `45s`, `12m`, `3h`, `5 days`. Ignores the sign.
pub(super) fn render_length(seconds: i64) -> String {
    match seconds.unsigned_abs() {
        seconds @ 0..120 => format!("{seconds}s"),
        seconds @ 120..7200 => format!("{}m", seconds / 60),
        seconds @ 7200..172_800 => format!("{}h", seconds / 3600),
        seconds => format!("{} days", seconds / 86400),
    }
}

fn render_moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::super::Fix;
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_768_471_200 + seconds).unwrap()
    }

    #[test]
    fn a_clock_that_is_off_is_reported_by_how_much_and_what_fails() {
        for (off, level) in [
            (0, None),
            (30, None),
            (-30, None),
            (95, Some(Level::Warning)),
            (-899, Some(Level::Warning)),
            (900, Some(Level::Error)),
            (-7200, Some(Level::Error)),
        ] {
            let found = check_skew(at(off), at(0), "AWS");
            assert_eq!(found.as_ref().map(|finding| finding.level), level, "{off}");
        }
        let text = |off| check_skew(at(off), at(0), "AWS").unwrap().text;
        assert!(text(-95).starts_with("the clock is 95s behind that of AWS"), "{}", text(-95));
        assert!(text(1200).starts_with("the clock is 20m ahead of that of AWS"), "{}", text(1200));
    }

    #[test]
    fn a_file_of_the_future_shows_that_the_clock_is_behind() {
        assert_eq!(check_behind(at(0), at(299), "f"), None);
        assert_eq!(check_behind(at(0), at(-9999), "f"), None);
        let found = check_behind(at(0), at(864_000), "f").unwrap();
        assert!(found.text.ends_with("at 2026-01-25 10:00 UTC, which is 10 days from now"), "{}", found.text);
    }

    #[test]
    fn a_session_that_ends_soon_or_began_in_the_future_is_reported() {
        let profile = ProfileName::parse("dev").unwrap();
        assert_eq!(check_ending(900, "AssumeRole", &profile), None);
        assert_eq!(check_ending(0, "AssumeRole", &profile), None);
        let found = check_ending(899, "AssumeRole", &profile).unwrap();
        assert_eq!(found.text, "the cached AssumeRole session of `dev` expires in 14m");
        assert_eq!(check_obtained(at(0), at(200), &profile), None);
        assert!(check_obtained(at(0), at(9999), &profile).is_some());
    }

    #[test]
    fn a_key_is_old_after_90_days() {
        let profile = ProfileName::parse("my dev").unwrap();
        let days = |days: i64| at(days * 86400);
        assert_eq!(check_key_age(days(90), at(0), &profile), None);
        assert_eq!(check_key_age(at(0), days(5), &profile), None);
        let found = check_key_age(days(91), at(0), &profile).unwrap();
        assert_eq!(found.text, "the access key of `my dev` is 91 days old");
        assert_eq!(found.fix, Some(Fix::Run("hatbox rotate 'my dev'".to_owned())));
    }

    #[test]
    fn a_length_is_in_whole_units() {
        assert_eq!(
            [5, -95, 600, 7200, 200_000].map(render_length),
            ["5s", "95s", "10m", "2h", "2 days"].map(str::to_owned)
        );
    }
}
