//! `hatbox login`: opens the console, or signs in like `aws login`.

mod console;
mod session;

use crate::args::{GlobalArgs, LoginArgs};
use crate::errors::Failure;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &LoginArgs) -> Result<(), Failure> {
    if args.session { session::run(world, global, args) } else { console::run(world, global, args) }
}
