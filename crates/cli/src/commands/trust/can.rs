//! `hatbox trust can`: prints yes, no or unknown, and why. The exit code is different for each.

use std::process::ExitCode;

use hatbox_iam::policy::answer::Answer;
use hatbox_iam::report::can::{MfaUse, can};

use super::answer;
use super::parties::{Parties, given_of};
use super::sources::load_accounts;
use crate::args::{GlobalArgs, TrustCanArgs};
use crate::errors::Failure;
use crate::world::World;

pub(super) fn run(world: &World, global: &GlobalArgs, args: &TrustCanArgs) -> Result<ExitCode, Failure> {
    let accounts = load_accounts(world, global, &args.sources)?;
    let parties = Parties::new(world, &accounts);
    let caller = parties.find_caller(&args.caller)?;
    let target = parties.find_role(&args.role)?;
    let via = if args.via.is_empty() {
        target.via
    } else {
        args.via.iter().map(|role| Ok(parties.find_role(role)?.role)).collect::<Result<_, Failure>>()?
    };
    let mfa = match (args.mfa, args.no_mfa) {
        (true, _) => MfaUse::With,
        (_, true) => MfaUse::Without,
        (false, false) => MfaUse::IfNeeded,
    };
    let given = given_of(world, &args.given, target.context);
    let answer = can(&accounts, &caller, &via, &target.role, mfa, &given);
    let json = args.given.json.then(|| answer.to_json());
    answer::print(world, &accounts, json, || answer.render())?;
    Ok(match answer.answer() {
        Answer::Yes => ExitCode::SUCCESS,
        Answer::No => ExitCode::from(3),
        Answer::Unknown(_) => ExitCode::from(6),
    })
}
