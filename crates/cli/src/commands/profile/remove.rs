//! `hatbox profile remove`: takes a profile's section out of the AWS config.

use hatbox_core::config::Config;
use hatbox_core::config::header::SectionKind;
use hatbox_core::config::origin::FileKind;
use hatbox_core::populate::block::find_block;
use hatbox_types::name::ProfileName;
use hatbox_types::text::shell::quote_word;

use crate::args::{GlobalArgs, ProfileRemoveArgs};
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::credentials::request::resolve_profile_name;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::keys::KeyStore;
use crate::world::World;

/// As many names as a line has room for.
const MOST_NAMED: usize = 5;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ProfileRemoveArgs) -> Result<(), Failure> {
    let profile = resolve_profile_name(Some(&args.profile), &world.environment)?;
    let files = load_config(world)?;
    let has_section = |file| {
        files.config.document(file).sections_named(SectionKind::Profile, profile.as_str()).next().is_some()
    };
    if !has_section(FileKind::Config) {
        return Err(absent(&files, &profile, has_section(FileKind::Credentials)));
    }
    let place = files.config.defined_at(&profile).map(|place| files.shown_place(place)).unwrap_or_default();
    warn_of_users(world, &files.config, &profile);
    warn_of_block(world, &files.config, &profile);
    let question = Confirmation {
        text: &format!("Remove [profile {profile}] from {place}? (y|N) "),
        because: None,
        hint: "run it on a terminal, or with --yes",
        timeout: world.settings()?.prompt_timeout(),
    };
    if !args.yes && !ask_yes_or_no(world, &question)? {
        world.output.note("nothing was removed");
        return Ok(());
    }
    files.remove_section(world, SectionKind::Profile, profile.as_str())?;
    let shown = files.shown(FileKind::Config);
    world.output.data(&format!("Removed [profile {profile}] from {shown}.\n"))?;
    if has_section(FileKind::Credentials) {
        let credentials = files.shown(FileKind::Credentials);
        world.output.note(&format!("[{profile}] in {credentials} stays"));
    }
    // A store that cannot be read is no reason to fail: what was asked for is done.
    let index = KeyStore::open(world, global).and_then(|mut store| store.index_if_known());
    if let Ok(Some(index)) = index
        && index.find(&profile).is_some()
    {
        world.output.note(&format!("the access key of `{profile}` is still stored"));
        world.output.hint(&format!("hatbox remove {}", quote_word(profile.as_str())));
    }
    Ok(())
}

fn absent(files: &ConfigFiles, profile: &ProfileName, is_in_credentials: bool) -> Failure {
    let shown = files.shown(FileKind::Config);
    let failure = Failure::new(FailureKind::Failed, format!("no profile named `{profile}` in {shown}"));
    if is_in_credentials {
        let credentials = files.shown(FileKind::Credentials);
        return failure.hint(format!("`[{profile}]` is in {credentials}, which hatbox does not change here"));
    }
    match files.config.nearest_profile(profile.as_str()) {
        Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
        None => failure.hint("`hatbox list --profiles` shows the profiles"),
    }
}

/// A profile that `hatbox sso populate` wrote comes back.
fn warn_of_block(world: &World, config: &Config, profile: &ProfileName) {
    let text = config.document(FileKind::Config).text();
    let has_it = |session: &String| {
        let block = find_block(text, session).ok().flatten();
        block.is_some_and(|block| block.profiles.iter().any(|written| written.name == profile.as_str()))
    };
    if let Some(session) = config.sso_session_names().into_iter().find(has_it) {
        let session = quote_word(&session);
        world.output.warn(&format!("`hatbox sso populate {session}` wrote `{profile}`, and writes it again"));
    }
}

fn warn_of_users(world: &World, config: &Config, profile: &ProfileName) {
    let users = config.profiles_that_use(profile);
    let Some(first) = users.first() else { return };
    let named: Vec<_> = users.iter().take(MOST_NAMED).map(|user| format!("`{user}`")).collect();
    let more = match users.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let verb = if users.len() == 1 { "uses" } else { "use" };
    world.output.warn(&format!(
        "{}{more} {verb} `{profile}` as source and will not work without it",
        named.join(", ")
    ));
    world.output.hint(&format!("hatbox explain {}", quote_word(first.as_str())));
}
