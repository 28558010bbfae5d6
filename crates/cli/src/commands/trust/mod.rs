//! `hatbox trust`: questions about IAM policies, answered offline or from live IAM.

mod answer;
mod can;
mod evaluate;
mod graph;
mod lint;
mod parties;
mod reach;
mod require_mfa;
mod snapshot;
mod sources;
mod who;

use std::process::ExitCode;

use crate::args::{GlobalArgs, TrustArgs, TrustCommand};
use crate::errors::Failure;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &TrustArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        TrustCommand::Evaluate(args) => evaluate::run(world, args).map(|()| ExitCode::SUCCESS),
        TrustCommand::Lint(args) => lint::run(world, global, args),
        TrustCommand::Can(args) => can::run(world, global, args),
        TrustCommand::Who(args) => who::run(world, global, args),
        TrustCommand::Reach(args) => reach::run(world, global, args),
        TrustCommand::Graph(args) => graph::run(world, global, args),
        TrustCommand::Snapshot(args) => snapshot::run(world, global, args).map(|()| ExitCode::SUCCESS),
        TrustCommand::RequireMfa(args) => require_mfa::run(world, global, args).map(|()| ExitCode::SUCCESS),
    }
}
