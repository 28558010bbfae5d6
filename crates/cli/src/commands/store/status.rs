//! `hatbox store status`: shows which backends work on this machine, and which one is used.

use hatbox_types::text::page::{Page, Style};
use hatbox_types::text::table::Table;
use serde_json::json;

use crate::args::{GlobalArgs, StoreStatusArgs};
use crate::errors::Failure;
use crate::keys::{BackendOrigin, KeyStore};
use crate::output::render_page;
use crate::store::{Status, StoreKind};
use crate::world::World;

/// What can be known about a backend without asking the user.
struct Row {
    kind: StoreKind,
    is_in_use: bool,
    status: Status,
    /// The number of access keys; `None` if it is unknown.
    keys: Option<usize>,
    /// Where the keys are, if that is one of hatbox's directories.
    place: Option<String>,
}

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &StoreStatusArgs) -> Result<(), Failure> {
    let chosen = KeyStore::open(world, global)?.chosen();
    let mut rows = Vec::new();
    for kind in StoreKind::ALL.into_iter().filter(|kind| kind.is_built()) {
        rows.push(load_row(world, global, kind, chosen.is_some_and(|(chosen, _)| chosen == kind))?);
    }
    let origin = chosen.map(|(_, origin)| origin);
    if args.json {
        world.output.data(&format!("{:#}\n", render_json(&rows, origin)))?;
        return Ok(());
    }
    world.output.page(&render_page(&render_table(&rows)))?;
    world.output.note(&match chosen {
        None => "no backend is in use yet: the first key that is added chooses one".to_owned(),
        Some((kind, BackendOrigin::Named(origin))) => format!("`{kind}` is used (set by {origin})"),
        Some((kind, BackendOrigin::Settings)) => {
            let settings = world.dirs.shown(&world.dirs.settings_file());
            format!("`{kind}` is used (set by {settings})")
        }
        Some((kind, BackendOrigin::Found | BackendOrigin::FirstWrite)) => {
            format!("`{kind}` is used: it holds the keys, and no setting chooses another")
        }
    });
    Ok(())
}

fn load_row(world: &World, global: &GlobalArgs, kind: StoreKind, is_in_use: bool) -> Result<Row, Failure> {
    let mut store = match KeyStore::open_kind(world, global, kind, "`hatbox store status`") {
        Ok(store) => store,
        // The backend cannot be used because of wrong or missing settings.
        Err(failure) if !is_in_use => {
            return Ok(Row {
                kind,
                is_in_use,
                status: Status::Unavailable(failure.error),
                keys: None,
                place: None,
            });
        }
        Err(failure) => return Err(failure),
    };
    let keys = match store.status() {
        Status::Empty => Some(0),
        Status::Unavailable(_) => None,
        Status::Ready | Status::Locked => match store.count_if_known() {
            Ok(count) => count,
            Err(failure) => {
                world.output.warn(&format!("`{kind}`: {}", failure.error));
                None
            }
        },
    };
    let place =
        (kind == StoreKind::File).then(|| store.directory().map(|path| world.dirs.shown(path))).flatten();
    Ok(Row { kind, is_in_use, status: store.status(), keys, place })
}

fn word(status: &Status) -> &'static str {
    match status {
        Status::Ready => "ready",
        Status::Locked => "locked",
        Status::Empty => "empty",
        Status::Unavailable(_) => "unavailable",
    }
}

/// ```text
///   Backend         State        Keys
/// * file            ready        2     ~/.local/share/hatbox/store
///   secret-service  unavailable        there is no D-Bus session bus
/// ```
fn render_table(rows: &[Row]) -> Page {
    let mut table = Table::default();
    // As wide as the longest possible state, so the column does not move.
    table.row(&[("  Backend", Style::Strong), ("State      ", Style::Strong), ("Keys", Style::Strong)]);
    for row in rows {
        let mark = if row.is_in_use { '*' } else { ' ' };
        let keys = match (&row.status, row.keys) {
            (_, Some(count)) => count.to_string(),
            (Status::Unavailable(_), None) => String::new(),
            (_, None) => "?".to_owned(),
        };
        let rest = match &row.status {
            Status::Unavailable(why) => why.as_str(),
            _ => row.place.as_deref().unwrap_or_default(),
        };
        let style = match row.status {
            Status::Ready => Style::Good,
            Status::Locked => Style::Warning,
            Status::Empty | Status::Unavailable(_) => Style::Quiet,
        };
        table.row(&[
            (&format!("{mark} {}", row.kind.as_str()), Style::Plain),
            (word(&row.status), style),
            (&keys, Style::Plain),
            (rest, Style::Plain),
        ]);
    }
    table.into_page()
}

fn render_json(rows: &[Row], origin: Option<BackendOrigin>) -> serde_json::Value {
    let backends: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "backend": row.kind.as_str(),
                "in_use": row.is_in_use,
                "status": word(&row.status),
                "why": match &row.status { Status::Unavailable(why) => Some(why), _ => None },
                "keys": row.keys,
                "directory": row.place,
            })
        })
        .collect();
    let origin = origin.map(|origin| match origin {
        BackendOrigin::Named(origin) => origin,
        BackendOrigin::Settings => "settings",
        BackendOrigin::Found | BackendOrigin::FirstWrite => "found",
    });
    json!({ "chosen_by": origin, "backends": backends })
}
