//! `fuzz`: runs every target in fuzz/ for some time, starting from its corpus.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Problem;
use crate::scene::root;

const CARGO_FUZZ: &str = "0.13.1";

/// The default number of seconds per target.
pub(crate) const SECONDS: u64 = 60;

/// Runs all targets. Fails if a target finds a crash, which is then in fuzz/artifacts.
pub(crate) fn run(seconds: u64) -> Result<(), Problem> {
    if !succeeds(Command::new("cargo").args(["+nightly", "--version"])) {
        println!("skipped: fuzzing needs a nightly toolchain (`rustup toolchain install nightly`)");
        return Ok(());
    }
    let tools = root().join("target/tools");
    let cargo_fuzz = tools.join("bin/cargo-fuzz");
    if !succeeds(Command::new(&cargo_fuzz).arg("--version")) && !install(&tools)? {
        println!("skipped: cargo-fuzz {CARGO_FUZZ} could not be installed");
        return Ok(());
    }
    let fuzz = root().join("fuzz");
    let found = root().join("target/fuzz-corpus");
    let mut failed = Vec::new();
    for target in load_targets(&fuzz)? {
        println!("=== {target}");
        // New inputs go to the first directory, which keeps them separate from the seeds.
        let own = found.join(&target);
        std::fs::create_dir_all(&own)?;
        let status = Command::new(&cargo_fuzz)
            .current_dir(root())
            // cargo-fuzz calls `cargo` to build.
            .env("RUSTUP_TOOLCHAIN", "nightly")
            .env_remove("CARGO")
            .args(["fuzz", "run", "--fuzz-dir", "fuzz", &target])
            .args([own, fuzz.join("corpus").join(&target)])
            .args(["--", &format!("-max_total_time={seconds}"), "-timeout=10", "-rss_limit_mb=4096"])
            .status()?;
        if !status.success() {
            failed.push(target);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("fuzz targets failed: {}", failed.join(", ")).into()) }
}

fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn install(tools: &Path) -> Result<bool, Problem> {
    // A debug build is enough: cargo-fuzz only starts other programs.
    let install = ["install", "--quiet", "--locked", "--debug", "--root"];
    let mut command = Command::new("cargo");
    command.args(install).arg(tools).arg(format!("cargo-fuzz@{CARGO_FUZZ}"));
    Ok(command.env("CARGO_TARGET_DIR", tools.join("build")).status()?.success())
}

/// Returns the targets, named by their corpora; a test in crates/cli/src/fuzzing.rs checks that both are the same.
fn load_targets(fuzz: &Path) -> Result<Vec<String>, Problem> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(fuzz.join("corpus"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
