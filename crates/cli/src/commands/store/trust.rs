//! `hatbox store trust`: shows a store that hatbox refuses to use, and accepts it after a typed `yes`.

use hatbox_types::text::page::Style;
use hatbox_types::text::printable;
use hatbox_types::text::table::Table;

use crate::args::{GlobalArgs, StoreTrustArgs};
use crate::ask::confirm::unanswered;
use crate::errors::{Failure, FailureKind};
use crate::keys::KeyStore;
use crate::keys::request::resolve_store;
use crate::prompt::{Echo, PromptError, Question};
use crate::store::file::{Examined, StoreState};
use crate::store::{ItemInfo, ItemKind, StoreKind};
use crate::world::World;

/// The maximum number of lines, to keep the question on the screen.
const MOST_LEFT_OUT: usize = 10;

pub(crate) fn run(world: &World, global: &GlobalArgs, _args: &StoreTrustArgs) -> Result<(), Failure> {
    let mut request = resolve_store(global, &world.environment)?;
    request.kind.get_or_insert((StoreKind::File, "`hatbox store trust`"));
    let mut store = KeyStore::open_requested(world, request)?;
    let place = store.directory().map(|path| world.dirs.shown(path)).unwrap_or_default();
    match store.examine()? {
        StoreState::None => Err(Failure::new(FailureKind::Failed, format!("there is no store at `{place}`"))
            .hint("hatbox add PROFILE")),
        StoreState::Gone => {
            world.output.data(&format!(
                "The store at {place} is gone. If its keys are lost for good, hatbox can forget it;\n\
                 the next `hatbox add` then creates a new one.\n"
            ))?;
            if !is_confirmed(world, "Forget the store? Type `yes`: ")? {
                return Err(refused());
            }
            store.forget_store()?;
            world.output.note("the store is forgotten");
            Ok(())
        }
        StoreState::There(examined) if examined.is_trusted => Ok(world.output.data(&format!(
            "The store at {place} is the one that is used here: there is nothing to decide.\n\
                 Identity  {}\n",
            examined.fingerprint
        ))?),
        StoreState::There(examined) => {
            world.output.data(&render(&place, &examined))?;
            if !is_confirmed(world, "Use this store from now on? Type `yes`: ")? {
                return Err(refused());
            }
            store.accept(*examined)?;
            world.output.note("the store is trusted");
            Ok(())
        }
    }
}

/// ```text
/// The store at ~/.local/share/hatbox/store
/// Identity  0f5c...
///           9a11... was used here before: these are not the keys that you stored
/// Keys      jan-work  ****MPLE  added 2026-11-29
/// Seeds     jan-work  added 2026-11-29
/// Left out  identity.guest.1.age: nothing shows that hatbox made it
/// ```
fn render(place: &str, examined: &Examined) -> String {
    let mut text = format!("The store at {place}\nIdentity  {}\n", examined.fingerprint);
    match &examined.pinned {
        Some(pinned) if *pinned != examined.fingerprint => {
            text.push_str(&format!("          {pinned} was used here before\n"));
        }
        Some(_) => text.push_str("          the one that was used here before\n"),
        None => text.push_str("          not used on this machine before\n"),
    }
    let keys: Vec<_> = examined.items.iter().filter(|item| item.id.kind == ItemKind::AccessKey).collect();
    if keys.is_empty() {
        text.push_str("Keys      none\n");
    }
    let mut table = Table::default();
    let mut rows = |mut label: &str, items: &[&ItemInfo]| {
        for item in items {
            let id = item.access_key_id.as_ref().map(|id| format!("{}  ", id.masked())).unwrap_or_default();
            let added = format!("{id}added {}", item.created.strftime("%Y-%m-%d"));
            let cells = [&format!("{label:8}"), item.id.profile.as_str(), &added];
            table.row(&cells.map(|cell| (cell, Style::Plain)));
            label = "";
        }
    };
    rows("Keys", &keys);
    let seeds: Vec<_> = examined.items.iter().filter(|item| item.id.kind == ItemKind::TotpSeed).collect();
    rows("Seeds", &seeds);
    text.push_str(&table.into_page().to_string());
    // Security: any program may have created these files and chosen their names.
    let mut label = "Left out";
    for (file, why) in examined.left_out.iter().take(MOST_LEFT_OUT) {
        let short: String = file.chars().take(80).collect();
        text.push_str(&format!("{label:8}  {}: {}\n", printable(&short), printable(why)));
        label = "";
    }
    if let Some(more) = examined.left_out.len().checked_sub(MOST_LEFT_OUT).filter(|more| *more > 0) {
        text.push_str(&format!("          and {more} more\n"));
    }
    text
}

fn is_confirmed(world: &World, text: &str) -> Result<bool, Failure> {
    let question =
        Question { text, echo: Echo::Shown, timeout: world.settings()?.prompt_timeout(), is_over: &|| false };
    match world.prompter().ask_line(&question) {
        Ok(answer) => Ok(answer.expose().trim() == "yes"),
        Err(PromptError::Cancelled) => Err(Failure::new(FailureKind::Cancelled, "cancelled")),
        Err(error) => Err(unanswered(&error).hint("run it on a terminal")),
    }
}

fn refused() -> Failure {
    Failure::new(FailureKind::Refused, "nothing was changed: the answer was not `yes`")
}
