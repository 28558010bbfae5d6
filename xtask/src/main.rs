//! Chores of the repository, run as `cargo run -p xtask -- CHORE`.
#![expect(clippy::print_stdout, reason = "a chore's report is its output")]

mod bench;
mod bench_each;
mod bench_peers;
mod bench_server;
mod bench_stores;
mod bench_trust;
mod crates;
mod cross;
mod dist;
mod fuzz;
mod gate;
mod layout;
mod look_ups;
mod looks;
mod man;
mod manifests;
mod peers_stub;
mod picture;
mod reference;
mod released;
mod sbom;
mod scene;
mod site;

use std::path::Path;
use std::process::ExitCode;

/// The error of a chore.
type Problem = Box<dyn std::error::Error>;

const USAGE: &str = "\
Usage: cargo run -p xtask -- CHORE

Chores:
  bench [RUNS]   time `hatbox exec` and `list` as released, against programs that do less
  crates         count the crates that each feature brings; fail over the budget
  cross setup    install what the next ones need (as root, on Debian)
  cross windows  build hatbox for Windows
  cross wine     run its tests for Windows under Wine; with WORDS, `hatbox WORDS`
  cross macos    type-check hatbox for macOS
  cross          all of these
  bench each     time `hatbox each` with 200 profiles, against as many starts of `hatbox exec`
  bench peers    time hatbox, or PROGRAM, beside aws-vault, granted, aws-sso and aws-runas on PATH
  bench server   load the credential server, and time `exec --server`
  bench stores   time the backends, warm and cold, and a list of 1,000 stored keys
  bench trust    time the questions of `hatbox trust`, asked of 500 users and 1,000 roles
  dist           make what is published, in target/archives: an archive, packages of Linux, SHA256SUMS; docs/releasing.md
                 [--target TARGET] [--program FILE] [--out DIRECTORY] [--check] [--check-reproducible]
  fuzz [SECONDS] run each fuzz target for so long; needs nightly
  gate           count what the same take: instructions, system calls, page faults, memory; fail over the limits
  man [--out DIR]
                 write the manual pages to DIR, or to target/man
  manifests      fill in packaging/ for a release: --sums SHA256SUMS --out DIRECTORY
  picture        draw docs/demo.svg, a moving picture, from a real run of the demo; needs `aws`
  reference      write the pages of docs/commands from the help texts
  site           build the website of docs in target/site/html with mdBook, and check its links
  release        build target/released/hatbox: small, quick to start, without paths of this machine
  sbom           list the crates of the released program, as CycloneDX: --out FILE
";

/// Builds the released program and checks it.
fn release() -> Result<(), Problem> {
    let program = released::build_released()?;
    released::check_released(&program)?;
    if released::is_static(&released::host()?) {
        look_ups::check_look_ups(&program)?;
    }
    Ok(())
}

/// Writes the manual pages, dated by the source.
fn write_manual(directory: &Path) -> Result<(), Problem> {
    let program = scene::build(scene::Build::Debug)?;
    let pages =
        man::write_pages(&program, &scene::root().join("docs"), directory, &dist::date(dist::load_time()?)?)?;
    println!("{} manual pages in {}", pages.len(), directory.display());
    Ok(())
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["bench"] => bench::run(300),
        ["bench", "server"] => bench_server::run(100),
        ["bench", "peers"] => bench_peers::run(30, None),
        ["bench", "peers", program] => bench_peers::run(30, Some(program)),
        ["bench", "trust"] => bench_trust::run(20),
        ["bench", "each"] => bench_each::run(20),
        ["bench", "stores"] => bench_stores::run(100),
        ["bench", "stores", runs] => runs.parse().map_err(Problem::from).and_then(bench_stores::run),
        ["bench", runs] => runs.parse().map_err(Problem::from).and_then(bench::run),
        ["dist", words @ ..] => dist::run(words),
        ["crates"] => crates::run(),
        ["fuzz"] => fuzz::run(fuzz::SECONDS),
        ["fuzz", seconds] => seconds.parse().map_err(Problem::from).and_then(fuzz::run),
        ["release"] => release(),
        ["sbom", words @ ..] => sbom::run(words),
        ["cross"] => cross::run_all(),
        ["cross", "setup"] => cross::set_up(),
        ["cross", "windows"] => cross::build_windows(),
        ["cross", "wine"] => cross::test_under_wine(),
        ["cross", "wine", words @ ..] => cross::run_under_wine(words),
        ["cross", "macos"] => cross::check_macos(),
        ["gate"] => gate::run(),
        ["man"] => write_manual(&scene::root().join("target/man")),
        ["man", "--out", directory] => write_manual(Path::new(directory)),
        ["manifests", words @ ..] => manifests::run(words),
        ["picture"] => picture::run(),
        ["reference"] => reference::run(),
        ["site"] => site::run(),
        _ => Err(USAGE.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("{problem}");
            ExitCode::FAILURE
        }
    }
}
