//! Retries calls when Identity Center is busy, with growing pauses and jitter.

use std::time::Duration;

use crate::aws::sso::{SsoError, SsoRefusal};
use crate::world::World;

/// How often a call is repeated, with pauses of at most 13 s in total.
const RETRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Makes a call, and repeats it if Identity Center is busy or has a fault: a throttled user need not sign in again.
pub(super) fn with_retries<T>(
    world: &World,
    mut call: impl FnMut() -> Result<T, SsoError>,
) -> Result<T, SsoError> {
    let mut pause = FIRST_PAUSE;
    for _ in 0..RETRIES {
        match call() {
            Err(error) if matches!(error.refusal(), Some(SsoRefusal::Throttled | SsoRefusal::Fault)) => {
                world.output.debug(|| format!("Identity Center is busy, waiting: {error}"));
                std::thread::sleep(with_jitter(pause));
                pause *= 2;
            }
            result => return result,
        }
    }
    call()
}

/// Returns half the pause to the whole pause.
fn with_jitter(pause: Duration) -> Duration {
    let mut random = [0];
    // Without random bytes, the pause is half as long.
    getrandom::getrandom(&mut random).ok();
    pause / 2 + pause / 2 * u32::from(random[0]) / 255
}
