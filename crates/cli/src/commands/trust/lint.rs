//! `hatbox trust lint`: reports who can assume a role, and what is wrong with its trust policy.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use hatbox_iam::accounts::{Accounts, Attribute, Document, Origin, SourceKind};
use hatbox_iam::admits::{Candidate, Trial};
use hatbox_iam::assume::context::Assumptions;
use hatbox_iam::lint::{
    Counts, Detail, Level, Linted, Outcome, Subject, lint_policy, render_json, render_sarif, render_text,
};
use hatbox_iam::policy::document::{PolicyError, decode_json};
use hatbox_types::text::shell::quote_path;

use super::sources::load_accounts;
use crate::args::{GlobalArgs, LintFormat, LintLevel, TrustLintArgs};
use crate::errors::{Failure, FailureKind};
use crate::files::trust_sources::{read_source, read_up_to};
use crate::output::render_page;
use crate::world::World;
use crate::world::dirs::shown_path;

/// The exit code if there are findings.
const FINDINGS: u8 = 5;

/// In bytes per file, thousands of times AWS's limit.
const MAX_FILE: u64 = 16 << 20;

/// The maximum depth of directories.
const MAX_DEPTH: usize = 32;

pub(super) fn run(world: &World, global: &GlobalArgs, args: &TrustLintArgs) -> Result<ExitCode, Failure> {
    let trial = read_trial(world, args)?;
    let mut linted = Vec::new();
    for file in &args.files {
        if file.is_dir() {
            for file in find_files(file, 0)? {
                linted.push(lint_file(&file, &trial)?);
            }
        } else {
            linted.push(lint_file(file, &trial)?);
        }
    }
    let from = &args.sources.from;
    if !from.is_empty() {
        linted.extend(lint_accounts(&load_accounts(world, global, &args.sources)?, &trial));
    }
    if args.files.is_empty() && from.is_empty() {
        return Err(Failure::new(FailureKind::Usage, "no trust policy is given")
            .hint("hatbox trust lint trust.json")
            .hint("terraform show -json tfplan | hatbox trust lint --from -"));
    }
    // A Terraform plan without roles is fine, but a directory without policies is probably a mistake.
    if linted.is_empty() && from.is_empty() {
        return Err(Failure::new(FailureKind::Failed, "no trust policies found in the given files"));
    }
    let text = match args.format {
        LintFormat::Text => {
            render_page(&render_text(&linted, if args.all { Detail::All } else { Detail::Findings }))
        }
        LintFormat::Json => render_json(&linted),
        LintFormat::Sarif => render_sarif(&linted, env!("CARGO_PKG_VERSION")),
    };
    world.output.data(&text)?;
    report_unreadable(world, &linted)?;
    let level = match args.fail_on {
        LintLevel::Error => Level::Error,
        LintLevel::Warning => Level::Warning,
        LintLevel::Info => Level::Info,
    };
    let is_clean = Counts::of(&linted).at_least(level) == 0;
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}

fn read_trial(world: &World, args: &TrustLintArgs) -> Result<Trial, Failure> {
    let caller = args.caller.as_ref().map(|text| {
        Candidate::parse(text).ok_or_else(|| {
            let error =
                format!("invalid caller `{text}`: expected an account ID, or the ARN of a user, a role or a role session");
            Failure::new(FailureKind::Usage, error)
                .hint("hatbox trust lint --caller arn:aws:iam::111122223333:user/alice trust.json")
        })
    });
    let mut context: Vec<(String, Vec<String>)> = Vec::new();
    for given in &args.context {
        let Some((key, value)) = given.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            let error = format!("invalid context `{given}`: expected `KEY=VALUE`");
            return Err(Failure::new(FailureKind::Usage, error)
                .hint("hatbox trust lint --context aws:SourceIp=203.0.113.10 trust.json"));
        };
        // A repeated key adds another value.
        match context.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            Some((_, values)) => values.push(value.to_owned()),
            None => context.push((key.to_owned(), vec![value.to_owned()])),
        }
    }
    if let Some(name) = &args.role_session_name {
        context.insert(0, ("sts:RoleSessionName".to_owned(), vec![name.clone()]));
    }
    Ok(Trial { caller: caller.transpose()?, assumptions: Assumptions { context, now: world.clock.now() } })
}

