//! `gate`: what `hatbox exec` costs before it starts the command, by count, so that no clock decides.
//!
//! | figure | counted by |
//! |---|---|
//! | instructions, the dynamic linker's included | callgrind, up to an execve that the kernel refuses |
//! | system calls | strace, from hatbox's start to the execve |
//! | resident memory, at its highest | GNU time |
//!
//! Fails first when the program is not as it is released.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Problem;
use crate::released::check_released;
use crate::scene::{Build, Scene, build};

const PROFILES: [usize; 2] = [1, 1000];

/// A figure and the most that it may be.
struct Figure {
    name: &'static str,
    tool: &'static str,
    limit: u64,
    count: fn(&Scene) -> Result<u64, Problem>,
}

const FIGURES: [Figure; 3] = [
    Figure { name: "instructions", tool: "valgrind", limit: 3_300_000, count: count_instructions },
    Figure { name: "system calls", tool: "strace", limit: 150, count: count_system_calls },
    // 6 MB. Over it, crates/cli/link-order.txt has most likely to be written anew (CONTRIBUTING.md).
    Figure { name: "resident memory, KiB", tool: "/usr/bin/time", limit: 5859, count: count_memory },
];

/// Counts all figures; an error when one is over its limit.
pub(crate) fn run() -> Result<(), Problem> {
    let program = build(Build::Release)?;
    check_released(&program)?;
    let scene = Scene::open(program)?;
    scene.set_profiles(1)?;
    if !scene.is_warm()? {
        println!("skipped: the kernel keyring is denied here, so there is no warm start to count");
        return Ok(());
    }
    let mut is_over = false;
    println!("| before the command starts | profiles | count | limit |");
    println!("|---|---|---|---|");
    for figure in &FIGURES {
        if !is_there(figure.tool) {
            println!("skipped: {} are not counted, as there is no {}", figure.name, figure.tool);
            continue;
        }
        for profiles in PROFILES {
            scene.set_profiles(profiles)?;
            let count = (figure.count)(&scene)?;
            println!("| {} | {profiles} | {count} | {} |", figure.name, figure.limit);
            is_over |= count > figure.limit;
        }
    }
    if is_over {
        Err("a figure is over its limit; of memory, `cargo run -p xtask -- order` may be all it needs".into())
    } else {
        Ok(())
    }
}

fn is_there(tool: &str) -> bool {
    Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// How functions are called in a report.
#[derive(Clone, Copy)]
pub(crate) enum Names {
    /// As in the source.
    Readable,
    /// As the linker knows them, each in full wherever it stands.
    Mangled,
}

fn count_instructions(scene: &Scene) -> Result<u64, Problem> {
    let text = load_callgrind(scene, Names::Readable)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals:").or(line.strip_prefix("summary:")));
    Ok(total.ok_or("callgrind reported no total")?.trim().parse()?)
}

/// callgrind's report of all that is done before a command starts.
///
/// callgrind writes nothing when its process is replaced, so the command is a file that the kernel refuses:
/// all is done that is done for a command, and the refusal is printed on top.
pub(crate) fn load_callgrind(scene: &Scene, names: Names) -> Result<String, Problem> {
    let refused = scene.report("refused");
    std::fs::write(&refused, "no program\n")?;
    std::fs::set_permissions(&refused, std::fs::Permissions::from_mode(0o755))?;
    let report = scene.report("callgrind.out");
    let to_report = format!("--callgrind-out-file={}", report.display());
    let mut flags = vec!["--tool=callgrind", "--trace-children=no", &to_report];
    match names {
        Names::Readable => {}
        Names::Mangled => flags.extend(["--demangle=no", "--compress-strings=no"]),
    }
    let output = scene.under("valgrind", &flags, &[&refused.to_string_lossy()]).output()?;
    if output.status.code() != Some(126) {
        return Err(format!(
            "valgrind ended with {}:\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    keep(&report)?;
    Ok(std::fs::read_to_string(&report)?)
}

/// Leaves the report where `callgrind_annotate` can be run on it.
fn keep(report: &Path) -> Result<(), Problem> {
    if let Some(directory) = std::env::var_os("XTASK_KEEP") {
        std::fs::copy(report, Path::new(&directory).join("callgrind.out"))?;
    }
    Ok(())
}

fn count_system_calls(scene: &Scene) -> Result<u64, Problem> {
    let report = scene.report("strace.out");
    let flags = ["-f", "-o", &report.to_string_lossy()];
    let output = scene.under("strace", &flags, &["/bin/true"]).output()?;
    if !output.status.success() {
        return Err(format!("strace ended with {}", output.status).into());
    }
    let text = std::fs::read_to_string(&report)?;
    // The first line is the execve of hatbox itself, the second execve that of the command.
    let before = text.lines().skip(1).position(|line| line.contains("execve("));
    Ok(u64::try_from(before.ok_or("strace saw no second execve")?)?)
}

fn count_memory(scene: &Scene) -> Result<u64, Problem> {
    let report = scene.report("time.out");
    let flags = ["-f", "%M", "-o", &report.to_string_lossy()];
    let output = scene.under("/usr/bin/time", &flags, &["/bin/true"]).output()?;
    if !output.status.success() {
        return Err(format!("time ended with {}", output.status).into());
    }
    Ok(std::fs::read_to_string(&report)?.trim().parse()?)
}
