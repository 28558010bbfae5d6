//! `hatbox prompt`: prints the segment of a prompt.

use hatbox_types::duration::render_duration;
use hatbox_types::text::printable;
use jiff::Timestamp;

use crate::args::{PromptArgs, ShellKind};
use crate::env_names;
use crate::errors::Failure;
use crate::world::World;

pub(crate) fn run(world: &World, args: &PromptArgs) -> Result<(), Failure> {
    let Some((_, profile)) = world.environment.first(env_names::NESTED) else { return Ok(()) };
    let end = world.environment.text("AWS_CREDENTIAL_EXPIRATION");
    let end = end.and_then(|text| text.parse::<Timestamp>().ok());
    let segment = render_segment(&printable(&profile), end, world.clock.now());
    let segment = match args.shell {
        // Only zsh expands the output of a command again.
        Some(ShellKind::Zsh) => segment.replace('%', "%%"),
        _ => segment,
    };
    Ok(world.output.data(&format!("{segment}\n"))?)
}

/// Renders `prod 42m`, `prod 50s` or `prod expired`; only the profile if the expiry is unknown.
fn render_segment(profile: &str, end: Option<Timestamp>, now: Timestamp) -> String {
    let Some(end) = end else { return profile.to_owned() };
    let left = end.duration_since(now).as_secs();
    if left <= 0 {
        return format!("{profile} expired");
    }
    // Rounded down, to never show more time than is left.
    let shown = if left < 60 { left } else { left / 60 * 60 };
    let shown = render_duration(std::time::Duration::from_secs(shown.unsigned_abs()));
    format!("{profile} {shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_has_the_profile_and_what_is_left_in_minutes() {
        let now = Timestamp::UNIX_EPOCH;
        let at = |seconds| Some(Timestamp::from_second(seconds).unwrap());
        for (end, shown) in [
            (at(42 * 60 + 59), "prod 42m"),
            (at(59), "prod 59s"),
            (at(3600 * 11 + 61), "prod 11h1m"),
            (at(0), "prod expired"),
            (at(-5), "prod expired"),
            (None, "prod"),
        ] {
            assert_eq!(render_segment("prod", end, now), shown);
        }
    }
}
