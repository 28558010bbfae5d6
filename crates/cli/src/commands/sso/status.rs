//! `hatbox sso status`: which sessions are signed in, and until when.

use hatbox_types::duration::render_duration;
use hatbox_types::text::page::Style;
use hatbox_types::text::table::Table;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

use super::target::{Target, Targets};
use crate::args::{GlobalArgs, SsoStatusArgs};
use crate::credentials::sso::{SavedToken, name_of};
use crate::errors::Failure;
use crate::keys::KeyStore;
use crate::output::render_page;
use crate::world::World;

/// What is known of a sign-in.
enum State {
    /// The token is valid.
    SignedIn(SavedToken),
    /// The token has expired; the next command renews it, if Identity Center still allows it.
    Renewable(SavedToken),
    /// The token has expired, or there is none.
    SignedOut,
    /// The store is locked.
    Unknown,
}

pub(super) fn run(world: &World, global: &GlobalArgs, args: &SsoStatusArgs) -> Result<(), Failure> {
    let targets = Targets::load(world, global)?;
    let chosen = match &args.name {
        Some(name) => vec![targets.find(world, Some(name))?],
        None => targets.all(),
    };
    let mut store = KeyStore::open(world, global)?;
    let is_empty = store.is_empty();
    let sessions = store.sessions_if_known()?;
    let now = world.clock.now();
    let mut states = Vec::new();
    for target in &chosen {
        let state = match &sessions {
            Some(sessions) => {
                let sign_in = target.sign_in(world, sessions.sign_ins(&world.dirs.sign_ins()))?;
                State::of_saved(sign_in.load_token()?, now)
            }
            None if is_empty => State::SignedOut,
            None => State::Unknown,
        };
        states.push((target, state));
    }
    if args.json {
        let list: Vec<_> = states.iter().map(|(target, state)| render_json(target, state)).collect();
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
        let (text, style) = state.render(now);
        let name = target.sso.session.as_deref().unwrap_or("-");
        table.row(&[(name, Style::Plain), (&target.sso.start_url.value, Style::Plain), (&text, style)]);
    }
    world.output.data(&render_page(&table.into_page()))?;
    Ok(())
}

impl State {
    fn of_saved(saved: Option<SavedToken>, now: Timestamp) -> Self {
        match saved {
            Some(saved) if saved.token.expires_at > now => Self::SignedIn(saved),
            Some(saved) if saved.token.refresh.as_ref().is_some_and(|by| by.client.expires_at > now) => {
                Self::Renewable(saved)
            }
            _ => Self::SignedOut,
        }
    }

    fn render(&self, now: Timestamp) -> (String, Style) {
        match self {
            Self::SignedIn(saved) => {
                let left = Duration::try_from(saved.token.expires_at.duration_since(now)).unwrap_or_default();
                let left = render_duration(Duration::from_secs(left.as_secs()));
                let then = if saved.token.refresh.is_some() { ", then renewed" } else { "" };
                (format!("signed in for {left}{then}"), Style::Good)
            }
            Self::Renewable(_) => ("expired, renewed at the next use".to_owned(), Style::Plain),
            Self::SignedOut => ("signed out".to_owned(), Style::Warning),
            Self::Unknown => ("not known: the store is locked".to_owned(), Style::Warning),
        }
    }

    fn as_str(&self) -> &'static str {
        match self {
            Self::SignedIn(_) => "signed-in",
            Self::Renewable(_) => "renewable",
            Self::SignedOut => "signed-out",
            Self::Unknown => "locked",
        }
    }
}

fn render_json(target: &Target, state: &State) -> Value {
    let saved = match state {
        State::SignedIn(saved) | State::Renewable(saved) => Some(saved),
        State::SignedOut | State::Unknown => None,
    };
    json!({
        "session": target.sso.session,
        "name": name_of(&target.sso),
        "start_url": target.sso.start_url.value,
        "region": target.sso.region.as_str(),
        "state": state.as_str(),
        "expires_at": saved.map(|saved| saved.token.expires_at.to_string()),
        "obtained_at": saved.map(|saved| saved.obtained_at.to_string()),
        "is_renewable": saved.map(|saved| saved.token.refresh.is_some()),
    })
}
