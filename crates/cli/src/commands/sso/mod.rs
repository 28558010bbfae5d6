//! `hatbox sso`: sign-ins to IAM Identity Center.

mod login;
mod logout;
mod populate;
mod status;

use crate::args::{GlobalArgs, SessionArgs, SsoArgs, SsoCommand};
use crate::credentials::request::resolve_session;
use crate::credentials::sso::SignInTargets;
use crate::errors::Failure;
use crate::files::aws_config::load_config;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &SsoArgs) -> Result<(), Failure> {
    let request = resolve_session(global, &SessionArgs::default(), &world.environment)?;
    let files = load_config(world)?;
    let targets = SignInTargets { files: &files, overrides: &request.overrides };
    match &args.command {
        SsoCommand::Login(args) => login::run(world, global, &targets, args),
        SsoCommand::Logout(args) => logout::run(world, global, &targets, &request, args),
        SsoCommand::Status(args) => status::run(world, global, &targets, args),
        SsoCommand::Populate(args) => populate::run(world, global, &targets, args),
    }
}
