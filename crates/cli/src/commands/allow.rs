//! `hatbox allow`: allows a project's file to name the profile.

use hatbox_types::text::printable;

use crate::args::AllowArgs;
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::credentials::plan::resolve_role;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::load_config;
use crate::files::project::{PROJECT_FILE, find_project_file};
use crate::world::World;

pub(crate) fn run(world: &World, args: &AllowArgs) -> Result<(), Failure> {
    let directory = args.dir.as_deref().unwrap_or(std::path::Path::new("."));
    let directory = directory.canonicalize().map_err(|error| {
        let shown = world.dirs.shown(directory);
        Failure::new(FailureKind::Usage, format!("could not open the directory `{shown}`")).caused_by(&error)
    })?;
    let file = find_project_file(world, &directory)?.ok_or_else(|| {
        let shown = world.dirs.shown(&directory);
        Failure::new(FailureKind::Usage, format!("no `{PROJECT_FILE}` found for `{shown}`"))
            .hint(format!("create one: echo 'profile = \"NAME\"' > {PROJECT_FILE}"))
    })?;
    if args.revoke {
        let text = if file.revoke(world)? { "is no longer allowed" } else { "was not allowed" };
        world.output.note(&format!("{} {text}", file.shown()));
        return Ok(());
    }
    let profile = file.parse()?;
    let files = load_config(world)?;
    if files.config.defined_at(&profile).is_none() {
        return Err(files.failure_of(&files.config.unknown_profile(&profile, None)).at(file.shown()));
    }
    let role = resolve_role(world, &files, &profile)?;
    world.output.note(&format!("{}:", file.shown()));
    for line in file.text().lines() {
        world.output.raw_line(&format!("    {}", printable(line)));
    }
    let about = role.as_ref().map_or_else(|| "has no role".to_owned(), |role| format!("assumes {role}"));
    world.output.note(&format!("profile `{profile}` {about}"));
    if !args.yes {
        let confirmation = Confirmation {
            text: &format!(
                "Use it for `hatbox exec` and `hat` in {} and below? (y|N) ",
                world.dirs.shown(file.directory())
            ),
            because: None,
            hint: "add --yes to allow it without asking",
            timeout: world.settings()?.prompt_timeout(),
        };
        if !ask_yes_or_no(world, &confirmation)? {
            return Err(Failure::new(FailureKind::Cancelled, "cancelled"));
        }
    }
    file.allow(world, role)?;
    world.output.note(&format!("{} is allowed", file.shown()));
    Ok(())
}
