//! `hatbox store`: the backends.

mod migrate;
#[cfg(feature = "file")]
mod rekey;
mod status;
mod switch;
#[cfg(feature = "file")]
mod trust;
#[cfg(feature = "file")]
mod wrap;

use crate::args::{GlobalArgs, StoreArgs, StoreCommand};
use crate::errors::Failure;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &StoreArgs) -> Result<(), Failure> {
    match &args.command {
        StoreCommand::Status(args) => status::run(world, global, args),
        StoreCommand::Use(args) => switch::run(world, global, args),
        StoreCommand::Migrate(args) => migrate::run(world, global, args),
        #[cfg(feature = "file")]
        StoreCommand::Wrap(args) => wrap::run(world, global, args),
        #[cfg(feature = "file")]
        StoreCommand::Rekey(args) => rekey::run(world, global, args),
        #[cfg(feature = "file")]
        StoreCommand::Trust(args) => trust::run(world, global, args),
    }
}
