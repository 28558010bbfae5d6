//! `hatbox hat`: credentials as the shell function `hat` reads them.

use std::time::Duration;

use hatbox_core::cache::DEFAULT_MIN_TTL;
use hatbox_core::handover::{Renewal, render_shell_lines};
use hatbox_types::duration::render_duration;
use hatbox_types::text::shell::quote_word;
use zeroize::Zeroizing;

use crate::args::{GlobalArgs, HatArgs, SessionArgs};
use crate::credentials::guard::Exit;
use crate::credentials::obtain::obtain_for;
use crate::errors::{Failure, FailureKind};
use crate::files::chosen_profiles::save_choice;
use crate::output::Output;
use crate::world::World;

/// What new credentials must be good for beyond those that they take the place of, in seconds.
const GAIN: i64 = 60;
/// A renewal that failed is tried again after half of what is left, but not sooner than this, in seconds.
const SHORTEST_PAUSE: i64 = 30;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &HatArgs) -> Result<(), Failure> {
    // Security: on a terminal they would stay on the screen.
    if Output::is_stdout_terminal() || args.drop {
        let error = "`hat` is a shell function that this shell does not define";
        return Err(Failure::new(FailureKind::Usage, error)
            .hint("run `eval \"$(hatbox shell-init bash)\"`, or the line for your shell in docs/shell.md"));
    }
    let profile = args.of.as_deref().or(args.profile.as_deref());
    let text = match args.renew {
        None => render(world, global, &args.session, profile)?,
        Some(end) => render_renewed(world, global, args, profile, end),
    };
    // What is remembered decides only the order of a list; what was chosen from the list is remembered already.
    if let (None, Some(profile)) = (args.renew, profile) {
        save_choice(world, profile).ok();
    }
    Ok(world.output.exact(&text)?)
}

fn render(
    world: &World,
    global: &GlobalArgs,
    session: &SessionArgs,
    profile: Option<&str>,
) -> Result<Zeroizing<String>, Failure> {
    let obtained = obtain_for(world, global, session, profile, Exit::Shell)?;
    let variables = world.environment.variables();
    // A value that is not UTF-8 is none that hatbox sets.
    let inherited =
        variables.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str().unwrap_or("?"))));
    Ok(render_shell_lines(obtained.handover(), Renewal::at(world.clock.now()), inherited)?)
}

/// New credentials in the place of those that expire at `end`. Where a person is needed, or it fails, stderr says so, and
/// the text says only when to try again.
fn render_renewed(
    world: &World,
    global: &GlobalArgs,
    args: &HatArgs,
    profile: Option<&str>,
    end: i64,
) -> Zeroizing<String> {
    world.refuse_questions();
    let now = world.clock.now().as_second();
    let left = end.saturating_sub(now);
    // The shell has those with `left` already; another shell may have renewed them.
    let least = Duration::from_secs(u64::try_from(left.saturating_add(GAIN)).unwrap_or_default());
    let session = SessionArgs {
        min_ttl: Some(render_duration(least.max(DEFAULT_MIN_TTL))),
        mfa_token: None,
        fresh: false,
        ..args.session.clone()
    };
    render(world, global, &session, profile).unwrap_or_else(|failure| {
        let name = profile.unwrap_or_default();
        let ending = match u64::try_from(left) {
            Ok(left @ 1..) => format!("expire in {}", render_duration(Duration::from_secs(left))),
            _ => "have expired".to_owned(),
        };
        world.output.warn(&format!("the credentials of `{name}` {ending}: {}", failure.error));
        world.output.hint(&format!("`hat {}` renews them", quote_word(name)));
        // Once after the end, and not again.
        let again = if left > 0 { (now + (left / 2).max(SHORTEST_PAUSE)).to_string() } else { String::new() };
        Zeroizing::new(format!("renew {again}\n"))
    })
}
