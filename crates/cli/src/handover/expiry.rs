//! Warns users who start a long-running program with credentials that expire soon.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use hatbox_core::handover::Handover;
use hatbox_types::duration::render_duration;
use jiff::Timestamp;

use crate::sys::terminal::stderr_columns;
use crate::world::World;

/// Programs that often run for long, and stop half-way when their credentials expire.
const LONG_RUNNING: [&str; 7] =
    ["terraform", "tofu", "terragrunt", "pulumi", "cdk", "packer", "ansible-playbook"];

/// Most runs end within this time.
const SOON: Duration = Duration::from_mins(30);

/// Warns on a terminal if the credentials in the environment of `command` expire soon.
pub(super) fn warn_of_expiry(world: &World, handover: Handover<'_>, command: &[OsString]) {
    let Some(program) = command.first().and_then(|program| long_running(program)) else { return };
    let end = handover.credentials.session().and_then(|(_, end)| end);
    let Some(left) = end.and_then(|end| short_life(end, world.clock.now())) else { return };
    if stderr_columns().is_some() {
        world.output.warn(&format!(
            "`{program}` cannot renew its credentials, which expire in {}: to renew them, add --server",
            render_duration(rounded(left))
        ));
    }
}

/// Returns the name of a long-running program, in whatever directory it is.
fn long_running(program: &OsStr) -> Option<&'static str> {
    let name = Path::new(program).file_name()?.to_str()?;
    let name = name.strip_suffix(std::env::consts::EXE_SUFFIX).unwrap_or(name);
    LONG_RUNNING.into_iter().find(|known| *known == name)
}

/// Returns how long credentials that expire at `end` last, if that is too short for a long run.
fn short_life(end: Timestamp, now: Timestamp) -> Option<Duration> {
    let left = Duration::try_from(end.duration_since(now)).unwrap_or_default();
    (left < SOON).then_some(left)
}

/// Rounds down to whole minutes, from one minute on.
fn rounded(left: Duration) -> Duration {
    let seconds = left.as_secs();
    Duration::from_secs(if seconds < 60 { seconds } else { seconds - seconds % 60 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_that_run_for_long_are_known() {
        for (program, name) in [
            ("terraform", Some("terraform")),
            ("/usr/local/bin/tofu", Some("tofu")),
            ("./bin/cdk", Some("cdk")),
            ("aws", None),
            ("terraform-docs", None),
            ("terraform/", Some("terraform")),
            ("/", None),
        ] {
            assert_eq!(long_running(OsStr::new(program)), name, "{program}");
        }
    }

    #[test]
    fn half_an_hour_is_enough_for_most_runs() {
        let now = Timestamp::UNIX_EPOCH;
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        assert_eq!(short_life(at(1800), now), None);
        assert_eq!(short_life(at(1799), now), Some(Duration::from_secs(1799)));
        assert_eq!(short_life(now, at(1)), Some(Duration::ZERO), "it has ended");
        assert_eq!(rounded(Duration::from_secs(719)), Duration::from_mins(11));
        assert_eq!(rounded(Duration::from_secs(59)), Duration::from_secs(59));
    }
}
