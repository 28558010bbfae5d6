//! `bench trust`: times the queries of `hatbox trust` for 500 users and 1,000 roles with 3 statements each.

use std::time::{Duration, Instant};

use hatbox_iam::accounts::{Accounts, Origin, SourceKind};
use hatbox_iam::admits::Trial;
use hatbox_iam::assume::context::Assumptions;
use hatbox_iam::assume::entity::{find_caller, find_role};
use hatbox_iam::graph::json::render_json;
use hatbox_iam::graph::survey;
use hatbox_iam::lint::{Subject, lint_policy};
use hatbox_iam::report::can::{MfaUse, can};
use hatbox_iam::report::reach::reach;
use hatbox_iam::report::who::who;

use crate::Problem;
use crate::bench::{median, milliseconds};

const USERS: usize = 500;
const ROLES: usize = 1000;
const POLICIES: usize = 1000;
/// The limit of the resident memory, in KiB.
const MEMORY_LIMIT: u64 = 200 << 10;

/// Times each query `runs` times in this process. Reading the snapshot is timed separately.
pub(crate) fn run(runs: usize) -> Result<(), Problem> {
    let snapshot = render_snapshot(Own::ThreeRoles);
    let mut accounts = Accounts::default();
    let reading = time(runs, || {
        accounts = read(&snapshot)?;
        Ok(())
    })?;
    println!("{USERS} users, {ROLES} roles, 3 statements each: {} KiB", snapshot.len() >> 10);
    println!();
    println!("| | median of {runs} | limit |");
    println!("|---|---|---|");
    println!("| read the snapshot | {} | |", milliseconds(reading));
    let given = Assumptions::default();
    let (caller, role) = (find_caller(&accounts, "u7")?, find_role(&accounts, "r7")?);
    let first = time(1, || {
        can(&read(&snapshot)?, &caller, &[], &role, MfaUse::IfNeeded, &given);
        Ok(())
    })?;
    println!("| `can`, the first time, with reading | {} | |", milliseconds(first));
    let limit = |limit| milliseconds(Duration::from_millis(limit));
    let taken = time(runs, || {
        can(&accounts, &caller, &[], &role, MfaUse::IfNeeded, &given);
        Ok(())
    })?;
    println!("| `can` | {} | {} |", milliseconds(taken), limit(5));
    let mut found = 0;
    let taken = time(runs, || {
        found = who(&accounts, &role, &given).paths.len();
        Ok(())
    })?;
    println!("| `who`, which finds {found} | {} | {} |", milliseconds(taken), limit(1000));
    let taken = time(runs, || {
        found = reach(&accounts, &caller, &given).paths.len();
        Ok(())
    })?;
    println!("| `reach`, which finds {found} | {} | {} |", milliseconds(taken), limit(1000));
    let open = read(&render_snapshot(Own::AnyRole))?;
    let mut text = String::new();
    let taken = time(runs.min(5), || {
        text.clear();
        text.shrink_to_fit();
        let graph = survey(&open, &given);
        text = render_json(&graph)?;
        Ok(())
    })?;
    let count = text.matches("\"from\"").count();
    println!("| `graph --format json`, {count} edges | {} | {} |", milliseconds(taken), limit(1000));
    let taken = time(runs.min(5), || {
        found = who(&open, &role, &given).paths.len();
        Ok(())
    })?;
    println!("| `who`, every user can assume every role | {} | {} |", milliseconds(taken), limit(1000));
    let policies = render_policies();
    let trial = Trial { caller: None, assumptions: given.clone() };
    let taken = time(runs, || {
        for policy in &policies {
            lint_policy(policy, Subject::default(), &trial)?;
        }
        Ok(())
    })?;
    println!("| `lint` of {} policies | {} | {} |", policies.len(), milliseconds(taken), limit(200));
    match peak_memory() {
        Some(peak) => println!("| memory, at the most | {} MiB | {} MiB |", peak >> 10, MEMORY_LIMIT >> 10),
        None => println!("| memory, at the most | skipped: there is no /proc | |"),
    }
    Ok(())
}

