//! `hatbox store wrap`: manages the ways to unlock the `file` backend.

use hatbox_types::secret::SecretString;
use hatbox_types::text::page::{Page, Style};
use hatbox_types::text::table::Table;
use serde_json::json;

use crate::args::{GlobalArgs, StoreWrapAdd, StoreWrapArgs, StoreWrapCommand};
use crate::errors::{Failure, FailureKind};
use crate::keys::{KeyStore, NewWrap};
use crate::output::render_page;
use crate::store::file::{WrapInfo, WrapKind, WrapName};
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &StoreWrapArgs) -> Result<(), Failure> {
    let mut store = KeyStore::open(world, global)?;
    match &args.command {
        StoreWrapCommand::List(args) => list(world, &mut store, args.json),
        StoreWrapCommand::Add(what) => add(world, &mut store, what),
        StoreWrapCommand::Remove(args) => remove(world, &mut store, &args.name),
    }
}

fn list(world: &World, store: &mut KeyStore, is_json: bool) -> Result<(), Failure> {
    let wraps = store.wraps_if_known()?;
    let text =
        if is_json { format!("{:#}\n", render_json(&wraps)) } else { render_page(&render_table(&wraps)) };
    Ok(world.output.data(&text)?)
}

fn opened_by(wrap: &WrapInfo) -> String {
    match wrap.name.kind() {
        WrapKind::Passphrase => "your passphrase".to_owned(),
        WrapKind::Recovery => "the recovery passphrase".to_owned(),
        WrapKind::Plugin => match &wrap.plugin {
            Some(plugin) => format!("age-plugin-{plugin}"),
            None => "an age plugin that is not named".to_owned(),
        },
    }
}

/// ```text
/// Wrap        Opened by
/// passphrase  your passphrase
/// yubikey     age-plugin-yubikey
/// ```
fn render_table(wraps: &[WrapInfo]) -> Page {
    let mut table = Table::default();
    table.row(&[("Wrap", Style::Strong), ("Opened by", Style::Strong)]);
    for wrap in wraps {
        let mark = if wrap.is_ours == Some(false) { "  (not part of the store: not used)" } else { "" };
        let opened_by = format!("{}{mark}", opened_by(wrap));
        table.row(&[(wrap.name.as_str(), Style::Plain), (&opened_by, Style::Plain)]);
    }
    table.into_page()
}

fn render_json(wraps: &[WrapInfo]) -> serde_json::Value {
    let wraps = wraps.iter().map(|wrap| {
        let kind = match wrap.name.kind() {
            WrapKind::Passphrase => "passphrase",
            WrapKind::Recovery => "recovery",
            WrapKind::Plugin => "plugin",
        };
        json!({ "name": wrap.name.as_str(), "kind": kind, "plugin": wrap.plugin, "made_by_hatbox": wrap.is_ours })
    });
    json!({ "wraps": wraps.collect::<Vec<_>>() })
}

fn add(world: &World, store: &mut KeyStore, what: &StoreWrapAdd) -> Result<(), Failure> {
    match what {
        StoreWrapAdd::Passphrase(args) => {
            let wrap = NewWrap::Passphrase { descriptor: args.new_passphrase_fd };
            store.add_wrap(&WrapName::passphrase(), wrap, args.replace.into())?;
            world.output.note("the passphrase now opens the store");
            Ok(())
        }
        StoreWrapAdd::Recovery(args) => {
            match store.add_wrap(&WrapName::recovery(), NewWrap::Recovery, args.replace.into())? {
                Some(passphrase) => print_recovery(world, &passphrase),
                None => Ok(()),
            }
        }
        #[cfg(feature = "plugins")]
        StoreWrapAdd::Plugin(args) => {
            let identity = load_plugin_identity(world, &args.identity)?;
            let name = plugin_wrap_name(args.name.as_deref().unwrap_or(identity.plugin()))?;
            store.add_wrap(&name, NewWrap::Plugin(&identity), args.replace.into())?;
            let plugin = identity.plugin();
            world
                .output
                .note(&format!("`age-plugin-{plugin}` now opens the store (wrap `{}`)", name.as_str()));
            Ok(())
        }
    }
}

#[cfg(feature = "plugins")]
fn load_plugin_identity(
    world: &World,
    path: &std::path::Path,
) -> Result<crate::store::file::PluginIdentity, Failure> {
    let shown = world.dirs.shown(path);
    let failure = |text: String| Failure::new(FailureKind::Usage, text).at(&shown);
    let text = std::fs::read_to_string(path)
        .map_err(|error| failure("could not read the plugin's identity file".to_owned()).caused_by(&error))?;
    crate::store::file::PluginIdentity::parse(&text).map_err(|error| {
        failure(format!("not an identity file of an age plugin: {error}"))
            .hint("the plugin prints one: `age-plugin-yubikey --identity`, `age-plugin-tpm --generate`, ...")
    })
}

#[cfg(feature = "plugins")]
fn plugin_wrap_name(text: &str) -> Result<WrapName, Failure> {
    WrapName::parse(text).filter(|name| name.kind() == WrapKind::Plugin).ok_or_else(|| {
        Failure::new(FailureKind::Usage, format!("`{text}` cannot be the name of a plugin's wrap"))
            .hint("1 to 32 of a-z, 0-9 and `-`, beginning with a letter: --name my-key")
    })
}

/// Prints a recovery passphrase, which is never shown again.
pub(super) fn print_recovery(world: &World, passphrase: &SecretString) -> Result<(), Failure> {
    world.output.data(&format!("{}\n", passphrase.expose()))?;
    world.output.note("this recovery passphrase opens the store; write it down: it is not shown again");
    Ok(())
}

fn remove(world: &World, store: &mut KeyStore, name: &str) -> Result<(), Failure> {
    let name = WrapName::parse(name).ok_or_else(|| {
        Failure::new(FailureKind::Usage, format!("`{name}` cannot be the name of a wrap"))
            .hint("hatbox store wrap list")
    })?;
    store.remove_wrap(&name)?;
    world.output.note(&format!("removed the wrap `{}`", name.as_str()));
    world.output.note(
        "a copy of it can still unlock the store; to protect what is stored from now on: hatbox store rekey",
    );
    Ok(())
}
