//! `hatbox sso status`: shows which sessions are signed in, and until when.

use hatbox_core::sso::start_url::StartUrl;
use hatbox_types::text::page::Style;
use hatbox_types::text::table::Table;
use serde_json::json;

use crate::args::{GlobalArgs, SsoStatusArgs};
use crate::credentials::sso::{SignInTargets, load_states, render_sign_in_json};
use crate::errors::Failure;
use crate::keys::KeyStore;
use crate::output::render_page;
use crate::world::World;

pub(super) fn run(
    world: &World,
    global: &GlobalArgs,
    targets: &SignInTargets<'_>,
    args: &SsoStatusArgs,
) -> Result<(), Failure> {
    let chosen = match &args.name {
        Some(name) => vec![targets.find(world, Some(name))?],
        None => targets.all(),
    };
    let states = load_states(world, &mut KeyStore::open(world, global)?, chosen)?;
    if args.json {
        let list: Vec<_> = states.iter().map(|(target, state)| render_sign_in_json(target, state)).collect();
        world.output.data(&format!("{:#}\n", json!({ "sign_ins": list })))?;
        return Ok(());
    }
    if states.is_empty() {
        world.output.note("the config has no `[sso-session]`");
        return Ok(());
    }
    let mut table = Table::default();
    table.row(&[("Session", Style::Strong), ("Start URL", Style::Strong), ("State", Style::Strong)]);
    for (target, state) in &states {
        let (text, style) = match StartUrl::parse(&target.sso.start_url.value) {
            Ok(_) => state.render(world.clock.now()),
            Err(error) => (format!("invalid start URL: {error}"), Style::Bad),
        };
        let name = target.sso.session.as_deref().unwrap_or("-");
        table.row(&[(name, Style::Plain), (&target.sso.start_url.value, Style::Plain), (&text, style)]);
    }
    world.output.data(&render_page(&table.into_page()))?;
    Ok(())
}
