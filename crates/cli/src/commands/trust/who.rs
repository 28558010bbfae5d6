//! `hatbox trust who`: lists everyone who can assume a role.

use std::process::ExitCode;

use hatbox_iam::report::who::who;

use super::answer;
use super::parties::{Parties, given_of};
use super::sources::load_accounts;
use crate::args::{GlobalArgs, TrustWhoArgs};
use crate::errors::Failure;
use crate::world::World;

pub(super) fn run(world: &World, global: &GlobalArgs, args: &TrustWhoArgs) -> Result<ExitCode, Failure> {
    let accounts = load_accounts(world, global, &args.sources)?;
    let parties = Parties::new(world, &accounts);
    let target = parties.find_role(&args.role)?;
    let given = given_of(world, &args.given, target.context);
    let answer = who(&accounts, &target.role, &given);
    let json = args.given.json.then(|| answer.to_json());
    answer::print(world, &accounts, json, || answer.render())?;
    Ok(ExitCode::SUCCESS)
}
