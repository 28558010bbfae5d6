//! `hatbox trust`: questions about policies, answered offline.

mod evaluate;

use std::process::ExitCode;

use crate::args::{TrustArgs, TrustCommand};
use crate::report::Failure;
use crate::world::World;

pub(crate) fn run(world: &World, args: &TrustArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        TrustCommand::Evaluate(args) => evaluate::run(world, args).map(|()| ExitCode::SUCCESS),
    }
}
