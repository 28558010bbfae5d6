//! Remembers the MFA codes sent for a device recently, so that no process sends a code twice.
//!
//! AWS accepts each code once, and counts wrong codes against the device. A private file keeps digests of codes, which
//! are worthless once they were sent.
//!
//! Times are measured by a clock that cannot be set ([`boot_clock`]), so setting the system clock forgets no code.
//! Entries from before a reboot count as sent now.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hatbox_types::name::MfaSerial;
use hatbox_types::secret::MfaCode;
use sha2::{Digest, Sha256};

use crate::sys::boot_clock;
use crate::sys::files::{FileError, Keep, read_private, write_atomic};

/// Longer than AWS accepts a code of another time step. After it, equal digits are a new code; a device repeats one of
/// the remembered codes by chance once in 50,000.
const WINDOW: Duration = Duration::from_mins(10);
/// More codes than a user sends within the window.
const MAX_CODES: usize = 64;
const MAX_FILE: u64 = 16 << 10;

/// The codes sent for one device. The caller holds the device's lock.
#[derive(Debug)]
pub(crate) struct UsedCodes {
    path: PathBuf,
    serial: MfaSerial,
}

/// One code: its digest, and when it was sent, in nanoseconds of [`boot_clock`].
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    digest: String,
    at: u128,
}

impl UsedCodes {
    /// Returns the codes of the device whose lock file is `lock`.
    pub(crate) fn beside(lock: &Path, serial: &MfaSerial) -> Self {
        Self { path: lock.with_extension("used"), serial: serial.clone() }
    }

    fn digest(&self, code: &MfaCode) -> String {
        let digest = Sha256::new()
            .chain_update("hatbox used code\0")
            .chain_update(self.serial.as_str())
            .chain_update([0])
            .chain_update(code.expose())
            .finalize();
        hex::encode(digest)
    }

    /// Whether `code` was sent within the window.
    pub(crate) fn has(&self, code: &MfaCode) -> bool {
        let digest = self.digest(code);
        self.load(boot_clock::now()).iter().any(|sent| sent.digest == digest)
    }

    /// Remembers `code`. Call this before it is sent: a kill in between must not lose it.
    pub(crate) fn save(&self, code: &MfaCode) -> Result<(), FileError> {
        self.save_at(code, boot_clock::now())
    }

    /// Forgets `code`, for a request that never left this machine.
    pub(crate) fn forget(&self, code: &MfaCode) -> Result<(), FileError> {
        let (digest, mut sent) = (self.digest(code), self.load(boot_clock::now()));
        sent.retain(|sent| sent.digest != digest);
        self.write(&sent)
    }

    fn save_at(&self, code: &MfaCode, now: u128) -> Result<(), FileError> {
        let mut sent = self.load(now);
        sent.push(Sent { digest: self.digest(code), at: now });
        let excess = sent.len().saturating_sub(MAX_CODES);
        sent.drain(..excess);
        self.write(&sent)
    }

    /// Loads the codes that still count at `now`, oldest first.
    fn load(&self, now: u128) -> Vec<Sent> {
        let bytes = read_private(&self.path, MAX_FILE).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let parse = |line: &str| {
            let (digest, at) = line.split_once(' ')?;
            Some(Sent { digest: digest.to_owned(), at: at.parse::<u128>().ok()?.min(now) })
        };
        let mut sent: Vec<_> = text.lines().filter_map(parse).collect();
        sent.retain(|sent| now - sent.at < WINDOW.as_nanos());
        sent
    }

    fn write(&self, sent: &[Sent]) -> Result<(), FileError> {
        let text: String = sent.iter().map(|Sent { digest, at }| format!("{digest} {at}\n")).collect();
        write_atomic(&self.path, text.as_bytes(), Keep::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u128 = 1_000_000_000;

    fn device(dir: &Path, serial: &str) -> UsedCodes {
        UsedCodes::beside(&dir.join(serial), &MfaSerial::parse(serial).unwrap())
    }

    fn code(text: &str) -> MfaCode {
        MfaCode::parse(text).unwrap()
    }

    #[test]
    fn every_code_of_a_device_is_known_as_used_and_for_that_device_only() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (device(dir.path(), "GAHT00000001"), device(dir.path(), "GAHT00000002"));
        let codes = ["123456", "000000", "999999", "123457"].map(code);
        for (number, next) in codes.iter().enumerate() {
            assert!(!a.has(next));
            a.save(next).unwrap();
            for (other, used) in codes.iter().enumerate() {
                assert_eq!(a.has(used), other <= number);
                assert!(!b.has(used));
            }
        }
    }

    #[test]
    fn a_code_that_was_not_sent_is_free_again_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let used = device(dir.path(), "GAHT00000001");
        for text in ["111111", "222222", "333333"] {
            used.save(&code(text)).unwrap();
        }
        used.forget(&code("222222")).unwrap();
        assert_eq!(["111111", "222222", "333333"].map(|text| used.has(&code(text))), [true, false, true]);
        used.forget(&code("444444")).unwrap();
        assert!(used.has(&code("333333")));
    }

    #[test]
    fn a_code_counts_for_its_window_also_over_a_start_of_the_machine() {
        let dir = tempfile::tempdir().unwrap();
        let used = device(dir.path(), "GAHT00000001");
        let has = |now| used.load(now).len();
        used.save_at(&code("111111"), 5000 * SECOND).unwrap();
        assert_eq!((has(5000 * SECOND), has(5599 * SECOND), has(5600 * SECOND)), (1, 1, 0));
        // After a reboot, the recorded times are in the future.
        assert_eq!(has(10 * SECOND), 1);
        used.save_at(&code("222222"), 10 * SECOND).unwrap();
        assert_eq!((has(609 * SECOND), has(610 * SECOND)), (2, 0));
    }

    #[test]
    fn the_file_stays_small_and_one_that_is_damaged_is_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let used = device(dir.path(), "GAHT00000001");
        for number in 0..200 {
            used.save_at(&code(&format!("{number:06}")), number * SECOND / 10).unwrap();
        }
        assert_eq!(used.load(20 * SECOND).len(), MAX_CODES);
        assert!(std::fs::metadata(&used.path).unwrap().len() < MAX_FILE);
        for damaged in ["", "x", "x y\n", "\u{0}", "aa -1\n"] {
            write_atomic(&used.path, damaged.as_bytes(), Keep::Nothing).unwrap();
            assert_eq!(used.load(SECOND), [], "{damaged:?}");
        }
    }
}
