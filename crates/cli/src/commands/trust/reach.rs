//! `hatbox trust reach`: lists everything that a caller can assume.

use std::process::ExitCode;

use hatbox_iam::report::reach::reach;

use super::answer;
use super::parties::{Parties, given_of};
use super::sources::load_accounts;
use crate::args::{GlobalArgs, TrustReachArgs};
use crate::errors::Failure;
use crate::world::World;

pub(super) fn run(world: &World, global: &GlobalArgs, args: &TrustReachArgs) -> Result<ExitCode, Failure> {
    let accounts = load_accounts(world, global, &args.sources)?;
    let parties = Parties::new(world, &accounts);
    let caller = parties.find_caller(&args.caller)?;
    let given = given_of(world, &args.given, Vec::new());
    let answer = reach(&accounts, &caller, &given);
    let json = args.given.json.then(|| answer.to_json());
    answer::print(world, &accounts, json, || answer.render())?;
    Ok(ExitCode::SUCCESS)
}
