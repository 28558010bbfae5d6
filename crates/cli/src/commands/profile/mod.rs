//! `hatbox profile`: sections of the AWS config.

mod add;
mod remove;

use crate::args::{GlobalArgs, ProfileArgs, ProfileCommand};
use crate::errors::Failure;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ProfileArgs) -> Result<(), Failure> {
    match &args.command {
        ProfileCommand::Add(args) => add::run(world, global, args),
        ProfileCommand::Remove(args) => remove::run(world, global, args),
    }
}