fn read(snapshot: &str) -> Result<Accounts, Problem> {
    let mut accounts = Accounts::default();
    let origin = Origin { name: "iam.json".to_owned(), kind: SourceKind::Snapshot, taken: None };
    accounts.add_source(snapshot.as_bytes(), origin)?;
    Ok(accounts)
}

fn time(runs: usize, mut work: impl FnMut() -> Result<(), Problem>) -> Result<Duration, Problem> {
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let start = Instant::now();
        work()?;
        times.push(start.elapsed());
    }
    Ok(median(&mut times))
}

/// Returns the peak resident memory of this process, in KiB.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The roles that a user's policies allow the user to assume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    ThreeRoles,
    AnyRole,
}

/// Returns trust policies with three statements each. Every tenth policy has a mistake.
fn render_policies() -> Vec<String> {
    let of = |number: usize| {
        let operator = if number.is_multiple_of(10) { "BoolIfExists" } else { "Bool" };
        let statement = |principal: &str, condition: &str| {
            format!(
                r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole"{condition}}}"#
            )
        };
        let mfa = format!(r#", "Condition": {{"{operator}": {{"aws:MultiFactorAuthPresent": "true"}}}}"#);
        let statements = [
            statement(r#"{"AWS": "arn:aws:iam::111122223333:root"}"#, &mfa),
            statement(&format!(r#"{{"AWS": "arn:aws:iam::111122223333:user/u{number}"}}"#), &mfa),
            statement(r#"{"Service": "ec2.amazonaws.com"}"#, ""),
        ];
        format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "))
    };
    (0..POLICIES).map(of).collect()
}

/// Renders a snapshot with the users in one account and the roles in another. Each role trusts the account with MFA,
/// one user by name, and the previous role; each user may assume three roles, or any.
fn render_snapshot(own: Own) -> String {
    let role_arn = |number: usize| format!("arn:aws:iam::444455556666:role/r{}", number % ROLES);
    let user_arn = |number: usize| format!("arn:aws:iam::111122223333:user/u{}", number % USERS);
    let users: Vec<_> = (0..USERS)
        .map(|number| {
            let statements: Vec<_> = (0..3)
                .map(|step| {
                    let role = if own == Own::AnyRole { "*".to_owned() } else { role_arn(number + step) };
                    format!(r#"{{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "{role}"}}"#)
                })
                .collect();
            format!(
                r#"{{"UserName": "u{number}", "Arn": "{}", "UserPolicyList": [{{"PolicyName": "Roles",
                "PolicyDocument": {{"Version": "2012-10-17", "Statement": [{}]}}}}]}}"#,
                user_arn(number),
                statements.join(", ")
            )
        })
        .collect();
    let roles: Vec<_> = (0..ROLES)
        .map(|number| {
            let allow = |principal: &str, condition: &str| {
                format!(
                    r#"{{"Effect": "Allow", "Principal": {{"AWS": "{principal}"}}, "Action": "sts:AssumeRole"
                    {condition}}}"#
                )
            };
            let mfa = r#", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#;
            let statements = [
                allow("arn:aws:iam::111122223333:root", mfa),
                allow(&user_arn(number), mfa),
                allow(&role_arn(number + ROLES - 1), ""),
            ];
            format!(
                r#"{{"RoleName": "r{number}", "Arn": "{}", "AssumeRolePolicyDocument":
                {{"Version": "2012-10-17", "Statement": [{}]}}}}"#,
                role_arn(number),
                statements.join(", ")
            )
        })
        .collect();
    format!(
        r#"{{"schema": 1, "organization": "none", "accounts": [
        {{"account": "111122223333", "details": {{"UserDetailList": [{}]}}}},
        {{"account": "444455556666", "details": {{"RoleDetailList": [{}]}}}}]}}"#,
        users.join(",\n"),
        roles.join(",\n")
    )
}
