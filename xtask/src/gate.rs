//! `gate`: measures what `hatbox exec` costs before it starts the command. It counts, as times vary between runs.
//!
//! | figure | counted by |
//! |---|---|
//! | instructions, including the dynamic linker's | callgrind, up to an execve that the kernel rejects |
//! | system calls | strace, from hatbox's start to the execve |
//! | page faults, peak resident memory | GNU time |
//!
//! Each figure is measured for a role and for a role of Identity Center, with the same limit. Fails early if the
//! program is not a release build.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Problem;
use crate::released::check_released;
use crate::scene::{Build, Scene, build};

const PROFILES: [usize; 2] = [1, 1000];

/// A figure and its limits for each number of profiles, which are 10% above the counts.
struct Figure {
    name: &'static str,
    tool: &'static str,
    limits: [u64; PROFILES.len()],
    count: fn(&Scene) -> Result<u64, Problem>,
}

const FIGURES: [Figure; 4] = [
    Figure {
        name: "instructions",
        tool: "valgrind",
        limits: [1_022_000, 1_962_000],
        count: count_instructions,
    },
    Figure { name: "system calls", tool: "strace", limits: [79, 85], count: count_system_calls },
    Figure { name: "page faults", tool: "/usr/bin/time", limits: [171, 211], count: count_faults },
    Figure { name: "memory, KiB", tool: "/usr/bin/time", limits: [4_510, 4_510], count: count_memory },
];

/// The maximum size of the released program, in bytes.
const SIZE_LIMIT: u64 = 11_000_000;

/// Counts all figures. Fails if one is over its limit.
pub(crate) fn run() -> Result<(), Problem> {
    let program = build(Build::Released)?;
    check_released(&program)?;
    // Reads the whole file, so that it is in memory and the number of mapped pages does not depend on earlier runs.
    let size = std::fs::read(&program)?.len() as u64;
    println!("the program has {size} bytes, and may have {SIZE_LIMIT}");
    println!();
    let scene = Scene::open(program)?;
    scene.set_profiles(1)?;
    if !scene.is_warm()? {
        println!("skipped: the kernel keyring is denied here, so there is no warm start to count");
        return Ok(());
    }
    let mut is_over = size > SIZE_LIMIT;
    println!("| before the command starts | profiles | count | limit |");
    println!("|---|---|---|---|");
    for figure in &FIGURES {
        if !is_there(figure.tool) {
            println!("skipped: {} are not counted, as there is no {}", figure.name, figure.tool);
            continue;
        }
        for (profiles, limit) in PROFILES.into_iter().zip(figure.limits) {
            scene.set_profiles(profiles)?;
            let count = (figure.count)(&scene)?;
            println!("| {} | {profiles} | {count} | {limit} |", figure.name);
            is_over |= count > limit;
        }
    }
    scene.set_sso()?;
    for figure in FIGURES.iter().filter(|figure| is_there(figure.tool)) {
        let (count, limit) = ((figure.count)(&scene)?, figure.limits[0]);
        println!("| {}, SSO | 1 | {count} | {limit} |", figure.name);
        is_over |= count > limit;
    }
    if is_over { Err("a figure is over its limit".into()) } else { Ok(()) }
}

fn is_there(tool: &str) -> bool {
    Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn count_instructions(scene: &Scene) -> Result<u64, Problem> {
    let text = load_callgrind(scene)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals:").or(line.strip_prefix("summary:")));
    Ok(total.ok_or("callgrind reported no total")?.trim().parse()?)
}

/// Returns callgrind's report of everything that happens before a command starts.
///
/// callgrind writes no report if its process is replaced, so the command is a file that the kernel rejects. The count
/// therefore includes everything up to the command's start, plus printing the error.
fn load_callgrind(scene: &Scene) -> Result<String, Problem> {
    let refused = scene.report("refused");
    std::fs::write(&refused, "no program\n")?;
    std::fs::set_permissions(&refused, std::fs::Permissions::from_mode(0o755))?;
    let report = scene.report("callgrind.out");
    let to_report = format!("--callgrind-out-file={}", report.display());
    let flags = ["--tool=callgrind", "--trace-children=no", &to_report];
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

/// Copies the report to the directory in `XTASK_KEEP`, for use with `callgrind_annotate`.
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
    // The first line is the execve of hatbox itself, the next execve is that of the command.
    let before = text.lines().skip(1).position(|line| line.contains("execve("));
    Ok(u64::try_from(before.ok_or("strace saw no second execve")?)?)
}

/// How often to repeat counts of the kernel, which vary by a page or two with the load addresses.
const TRIES: usize = 5;

fn count_memory(scene: &Scene) -> Result<u64, Problem> {
    least(|| count_by_time(scene.under("/usr/bin/time", &["-f", "%M"], &["/bin/true"])))
}

/// Counts the page faults of hatbox alone, without those of the command and of starting it.
fn count_faults(scene: &Scene) -> Result<u64, Problem> {
    let both = least(|| count_by_time(scene.under("/usr/bin/time", &["-f", "%R"], &["/bin/true"])))?;
    let bare = || {
        let mut command = scene.bare("/usr/bin/time");
        command.args(["-f", "%R", "/bin/true"]);
        count_by_time(command)
    };
    Ok(both.saturating_sub(least(bare)?))
}

fn least(count: impl FnMut() -> Result<u64, Problem>) -> Result<u64, Problem> {
    let counts = std::iter::repeat_with(count).take(TRIES).collect::<Result<Vec<_>, _>>()?;
    Ok(counts.into_iter().min().unwrap_or_default())
}

/// Parses the last line, which GNU time prints.
fn count_by_time(mut command: Command) -> Result<u64, Problem> {
    let output = command.output()?;
    let printed = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("time ended with {}:\n{printed}", output.status).into());
    }
    Ok(printed.lines().last().unwrap_or_default().trim().parse()?)
}
