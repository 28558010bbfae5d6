//! `hatbox export`: prints credentials.

use std::path::{Path, PathBuf};

use hatbox_core::handover::{Format, render_export, render_masks, render_unset};

use crate::args::{ExportArgs, GlobalArgs};
use crate::credentials::guard::Exit;
use crate::credentials::obtain::ProfileRequest;
use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::handover::guard::check_not_nested;
use crate::sys::output_file::append_lines;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ExportArgs) -> Result<(), Failure> {
    let variables = world.environment.variables();
    // hatbox sets and restores only UTF-8 values.
    let inherited = variables
        .iter()
        .filter_map(|(name, value)| Some((name.to_str()?, value.to_str().unwrap_or_default())));
    if args.unset {
        world.output.exact(&render_unset(args.format, inherited)?)?;
        return Ok(());
    }
    if !args.nested {
        check_not_nested(&world.environment)?;
    }
    let job_file = (args.format == Format::GithubActions).then(|| find_job_file(world)).transpose()?;
    let profile = args.profile.as_deref();
    let request = ProfileRequest { world, global, session: &args.session, profile };
    let obtained = request.obtain_for(Exit::Export)?;
    let text = render_export(obtained.handover(), args.format, inherited)?;
    let Some(job_file) = job_file else {
        world.output.exact(&text)?;
        return Ok(());
    };
    // Security: register the secrets with GitHub's log masking before anything can print them.
    world.output.exact(&render_masks(obtained.handover()))?;
    append_lines(Path::new(&job_file), text.as_bytes())?;
    Ok(())
}

/// Returns the file that passes variables to later steps of a GitHub Actions job.
fn find_job_file(world: &World) -> Result<PathBuf, Failure> {
    let path = world.environment.raw(env_names::GITHUB_ENV).filter(|path| !path.is_empty());
    path.map(PathBuf::from).ok_or_else(|| {
        let error = "GITHUB_ENV is not set: the format `github-actions` is for a step of GitHub Actions";
        Failure::new(FailureKind::Usage, error).hint("use another format: --format env")
    })
}
