//! `hatbox sandbox`: a strict stand-in for AWS on this machine, and an environment without anything of the user's.

mod allowed;
mod scene;
mod server;

mod log;
mod metadata;
mod s3;
mod s3_answer;
mod s3_client;
mod shell;
mod sign_in;
mod token;

mod demo;
mod player;
mod screen;
mod step;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use hatbox_sandbox::control::Client;
use hatbox_sandbox::world as demo_world;
use hatbox_types::text;

use crate::args::{SandboxArgs, SandboxCommand};
use crate::errors::{Failure, FailureKind};
use crate::sys::files::check_creator;
use crate::sys::signals::Held;
use crate::world::World;

use scene::Scene;

pub(crate) fn run(world: &World, args: &SandboxArgs) -> Result<ExitCode, Failure> {
    let directory = directory_of(world, args);
    let done = |result: Result<(), Failure>| result.map(|()| ExitCode::SUCCESS);
    // Called before the server's threads start, which inherit the signal mask.
    let hold = Held::new;
    if matches!(args.command, SandboxCommand::Up(_) | SandboxCommand::Run { .. } | SandboxCommand::Shell) {
        // The files are created in the directory, or in one created by hatbox above it.
        check_creator(&directory.join("world.json"))?;
    }
    match &args.command {
        SandboxCommand::Demo(demo) => done(demo::run(world, demo)),
        SandboxCommand::Up(up) => done(server::run_up(world, &directory, up)),
        SandboxCommand::Down => done(server::run_down(world, &directory)),
        SandboxCommand::Status => done(server::run_status(world, &directory)),
        SandboxCommand::Run { command } => Scene::open(world, &directory, &hold())?.run(command),
        SandboxCommand::Shell => shell::run(world, &Scene::open(world, &directory, &hold())?),
        SandboxCommand::Code => done(run_code(world, &directory)),
        SandboxCommand::Metadata => done(metadata::run(world, &directory)),
        SandboxCommand::Token(token) => done(token::run(world, &directory, token)),
        SandboxCommand::SignIn(sign_in) => done(sign_in::run(world, &directory, sign_in)),
        SandboxCommand::AddAccounts { count, roles } => {
            open_client(&directory)?.add_sso_accounts(*count, *roles)?;
            let added = text::count(usize::try_from(*count).unwrap_or(usize::MAX), "account");
            let roles = text::count(usize::try_from(*roles).unwrap_or(usize::MAX), "role");
            world.output.note(&format!("added {added} with {roles} each"));
            done(Ok(()))
        }
        SandboxCommand::Log(log) => done(log::run(world, &directory, log)),
        SandboxCommand::S3(s3) => done(s3::run(world, s3)),
    }
}

/// Returns an absolute path, as programs with other working directories will use it.
fn directory_of(world: &World, args: &SandboxArgs) -> PathBuf {
    match &args.dir {
        Some(directory) => std::path::absolute(directory).unwrap_or_else(|_| directory.clone()),
        None => world.dirs.data().join("sandbox"),
    }
}

fn open_client(directory: &Path) -> Result<Client, Failure> {
    Client::open(directory).map_err(|error| Failure::from(error).hint("hatbox sandbox up --detach"))
}

impl From<hatbox_sandbox::Error> for Failure {
    fn from(error: hatbox_sandbox::Error) -> Self {
        Self::of_error(FailureKind::Failed, &error)
    }
}

fn run_code(world: &World, directory: &Path) -> Result<(), Failure> {
    let code = open_client(directory)?.code(demo_world::MFA_SERIAL)?;
    world.output.data(&format!("{}\n", code.code))?;
    let used = if code.is_used { ", and was used already: wait for the next" } else { "" };
    world.output.note(&format!("the code is valid for another {} s{used}", code.seconds_left));
    Ok(())
}
