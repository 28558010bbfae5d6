//! `hatbox remove`: deletes a stored key and the sessions made with it.

use std::time::Duration;

use crate::args::{GlobalArgs, RemoveArgs, SessionArgs};
use crate::planning;
use crate::prompt::{Echo, PromptError, Question};
use crate::report::{Failure, FailureKind};
use crate::request::{resolve_profile_name, resolve_session, resolve_store};
use crate::world::World;
use crate::world::config_files::load_config;
use crate::world::passphrase::Asking;
use crate::world::secrets::Secrets;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &RemoveArgs) -> Result<(), Failure> {
    let profile = resolve_profile_name(Some(&args.profile), &world.environment)?;
    let mut secrets = Secrets::open(world, resolve_store(global, &world.environment)?)?;
    let index = secrets.index(Asking::Person)?;
    let Some(key) = index.find(&profile) else {
        return Err(Failure::new(
            FailureKind::Failed,
            format!("no access key is stored for profile `{profile}`"),
        )
        .hint("`hatbox list --credentials` shows those that are"));
    };
    if !args.force
        && !confirm(
            world,
            secrets.prompt_timeout(),
            &format!("Delete the access key {} of `{profile}`? (y|N) ", key.id.masked()),
        )?
    {
        world.output.note("nothing was deleted");
        return Ok(());
    }
    let files = load_config(world)?;
    let request = resolve_session(global, &SessionArgs::default(), &world.environment)?;
    let keys = planning::resolve_session_keys(world, &files, &request, &index, &profile);
    secrets.delete_key(&profile)?;
    let failed = |error| Failure::of_error(FailureKind::Failed, &error);
    let sessions = secrets.sessions(Asking::Person)?;
    let mut count = 0;
    for key in &keys {
        count += usize::from(sessions.delete_key(key).map_err(failed)?);
    }
    count += sessions.delete_of_profile(&profile).map_err(failed)?;
    world.output.data(&format!("Deleted the access key of `{profile}` and {count} cached sessions.\n"))?;
    Ok(())
}

fn confirm(world: &World, timeout: Duration, text: &str) -> Result<bool, Failure> {
    let question = Question { text, echo: Echo::Shown, timeout, is_over: &|| false };
    match world.prompter().ask_line(&question) {
        Ok(answer) => Ok(matches!(answer.expose().trim().to_ascii_lowercase().as_str(), "y" | "yes")),
        Err(PromptError::Cancelled) => Err(Failure::new(FailureKind::Cancelled, "cancelled")),
        Err(error) => Err(Failure::new(FailureKind::NeedsPerson, "deleting needs a yes")
            .caused_by(&error)
            .hint("run it on a terminal, or with --force")),
    }
}
