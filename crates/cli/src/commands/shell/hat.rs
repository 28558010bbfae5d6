//! `hatbox hat`: prints credentials in the form that the shell function `hat` reads.

use std::time::Duration;

use hatbox_core::cache::DEFAULT_MIN_TTL;
use hatbox_core::handover::{Renewal, render_shell_lines};
use hatbox_types::duration::render_duration;
use hatbox_types::text::shell::quote_word;
use zeroize::Zeroizing;

use crate::args::{GlobalArgs, HatArgs, SessionArgs};
use crate::credentials::guard::Exit;
use crate::credentials::obtain::ProfileRequest;
use crate::errors::{Failure, FailureKind};
use crate::files::chosen_profiles::save_choice;
use crate::output::Output;
use crate::world::World;

/// In seconds. New credentials must last this much longer than those that they replace.
const GAIN: i64 = 60;
/// In seconds. After a failed renewal, the next try is when half the time is left, but no sooner than this.
const SHORTEST_PAUSE: i64 = 30;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &HatArgs) -> Result<(), Failure> {
    // Security: on a terminal, the credentials would stay on the screen.
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
    // What is remembered only affects the order of the list, and a choice from the list is remembered already.
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
    let obtained = ProfileRequest { world, global, session, profile }.obtain_for(Exit::Shell)?;
    let variables = world.environment.variables();
    // hatbox sets only UTF-8 values.
    let inherited =
        variables.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str().unwrap_or("?"))));
    Ok(render_shell_lines(obtained.handover(), Renewal::at(world.clock.now()), inherited)?)
}

/// Renders new credentials to replace those that expire at `end`. If that fails or would need the user, prints a
/// warning and renders only when to try again.
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
    // The cache may contain exactly what the shell has, or what another shell has renewed meanwhile.
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
        // Try once more after the expiry, then stop.
        let again = if left > 0 { (now + (left / 2).max(SHORTEST_PAUSE)).to_string() } else { String::new() };
        Zeroizing::new(format!("renew {again}\n"))
    })
}
