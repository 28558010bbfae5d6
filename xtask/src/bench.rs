//! `bench`: times hatbox and programs that do less.
//!
//! | measured | compared with |
//! |---|---|
//! | `exec` with a cached session | the command alone, and a C program that only executes it |
//! | `list` | |
//! | completion of a profile, `prompt` | |
//! | `export --fresh` of a role, over loopback | a program that only makes the same call with the SDK |

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Problem;
use crate::released::{PROFILE as BUILD_PROFILE, WITHOUT_LOGS, host, link_flags, rust_flags};
use crate::scene::{Build, PROFILE, Scene, build, cargo, check, target_directory};

const PROFILES: [usize; 3] = [1, 1000, 10_000];
/// The maximum time that `exec` may add with one profile.
const ADDED_LIMIT: Duration = Duration::from_micros(1200);
/// The maximum ratio of `exec` with all profiles to `exec` with one, and the maximum time of `list` with all.
const GROWTH_LIMIT: f64 = 2.5;
const LIST_LIMIT: Duration = Duration::from_millis(15);
/// The number of profiles for completion, and the maximum times of a completion and of the prompt segment.
const COMPLETED: usize = 2000;
const COMPLETION_LIMIT: Duration = Duration::from_millis(10);
const PROMPT_LIMIT: Duration = Duration::from_millis(3);
/// The maximum ratio of a role without a cached session to the SDK call alone.
const COLD_LIMIT: f64 = 1.15;

/// Runs all commands in turn, `runs` times, so that they are subject to the same noise.
pub(crate) fn run(runs: usize) -> Result<(), Problem> {
    let scene = Scene::open(build(Build::Released)?)?;
    let exec_only = build_exec_only(&scene)?;
    println!("medians of {runs} runs each, by turns; the command is `true`");
    println!();
    println!(
        "| profiles | bare | exec-only adds | `hatbox exec` adds | hatbox / bare | hatbox / exec-only |"
    );
    println!("|---|---|---|---|---|---|");
    let mut of_one = None;
    let mut growth = 1.0;
    for profiles in PROFILES {
        scene.set_profiles(profiles)?;
        if !scene.is_warm()? {
            println!("skipped: the kernel keyring is denied here, so there is no warm start to time");
            return Ok(());
        }
        let mut least = scene.bare(&exec_only);
        least.arg("/bin/true");
        let commands = [scene.bare("/bin/true"), least, scene.exec(&["/bin/true"])];
        let [bare, least, hatbox] = medians(runs, commands)?;
        println!(
            "| {profiles} | {} | {} | {} | {:.2} | {:.2} |",
            milliseconds(bare),
            milliseconds(least.saturating_sub(bare)),
            milliseconds(hatbox.saturating_sub(bare)),
            ratio(hatbox, bare),
            ratio(hatbox, least),
        );
        growth = ratio(hatbox, *of_one.get_or_insert(hatbox));
    }
    let [list] = medians(runs.div_ceil(4), [scene.hatbox(&["list"])])?;
    println!();
    println!("| | measured | aim |");
    println!("|---|---|---|");
    println!("| what `exec` adds at one profile | (above) | {} |", milliseconds(ADDED_LIMIT));
    println!("| `exec` at {} profiles / at one | {growth:.2} | {GROWTH_LIMIT} |", PROFILES[2]);
    println!(
        "| `list` of {} profiles | {} | {} |",
        PROFILES[2],
        milliseconds(list),
        milliseconds(LIST_LIMIT)
    );
    scene.set_profiles(COMPLETED)?;
    let completion = scene.hatbox(&["--complete", "zsh", "hatbox", "hatbox", "exec", ""]);
    let mut prompt = scene.hatbox(&["prompt"]);
    prompt.env("HATBOX", PROFILE).env("AWS_CREDENTIAL_EXPIRATION", "2100-01-01T00:00:00Z");
    let [completion, prompt] = medians(runs.div_ceil(4), [completion, prompt])?;
    println!(
        "| completion of {COMPLETED} profiles | {} | {} |",
        milliseconds(completion),
        milliseconds(COMPLETION_LIMIT)
    );
    println!("| `prompt` | {} | {} |", milliseconds(prompt), milliseconds(PROMPT_LIMIT));
    scene.set_profiles(1)?;
    let [call, cold] = medians(runs, [sdk_call(&scene)?, scene.hatbox(&["export", "--fresh", PROFILE])])?;
    println!("| AssumeRole by the SDK, nothing else | {} | |", milliseconds(call));
    println!("| the same by `export --fresh` | {} | |", milliseconds(cold));
    println!("| of these, the second / the first | {:.2} | {COLD_LIMIT} |", ratio(cold, call));
    Ok(())
}

/// Compiles the C program and returns its path.
fn build_exec_only(scene: &Scene) -> Result<PathBuf, Problem> {
    let (source, program) = (scene.report("exec_only.c"), scene.report("exec_only"));
    std::fs::write(&source, include_str!("exec_only.c"))?;
    check(&Command::new("cc").arg("-O2").arg("-o").args([&program, &source]).output()?)?;
    Ok(program)
}

/// Builds the program that makes the SDK call, with the same flags as hatbox, and returns its command.
fn sdk_call(scene: &Scene) -> Result<Command, Problem> {
    let target = host()?;
    let mut build = cargo();
    build.env("CARGO_ENCODED_RUSTFLAGS", rust_flags(&target)?);
    build.args(["rustc", "--quiet", "--package", "xtask", "--bin", "sdk-call"]);
    build.args(["--features", "sdk", "--features", WITHOUT_LOGS]);
    build.args(["--profile", BUILD_PROFILE, "--target", &target, "--"]).args(link_flags(&target)?);
    if !build.status()?.success() {
        return Err("sdk-call was not built".into());
    }
    let program: &Path = &target_directory().join(&target).join(BUILD_PROFILE).join("sdk-call");
    let (id, secret) = scene.user_key()?;
    let endpoint = scene.environment().iter().find(|(name, _)| name == "AWS_ENDPOINT_URL");
    let (_, endpoint) = endpoint.ok_or("the sandbox has no AWS_ENDPOINT_URL")?;
    let mut command = scene.bare(program);
    command.arg(endpoint).arg(format!("arn:aws:iam::444455556666:role/{PROFILE}"));
    command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
    Ok(command)
}

/// Runs the commands in turn and returns the median time of each.
fn medians<const N: usize>(runs: usize, mut commands: [Command; N]) -> Result<[Duration; N], Problem> {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..runs {
        for (times, command) in times.iter_mut().zip(&mut commands) {
            times.push(time(command)?);
        }
    }
    Ok(times.map(|mut times| median(&mut times)))
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

pub(crate) fn time(command: &mut Command) -> Result<Duration, Problem> {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let taken = start.elapsed();
    if status.success() { Ok(taken) } else { Err(format!("the command ended with {status}").into()) }
}

pub(crate) fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}
