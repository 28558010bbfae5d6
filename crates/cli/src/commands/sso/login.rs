//! `hatbox sso login`.

use std::time::Duration;

use hatbox_types::duration::render_duration;

use crate::args::{GlobalArgs, SsoLoginArgs};
use crate::credentials::sso::{Asking, Flow, SignInOptions, SignInTargets, TokenNeed};
use crate::errors::Failure;
use crate::keys::KeyStore;
use crate::world::World;

pub(super) fn run(
    world: &World,
    global: &GlobalArgs,
    targets: &SignInTargets<'_>,
    args: &SsoLoginArgs,
) -> Result<(), Failure> {
    let target = targets.find(world, args.name.as_deref())?;
    let mut store = KeyStore::open(world, global)?;
    let sessions = store.sessions_or_create()?;
    let flow = match (args.pkce, args.device) {
        (true, _) => Some(Flow::Redirect),
        (_, true) => Some(Flow::DeviceCode),
        _ => None,
    };
    let options = SignInOptions {
        flow,
        redirect_port: args.redirect_port,
        is_browser_left_alone: args.no_browser,
        is_shared: args.share_sso_cache,
    };
    let sign_in = target.sign_in(world, &sessions)?.with_options(Asking::Anywhere, options);
    let token = sign_in.access_token(TokenNeed::SignedIn(None))?;
    let left = Duration::try_from(token.expires_at.duration_since(world.clock.now())).unwrap_or_default();
    let left = render_duration(Duration::from_secs(left.as_secs().div_ceil(60) * 60));
    let then = if token.refresh.is_some() { " and refreshes automatically" } else { "" };
    world.output.note(&format!("signed in to `{}`; the session expires in {left}{then}", sign_in.name()));
    Ok(())
}
