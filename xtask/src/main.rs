//! Chores of the repository, run as `cargo run -p xtask -- CHORE`.
#![expect(clippy::print_stdout, reason = "a chore's report is its output")]

mod bench;
mod bench_stores;
mod bench_trust;
mod crates;
mod cross;
mod fuzz;
mod gate;
mod looks;
mod order;
mod picture;
mod reference;
mod released;
mod scene;

use std::process::ExitCode;

use scene::Build;

/// Whatever stopped a chore.
type Problem = Box<dyn std::error::Error>;

const USAGE: &str = "\
Usage: cargo run -p xtask -- CHORE

Chores:
  bench [RUNS]   time `hatbox exec` with a cached session against the bare command
  bench dist     the same, of the build that is shipped
  crates         count the crates that each feature brings; fail over the budget
  cross setup    install what the next ones need (as root, on Debian)
  cross windows  build hatbox for Windows
  cross wine     run its tests for Windows under Wine; with WORDS, `hatbox WORDS`
  cross macos    type-check hatbox for macOS
  cross          all of these
  bench stores   time the backends, warm and cold, and a list of 1,000 stored keys
  bench trust    time the questions of `hatbox trust`, asked of 500 users and 1,000 roles
  fuzz [SECONDS] run each fuzz target for so long; needs nightly
  gate           count instructions, system calls and memory of the same; fail over the limits
  order          write crates/cli/link-order.txt: the functions of a warm start, for the linker
  picture        draw docs/demo.svg, a moving picture, from a real run of the demo; needs `aws`
  reference      write the pages of docs/commands from the help texts
  release        build target/release/hatbox as it is released: stripped, and without paths of this machine
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["bench"] => bench::run(Build::Release, 300),
        ["bench", "dist"] => bench::run(Build::Dist, 300),
        ["bench", "trust"] => bench_trust::run(20),
        ["bench", "stores"] => bench_stores::run(100),
        ["bench", "stores", runs] => runs.parse().map_err(Problem::from).and_then(bench_stores::run),
        ["bench", runs] => {
            runs.parse().map_err(Problem::from).and_then(|runs| bench::run(Build::Release, runs))
        }
        ["crates"] => crates::run(),
        ["fuzz"] => fuzz::run(fuzz::SECONDS),
        ["fuzz", seconds] => seconds.parse().map_err(Problem::from).and_then(fuzz::run),
        ["release"] => scene::build(Build::Release).and_then(|program| released::check_released(&program)),
        ["cross"] => cross::run_all(),
        ["cross", "setup"] => cross::set_up(),
        ["cross", "windows"] => cross::build_windows(),
        ["cross", "wine"] => cross::test_under_wine(),
        ["cross", "wine", words @ ..] => cross::run_under_wine(words),
        ["cross", "macos"] => cross::check_macos(),
        ["gate"] => gate::run(),
        ["order"] => order::run(),
        ["picture"] => picture::run(),
        ["reference"] => reference::run(),
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