fn lint_file(path: &Path, trial: &Trial) -> Result<Linted, Failure> {
    let bytes = load(path)?;
    let outcome = match decode_json(&bytes).and_then(|text| lint_policy(text, Subject::default(), trial)) {
        Ok(report) => Outcome::Judged(Box::new(report)),
        Err(error) => Outcome::Unreadable(error),
    };
    let is_stdin = path == Path::new("-");
    let name = if is_stdin { "stdin".to_owned() } else { shown_path(path) };
    Ok(Linted { file: (!is_stdin).then(|| name.clone()), name, outcome })
}

/// Checks the trust policies of all roles in the sources, by account and name.
fn lint_accounts(accounts: &Accounts, trial: &Trial) -> Vec<Linted> {
    let known = accounts.accounts.keys().map(|id| id.as_str().to_owned()).collect();
    let placed = accounts.roles().map(|(account, role)| {
        let name = role.address.clone().unwrap_or_else(|| format!("role {} of account {account}", role.name));
        (name, Some(role.arn.as_str()), &role.trust)
    });
    let unplaced = accounts.unplaced.iter().map(|role| {
        (role.address.clone().unwrap_or_else(|| format!("role {}", role.name)), None, &role.trust)
    });
    let lint = |(name, arn, trust): (String, Option<&str>, &Attribute<Document>)| {
        let subject = Subject { arn, accounts: Some(&known) };
        let outcome = match trust {
            Attribute::Known(document) => match lint_policy(&document.text, subject, trial) {
                Ok(report) => Outcome::Judged(Box::new(report)),
                Err(error) => Outcome::Unreadable(error),
            },
            Attribute::UntilApply => Outcome::UntilApply,
            Attribute::NotGiven => return None,
        };
        Some(Linted { name, file: None, outcome })
    };
    placed.chain(unplaced).filter_map(lint).collect()
}

/// Lists the JSON files below a directory in name order, without following symlinks to directories.
fn find_files(directory: &Path, depth: usize) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: &io::Error| could_not_read(directory, error);
    let entries: io::Result<Vec<_>> = fs::read_dir(directory).map_err(|error| failed(&error))?.collect();
    let mut entries = entries.map_err(|error| failed(&error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut found = Vec::new();
    for entry in entries {
        let kind = entry.file_type().map_err(|error| failed(&error))?;
        let path = entry.path();
        if kind.is_dir() && depth < MAX_DEPTH {
            found.extend(find_files(&path, depth + 1)?);
        } else if path.extension().is_some_and(|extension| extension == "json") && path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

pub(super) fn load(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = if path == Path::new("-") {
        read_up_to(io::stdin().lock(), 0, MAX_FILE)
    } else {
        read_source(path, MAX_FILE).map(|(bytes, _)| bytes)
    };
    read.map_err(|error| could_not_read(path, &error))
}

/// Whether a file is a source of roles for `--from`, such as a snapshot.
fn is_source(file: &Path) -> bool {
    let Ok(bytes) = load(file) else { return false };
    let origin = Origin { name: String::new(), kind: SourceKind::PolicyFile, taken: None };
    Accounts::default().add_source(&bytes, origin).is_ok()
}

/// Reports each unreadable file on stderr, and fails if there is any.
fn report_unreadable(world: &World, linted: &[Linted]) -> Result<(), Failure> {
    let mut failures = linted.iter().filter_map(|one| match &one.outcome {
        Outcome::Unreadable(error) => {
            let failure = unreadable(&one.name, error);
            Some(match &one.file {
                Some(file) if is_source(Path::new(file)) => {
                    failure.hint(format!("hatbox trust lint --from {}", quote_path(file)))
                }
                _ => failure,
            })
        }
        Outcome::Judged(_) | Outcome::UntilApply => None,
    });
    let Some(mut last) = failures.next() else { return Ok(()) };
    for next in failures {
        last.print(&world.output);
        last = next;
    }
    Err(last)
}

pub(super) fn unreadable(name: &str, error: &PolicyError) -> Failure {
    Failure::new(FailureKind::Failed, format!("`{name}` is not a trust policy: {}", error.problem))
        .at(format!("{name}:{}:{}", error.line, error.column))
}

fn could_not_read(path: &Path, error: &io::Error) -> Failure {
    Failure::new(FailureKind::Failed, format!("could not read {}", name_of(path))).caused_by(error)
}

fn name_of(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { format!("`{}`", shown_path(path)) }
}
