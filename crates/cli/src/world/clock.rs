//! The only clock: for expiry, for signatures, and for recorded times.

use std::time::{Duration, SystemTime};

use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use jiff::Timestamp;

use super::environment::Environment;

/// The system's clock. With the feature `test-clock`, it is shifted by `HATBOX_TEST_CLOCK_OFFSET` seconds, and by the
/// seconds in the file that `HATBOX_TEST_CLOCK_FILE` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    offset_seconds: i64,
    #[cfg(feature = "test-clock")]
    file: Option<&'static std::path::Path>,
}

impl Clock {
    #[cfg(feature = "test-clock")]
    pub(crate) fn of_environment(environment: &Environment) -> Self {
        let offset = environment.text(crate::env_names::TEST_CLOCK_OFFSET).and_then(|text| text.parse().ok());
        let file = environment.text(crate::env_names::TEST_CLOCK_FILE);
        let file = file.map(|path| &*Box::leak(std::path::PathBuf::from(path).into_boxed_path()));
        Self { offset_seconds: offset.unwrap_or(0), file }
    }

    /// The current shift.
    #[cfg(feature = "test-clock")]
    fn offset(self) -> i64 {
        let text = self.file.and_then(|path| std::fs::read_to_string(path).ok());
        self.offset_seconds + text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    #[cfg(not(feature = "test-clock"))]
    fn offset(self) -> i64 {
        self.offset_seconds
    }

    #[cfg(not(feature = "test-clock"))]
    pub(crate) fn of_environment(_: &Environment) -> Self {
        Self { offset_seconds: 0 }
    }

    /// Returns the current time.
    pub(crate) fn now(self) -> Timestamp {
        Timestamp::try_from(self.system_time()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// For the SDK's clients.
    pub(crate) fn time_source(self) -> SharedTimeSource {
        SharedTimeSource::new(self)
    }

    fn system_time(self) -> SystemTime {
        let offset = self.offset();
        let shift = Duration::from_secs(offset.unsigned_abs());
        let now = SystemTime::now();
        let shifted = if offset >= 0 { now.checked_add(shift) } else { now.checked_sub(shift) };
        shifted.unwrap_or(now)
    }
}

/// Returns the time limit to use for `limit`. With the feature `test-clock`, at most `HATBOX_TEST_TIME_LIMIT` seconds.
#[cfg(feature = "test-clock")]
pub(crate) fn shortened(environment: &Environment, limit: Duration) -> Duration {
    let seconds = environment.text(crate::env_names::TEST_TIME_LIMIT).and_then(|text| text.parse().ok());
    seconds.map_or(limit, |seconds| limit.min(Duration::from_secs(seconds)))
}

#[cfg(not(feature = "test-clock"))]
pub(crate) fn shortened(_: &Environment, limit: Duration) -> Duration {
    limit
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        self.system_time()
    }
}
