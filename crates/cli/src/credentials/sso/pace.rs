//! Limits the calls to the portal across all processes of the user: it rejects more than about 20 calls per second.
//!
//! A file contains the time of the next free slot, by the clock that counts since boot. A caller takes that slot and
//! moves the time forward under a lock, then waits without the lock. If the portal is still busy, all slots move back.

use std::path::PathBuf;
use std::time::Duration;

use crate::aws::sso::{SsoError, SsoRefusal};
use crate::sys::files::{FileError, make_private_directory, read_private, write_cache};
use crate::sys::{boot_clock, lock};
use crate::world::World;

/// Below the limit of the portal, about 20 calls per second.
const CALLS_PER_SECOND: u32 = 18;
/// How often a call is repeated that was throttled or met a server error: for about half a minute in total.
const RETRIES: u32 = 9;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// A slot further away was written before a reboot, or not by hatbox.
const FURTHEST: Duration = Duration::from_mins(2);

/// Hands out the slots.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    directory: PathBuf,
    calls_per_second: u32,
}

impl Pace {
    pub(crate) fn of(world: &World) -> Self {
        let calls_per_second = rate_of_test(world).unwrap_or(CALLS_PER_SECOND).max(1);
        Self { directory: world.dirs.locks(), calls_per_second }
    }

    /// Makes a call in its slot, and repeats it if the portal is busy or has a fault.
    pub(crate) fn call<T>(
        &self,
        world: &World,
        mut call: impl FnMut() -> Result<T, SsoError>,
    ) -> Result<Result<T, SsoError>, FileError> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..RETRIES {
            std::thread::sleep(self.take_turn()?);
            match call() {
                Err(error) if matches!(error.refusal(), Some(SsoRefusal::Throttled | SsoRefusal::Fault)) => {
                    world.output.debug(|| format!("the portal is busy, waiting: {error}"));
                    self.hold_back(with_jitter(pause))?;
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
                result => return Ok(result),
            }
        }
        std::thread::sleep(self.take_turn()?);
        Ok(call())
    }

    /// Takes the next slot and returns how long to wait for it.
    fn take_turn(&self) -> Result<Duration, FileError> {
        let now = boot_clock::now();
        let turn = self.change(|next| {
            let turn = next_turn(next, now);
            (turn, turn + self.interval())
        })?;
        Ok(duration(turn.saturating_sub(now)))
    }

    /// Delays the slots of all calls.
    fn hold_back(&self, pause: Duration) -> Result<(), FileError> {
        // Tests that raise the pace get shorter pauses too.
        let pause = pause * CALLS_PER_SECOND / self.calls_per_second;
        let now = boot_clock::now();
        self.change(|next| ((), next_turn(next, now).max(now + pause.as_nanos())))
    }

    fn interval(&self) -> u128 {
        (Duration::from_secs(1) / self.calls_per_second).as_nanos()
    }

    fn change<T>(&self, change: impl FnOnce(u128) -> (T, u128)) -> Result<T, FileError> {
        make_private_directory(&self.directory)?;
        let _held = lock::hold(&self.directory.join("sso-portal.lock"))?;
        let path = self.directory.join("sso-portal.next");
        let next = match read_private(&path, 64) {
            Ok(text) => std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).unwrap_or(0),
            Err(FileError::Absent(_)) => 0,
            Err(error) => return Err(error),
        };
        let (result, next) = change(next);
        write_cache(&path, next.to_string().as_bytes())?;
        Ok(result)
    }
}

fn next_turn(next: u128, now: u128) -> u128 {
    if next > now + FURTHEST.as_nanos() { now } else { next.max(now) }
}

fn duration(nanoseconds: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or_default())
}

/// Returns half the pause to the whole pause: processes that were throttled together should not return together.
fn with_jitter(pause: Duration) -> Duration {
    let mut random = [0];
    // Without random bytes, they do.
    getrandom::getrandom(&mut random).ok();
    pause / 2 + pause / 2 * u32::from(random[0]) / 255
}

/// The pace that a test sets.
#[cfg(feature = "test-clock")]
fn rate_of_test(world: &World) -> Option<u32> {
    world.environment.text(crate::env_names::TEST_PORTAL_RATE)?.parse().ok()
}

#[cfg(not(feature = "test-clock"))]
fn rate_of_test(_: &World) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(directory: &std::path::Path) -> Pace {
        Pace { directory: directory.join("locks"), calls_per_second: CALLS_PER_SECOND }
    }

    #[test]
    fn turns_of_many_processes_are_as_far_apart_as_the_portal_wants() {
        let dir = tempfile::tempdir().unwrap();
        let paces: Vec<_> = (0..4).map(|_| pace(dir.path())).collect();
        let turns = |pace: Pace| {
            move || {
                let take = |_| {
                    let now = boot_clock::now();
                    let turn = |next| (next_turn(next, now), next_turn(next, now) + pace.interval());
                    pace.change(turn).unwrap()
                };
                (0..20).map(take).collect::<Vec<_>>()
            }
        };
        let threads: Vec<_> = paces.into_iter().map(|pace| std::thread::spawn(turns(pace))).collect();
        let mut turns: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        turns.sort_unstable();
        assert_eq!(turns.len(), 80);
        for pair in turns.windows(2) {
            assert!(pair[1] - pair[0] >= 1_000_000_000 / u128::from(CALLS_PER_SECOND) - 1, "{pair:?}");
        }
    }

    #[test]
    fn a_busy_portal_holds_all_processes_back_and_a_wrong_time_none() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (pace(dir.path()), pace(dir.path()));
        one.hold_back(Duration::from_secs(5)).unwrap();
        assert!(other.take_turn().unwrap() > Duration::from_secs(2));
        for text in ["nonsense", "99999999999999999999999999999999", "-1", ""] {
            std::fs::write(dir.path().join("locks/sso-portal.next"), text).unwrap();
            assert!(one.take_turn().unwrap() < Duration::from_secs(1), "{text}");
        }
    }

    #[test]
    fn jitter_is_between_half_and_the_whole() {
        for _ in 0..100 {
            let pause = with_jitter(LONGEST_PAUSE);
            assert!(pause >= LONGEST_PAUSE / 2 && pause <= LONGEST_PAUSE);
        }
    }
}
