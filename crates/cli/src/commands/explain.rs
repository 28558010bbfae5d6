//! `hatbox explain`: the credential plan, in words or as JSON, without a call.

use hatbox_core::cache::{Reuse, StartRules, resolve_cache_state, resolve_session_key};
use hatbox_core::plan::explain::{CacheState, render_explanation, render_explanation_json};
use hatbox_core::plan::{Plan, Stage};

use crate::args::{ExplainArgs, GlobalArgs};
use crate::credentials::plan as planning;
use crate::credentials::request::{SessionRequest, resolve_profile_name, resolve_session};
use crate::errors::Failure;
use crate::files::aws_config::load_config;
use crate::keys::{KeyStore, Known};
use crate::output::render_line;
use crate::store::sessions::Sessions;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ExplainArgs) -> Result<(), Failure> {
    let profile = resolve_profile_name(args.profile.as_deref(), &world.environment)?;
    let request = resolve_session(global, &args.session, &world.environment)?;
    let mut store = KeyStore::open(world, global)?;
    let files = load_config(world)?;
    let index = match store.index_if_known()? {
        Known::Yes(index) => Some(index),
        Known::Locked => None,
    };
    let plan = planning::resolve(world, &files, &request, index.as_ref(), &profile)?;
    let sessions = if store.is_empty() { None } else { Some(store.sessions_if_known()?) };
    let paths = files.paths();
    let cache = |stage| cache_state(world, &plan, &request, sessions.as_ref(), stage);
    let text = if args.json {
        format!("{:#}\n", render_explanation_json(&plan, &paths, &cache))
    } else {
        render_explanation(&plan, &paths, &cache).iter().map(render_line).collect()
    };
    world.output.data(&text)?;
    Ok(())
}

fn cache_state(
    world: &World,
    plan: &Plan,
    request: &SessionRequest,
    sessions: Option<&Known<Sessions>>,
    stage: Stage,
) -> CacheState {
    let sessions = match sessions {
        None => return CacheState::Absent,
        Some(Known::Locked) => return CacheState::Unknown,
        Some(Known::Yes(sessions)) => sessions,
    };
    let Some(key) = resolve_session_key(plan, stage) else { return CacheState::Absent };
    // A damaged session counts as none: it is made again.
    let session = sessions.load(&key).ok().flatten();
    let reuse = if request.fresh { Reuse::Nothing } else { Reuse::Cached };
    let rules = StartRules { min_ttl: request.min_ttl, reuse };
    resolve_cache_state(plan, stage, session.as_ref(), world.clock.now(), rules)
}
