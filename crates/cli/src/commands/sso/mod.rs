//! `hatbox sso`: sign-ins to IAM Identity Center.

mod login;
mod logout;
mod populate;
mod status;
mod target;

use crate::args::{GlobalArgs, SsoArgs, SsoCommand};
use crate::errors::Failure;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &SsoArgs) -> Result<(), Failure> {
    match &args.command {
        SsoCommand::Login(args) => login::run(world, global, args),
        SsoCommand::Logout(args) => logout::run(world, global, args),
        SsoCommand::Status(args) => status::run(world, global, args),
        SsoCommand::Populate(args) => populate::run(world, global, args),
    }
}
