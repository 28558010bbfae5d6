//! `hatbox explain`: shows the credential plan as text or JSON, without making a call.

use hatbox_core::cache::{Reuse, StartRules, resolve_cache_state, resolve_session_key};
use hatbox_core::plan::explain::{CacheState, render_explanation, render_explanation_json};
use hatbox_core::plan::{Base, Plan, Purpose, Stage};
use hatbox_types::text::page::Style;

use crate::args::{ExplainArgs, GlobalArgs};
use crate::credentials::base::web_identity;
use crate::credentials::choose::{ChosenFor, name_or_choose};
use crate::credentials::plan::Planning;
use crate::credentials::request::{SessionRequest, resolve_session};
use crate::credentials::sso::{SignInTarget, load_states, render_sign_in_json};
use crate::errors::Failure;
use crate::files::aws_config::load_config;
use crate::keys::KeyStore;
use crate::output::render_page;
use crate::store::sessions::Sessions;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ExplainArgs) -> Result<(), Failure> {
    let profile = name_or_choose(world, &args.session, args.profile.as_deref(), ChosenFor::Explain)?;
    let request = resolve_session(global, &args.session, &world.environment)?;
    let mut store = KeyStore::open(world, global)?;
    let files = load_config(world)?;
    let index = store.index_if_known()?;
    let mut plan = Planning::new(world, &files, &request, index.as_ref(), Purpose::Use).resolve(&profile)?;
    if let Some(token) = web_identity::read_quietly(&plan.base)
        && let Base::WebIdentity { text, .. } = &mut plan.base
    {
        *text = Some(token);
    }
    let is_empty = store.is_empty();
    let sessions = store.sessions_if_known()?;
    let paths = files.paths();
    let cache = |stage| match &sessions {
        Some(sessions) => cache_state(world, &plan, &request, sessions, stage),
        None if is_empty => CacheState::Absent,
        None => CacheState::Unknown,
    };
    let sign_in = load_states(world, &mut store, SignInTarget::of_plan(&plan).into_iter().collect())?;
    let text = if args.json {
        let mut value = render_explanation_json(&plan, &paths, &cache);
        if let ([(target, state)], Some(fields)) = (sign_in.as_slice(), value.as_object_mut()) {
            fields.insert("sign_in".to_owned(), render_sign_in_json(target, state));
        }
        format!("{value:#}\n")
    } else {
        let mut page = render_explanation(&plan, &paths, &cache);
        for (target, state) in &sign_in {
            let (words, style) = state.render(world.clock.now());
            page.blank();
            let session = format!("sign-in to `{}`: ", target.name());
            page.line(&[("  -  ", Style::Quiet), (&session, Style::Plain), (&words, style)]);
        }
        render_page(&page)
    };
    world.output.data(&text)?;
    Ok(())
}

fn cache_state(
    world: &World,
    plan: &Plan,
    request: &SessionRequest,
    sessions: &Sessions,
    stage: Stage,
) -> CacheState {
    let Some(key) = resolve_session_key(plan, stage) else {
        // Only the metadata service knows which credentials it returns.
        let is_machine = matches!(plan.base, Base::Metadata { .. });
        return if is_machine { CacheState::Unknown } else { CacheState::Absent };
    };
    // A damaged session counts as missing.
    let session = sessions.load(&key).ok().flatten();
    let reuse = if request.fresh { Reuse::Nothing } else { Reuse::Cached };
    let rules = StartRules { min_ttl: request.min_ttl, reuse };
    resolve_cache_state(plan, stage, session.as_ref(), world.clock.now(), rules)
}
