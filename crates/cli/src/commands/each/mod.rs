//! `hatbox each`: runs a command with each of several profiles.

mod dry_run;
mod select;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use hatbox_types::text;

use self::select::{check_selection, select};
use crate::args::{EachArgs, GlobalArgs};
use crate::ask::passphrase::Interaction;
use crate::credentials::audit::check_reason;
use crate::credentials::guard::Exit;
use crate::credentials::last_failure::save_last_failure;
use crate::credentials::obtain::Obtained;
use crate::credentials::several::{Candidate, Several};
use crate::errors::Failure;
use crate::handover::each::{Batch, End, Ended, Form, OnFailure, Prepared, Task, run_each};
use crate::handover::exec::{Keyring, child_environment, find_command};
use crate::handover::guard::check_not_nested;
use crate::world::World;

/// The maximum number of names in the summary.
const LISTED: usize = 10;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &EachArgs) -> Result<ExitCode, Failure> {
    if !args.nested {
        check_not_nested(&world.environment)?;
    }
    let interaction = if args.dry_run { Interaction::Never } else { Interaction::Allowed };
    if !args.command.is_empty() {
        // Report a missing command before anything is asked.
        find_command(world, &args.command)?;
    }
    check_reason(&args.session)?;
    check_selection(args)?;
    let mut several = Several::open(world, global, &args.session, interaction)?;
    let mut candidates = select(world, &several, args)?;
    several.print_warnings(&candidates);
    if args.dry_run {
        dry_run::show(world, args, candidates)?;
        return Ok(ExitCode::SUCCESS);
    }
    Several::check_guards(&mut candidates, &args.command)?;
    several.ask(&mut candidates)?;
    let is_isolated = args.isolate || world.settings()?.isolate_child;
    let batch = Batch {
        command: args.command.clone(),
        keyring: if is_isolated { Keyring::OfItsOwn } else { Keyring::AsReceived },
        jobs: resolve_jobs(args),
        on_failure: if args.fail_fast { OnFailure::Stop } else { OnFailure::KeepGoing },
        form: match (args.json, args.group) {
            (true, _) => Form::Json,
            (_, true) => Form::Grouped,
            _ => Form::Labelled,
        },
    };
    let profiles: Vec<_> = candidates.iter().map(|candidate| candidate.profile.clone()).collect();
    let used = Arc::new(Used { command: args.command.clone(), reason: args.session.reason.clone() });
    let tasks = candidates.into_iter().map(|candidate| task_of(world, &used, candidate)).collect();
    let ended = run_each(world, batch, tasks, |index, failure| {
        if let Some(profile) = profiles.get(index) {
            save_last_failure(world, global, profile, failure);
        }
    })?;
    print_summary(world, &ended);
    Ok(ExitCode::from(resolve_code(&ended)))
}

fn resolve_jobs(args: &EachArgs) -> usize {
    match args.jobs {
        Some(jobs) => jobs.into(),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    }
}

/// The facts about each use for the audit log.
struct Used {
    command: Vec<OsString>,
    reason: Option<String>,
}

fn task_of(world: &World, used: &Arc<Used>, candidate: Candidate) -> Task {
    let (world, used) = (world.clone(), Arc::clone(used));
    Task {
        profile: candidate.profile.to_string(),
        prepare: Box::new(move || {
            let obtained = Obtained::of_run(candidate.run?)?;
            obtained.record(&world, used.reason.as_deref(), Exit::Command(&used.command))?;
            let handover = obtained.handover();
            Ok(Prepared {
                environment: child_environment(&world, handover),
                account: handover.account.map(str::to_owned),
            })
        }),
    }
}

/// Prints which profiles failed. Comes last, as users read the last line first. Prints nothing on success.
fn print_summary(world: &World, ended: &Ended) {
    let not_started = ended.ends.iter().filter(|(_, end)| matches!(end, End::NotStarted)).count();
    let failed: Vec<_> = ended
        .ends
        .iter()
        .filter(|(_, end)| !end.is_success() && !matches!(end, End::NotStarted))
        .map(|(profile, end)| format!("{profile} ({})", end.render()))
        .collect();
    let done = ended.ends.len() - failed.len() - not_started;
    let mut parts = vec![format!("{done} of {} succeeded", text::count(ended.ends.len(), "profile"))];
    if let Some((listed, more)) = failed.split_at_checked(LISTED).or(Some((&failed, &[])))
        && !listed.is_empty()
    {
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        parts.push(format!("failed: {}{more}", listed.join(", ")));
    }
    if not_started > 0 {
        parts.push(format!("not started: {not_started}"));
    }
    if parts.len() > 1 {
        world.output.note(&parts.join("; "));
    }
}

/// Returns the code of the signal that stopped the run, or else the highest exit code.
fn resolve_code(ended: &Ended) -> u8 {
    let byte = |code: i32| u8::try_from(code).unwrap_or(1);
    match ended.signal {
        Some(number) => byte(128 + number),
        None => ended.ends.iter().filter_map(|(_, end)| end.code()).map(byte).max().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_that_of_the_worst() {
        let code = |codes: &[i32], signal| {
            let ends = codes.iter().map(|code| (String::new(), End::Exited(*code))).collect();
            resolve_code(&Ended { ends, signal })
        };
        assert_eq!(code(&[0, 0], None), 0);
        assert_eq!(code(&[0, 3, 1], None), 3);
        assert_eq!(code(&[0, 3], Some(2)), 130);
        assert_eq!(code(&[-1, 0], None), 1, "Windows has codes beyond a byte");
    }
}
