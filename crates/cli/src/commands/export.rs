//! `hatbox export`: prints credentials.

use hatbox_core::handover::render_export;

use crate::args::{ExportArgs, GlobalArgs};
use crate::credentials::guard::Exit;
use crate::credentials::obtain::obtain_for;
use crate::errors::Failure;
use crate::handover::guard::check_not_nested;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ExportArgs) -> Result<(), Failure> {
    if !args.nested {
        check_not_nested(&world.environment)?;
    }
    let obtained = obtain_for(world, global, &args.session, args.profile.as_deref(), Exit::Export)?;
    let text = render_export(obtained.handover(), args.format)?;
    world.output.exact(&text)?;
    Ok(())
}
