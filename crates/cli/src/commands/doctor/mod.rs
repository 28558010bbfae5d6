//! `hatbox doctor`: finds problems in the setup and suggests fixes.
//!
//! `hatbox_core::doctor` checks values; the files here examine the machine, one topic each.

mod clock;
mod config;
mod environment;
mod files;
mod programs;
mod prompt;
mod remote;
mod sign_ins;
mod store;

use std::process::ExitCode;

use hatbox_core::doctor::json::{fails, render_json};
use hatbox_core::doctor::page::render_page;
use hatbox_core::doctor::{Finding, Findings, Level, Look, Shell, Summary, Topic};
use hatbox_core::plan::PlanOptions;

use crate::args::{DoctorArgs, FailOn, GlobalArgs, SessionArgs};
use crate::credentials::plan::{plan_options, stored_keys};
use crate::credentials::request::{SessionRequest, resolve_session};
use crate::errors::Failure;
use crate::keys::KeyStore;
use crate::output;
use crate::world::World;

/// The exit code if there are findings at or above the requested level.
const FINDINGS: u8 = 5;

/// The findings so far.
struct Checkup<'w> {
    world: &'w World,
    findings: Findings,
    summaries: Vec<Summary>,
}

impl Checkup<'_> {
    fn sum_up(&mut self, topic: Topic, text: impl Into<String>) {
        self.summaries.push(Summary { topic, text: text.into() });
    }
}

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &DoctorArgs) -> Result<ExitCode, Failure> {
    let mut checkup = Checkup { world, findings: Findings::default(), summaries: Vec::new() };
    let request = checkup.request(global);
    let options = request.as_ref().map_or_else(PlanOptions::default, |request| plan_options(world, request));
    let mut store = KeyStore::open(world, global);

    // Check files first: what `--fix` corrects should not fail in the other checks.
    checkup.check_files(store.as_ref().ok().and_then(KeyStore::directory), args.fix);
    if args.fix && store.is_err() {
        // Settings that others can write are not used; `--fix` may have corrected that.
        store = KeyStore::open(world, global);
    }
    let files = checkup.load_config()?;
    let index = checkup.check_store(&mut store);
    let profiles = checkup.check_config(&files, &stored_keys(index.as_ref()), &options);
    checkup.check_sign_ins(&files, request.as_ref(), &mut store);
    checkup.check_login_sessions(&files);
    checkup.check_environment(&files, index.as_ref());
    checkup.check_prompt(request.as_ref(), &profiles);
    checkup.check_programs(&profiles);
    checkup.check_clock(&files, args.online);

    let shell = if cfg!(windows) { Shell::PowerShell } else { Shell::Posix };
    let look = Look { paths: files.paths(), shell };
    let fail_on = match args.fail_on {
        FailOn::Error => Level::Error,
        FailOn::Warning => Level::Warning,
        FailOn::Info => Level::Info,
    };
    let findings = checkup.findings.into_sorted();
    checkup.summaries.sort_by_key(|summary| summary.topic);
    let text = if args.json {
        format!("{:#}\n", render_json(&checkup.summaries, &findings, &look, fail_on))
    } else {
        output::render_page(&render_page(&checkup.summaries, &findings, &look))
    };
    world.output.data(&text)?;
    Ok(if fails(&findings, fail_on) { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
}

impl Checkup<'_> {
    /// Resolves what the variables ask for. An invalid one is a finding.
    fn request(&mut self, global: &GlobalArgs) -> Option<SessionRequest> {
        match resolve_session(global, &SessionArgs::default(), &self.world.environment) {
            Ok(request) => Some(request),
            Err(failure) => {
                self.findings.push(finding_of(Topic::Environment, "env-value", &failure));
                None
            }
        }
    }
}

/// Turns a failure of another part of hatbox into a finding. A hint that is a command becomes the fix.
fn finding_of(topic: Topic, id: &'static str, failure: &Failure) -> Finding {
    let text = std::iter::once(&failure.error).chain(&failure.causes).cloned().collect::<Vec<_>>().join(": ");
    let finding = Finding::new(topic, id, Level::Error, text);
    let finding = match &failure.place {
        Some(place) => finding.in_file(place.as_str()),
        None => finding,
    };
    let is_command =
        |hint: &&String| ["hatbox ", "chmod ", "sudo ", "icacls "].iter().any(|c| hint.starts_with(c));
    match failure.hints.iter().find(is_command) {
        Some(command) => finding.fixed_by(command.as_str()),
        None => finding,
    }
}
