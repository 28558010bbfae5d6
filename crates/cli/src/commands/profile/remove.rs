//! `hatbox profile remove`: removes a profile's section from the AWS config.

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

/// The maximum number of names in a line.
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
    // An unreadable store only affects the warnings.
    let index = KeyStore::open(world, global).and_then(|mut store| store.index_if_known());
    let has_key = matches!(&index, Ok(Some(index)) if index.find(&profile).is_some());
    let rest = match (has_key, has_section(FileKind::Credentials)) {
        (true, _) => Rest::StoredKey,
        (false, true) => Rest::Credentials,
        (false, false) => Rest::Nothing,
    };
    let is_source = warn_of_users(world, &files.config, &profile, rest);
    warn_of_block(world, &files.config, &profile);
    let question = Confirmation {
        text: &format!("Remove [profile {profile}] from {place}? (y|N) "),
        because: None,
        hint: "run it on a terminal, or add --yes",
        timeout: world.settings()?.prompt_timeout(),
    };
    if !args.yes && !ask_yes_or_no(world, &question)? {
        world.output.note("nothing was removed");
        return Ok(());
    }
    files.remove_section(world, SectionKind::Profile, profile.as_str())?;
    let shown = files.shown(FileKind::Config);
    world.output.note(&format!("removed [profile {profile}] from {shown}"));
    if has_section(FileKind::Credentials) {
        let credentials = files.shown(FileKind::Credentials);
        world.output.note(&format!("[{profile}] in {credentials} is unchanged"));
    }
    if has_key && !is_source {
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

/// Warns that `hatbox sso populate` will add the profile again.
fn warn_of_block(world: &World, config: &Config, profile: &ProfileName) {
    let text = config.document(FileKind::Config).text();
    let has_it = |session: &String| {
        let block = find_block(text, session).ok().flatten();
        block.is_some_and(|block| block.profiles.iter().any(|written| written.name == profile.as_str()))
    };
    if let Some(session) = config.sso_session_names().into_iter().find(has_it) {
        let session = quote_word(&session);
        world
            .output
            .warn(&format!("`hatbox sso populate {session}` wrote `{profile}`, and will write it again"));
    }
}

/// What remains of a profile without its section in the config.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// A stored access key, which can still be a source.
    StoredKey,
    /// A section in the credentials file.
    Credentials,
    Nothing,
}

/// Warns about profiles that use this one as their source. Returns whether there are any.
fn warn_of_users(world: &World, config: &Config, profile: &ProfileName, rest: Rest) -> bool {
    let [sources, includes] =
        ["source_profile", "include_profile"].map(|key| (key, config.profiles_that_name(profile, key)));
    let is_source = !sources.1.is_empty();
    for (key, users) in [sources, includes] {
        let Some(first) = users.first() else { continue };
        let named: Vec<_> = users.iter().map(|user| format!("`{user}`")).collect();
        match rest {
            Rest::StoredKey if key == "source_profile" => {
                let who = if users.len() == 1 { named.concat() } else { "they".to_owned() };
                world.output.warn(&format!(
                    "`{profile}` is the source profile of {}; {who} will use its stored access key",
                    join(&named)
                ));
            }
            Rest::Credentials => {}
            Rest::StoredKey | Rest::Nothing => {
                let these = if users.len() == 1 { "this profile has" } else { "these profiles have" };
                world.output.warn(&format!("{these} `{key} = {profile}` and will fail: {}", join(&named)));
                world.output.hint(&format!("hatbox explain {}", quote_word(first.as_str())));
            }
        }
    }
    is_source
}

/// Renders `a, b and c`, with as many names as fit.
fn join(named: &[String]) -> String {
    let (shown, last) = match named.len().checked_sub(MOST_NAMED) {
        Some(more @ 1..) => (named.get(..MOST_NAMED).unwrap_or_default(), format!("{more} more")),
        _ => match named.split_last() {
            Some((last, shown)) => (shown, last.clone()),
            None => return String::new(),
        },
    };
    if shown.is_empty() { last } else { format!("{} and {last}", shown.join(", ")) }
}
