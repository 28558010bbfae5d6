//! Waiting where Identity Center says that it is busy: longer each time, and never as long as another process.

use std::time::Duration;

use crate::aws::sso::{SsoError, SsoRefusal};
use crate::world::World;

/// How often a call is made again. The pauses sum up to 13 s at most.
const RETRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Makes a call, again where Identity Center is busy or has a fault. Too many calls are no reason to sign in.
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

/// Between half of it and the whole.
fn with_jitter(pause: Duration) -> Duration {
    let mut random = [0];
    // Without random bytes all wait for equally long.
    getrandom::getrandom(&mut random).ok();
    pause / 2 + pause / 2 * u32::from(random[0]) / 255
}
