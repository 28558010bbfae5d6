//! `bench`: the time that `hatbox exec` adds to a command, with a cached session.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Problem;
use crate::scene::{Build, Scene, build};

/// Number of profiles in the config, and what `exec` may add at most.
const ROWS: [(usize, Duration); 2] = [(1, Duration::from_micros(1500)), (1000, Duration::from_micros(2500))];

/// Times `runs` pairs, bare and under hatbox by turns, so that both meet the same noise.
pub(crate) fn run(kind: Build, runs: usize) -> Result<(), Problem> {
    let scene = Scene::open(build(kind)?)?;
    println!("median of {runs} runs each, by turns; the child is `true`");
    println!();
    println!("| profiles | bare | under `hatbox exec` | added | times | limit |");
    println!("|---|---|---|---|---|---|");
    for (profiles, limit) in ROWS {
        scene.set_profiles(profiles)?;
        if !scene.is_warm()? {
            println!("skipped: the kernel keyring is denied here, so there is no warm start to time");
            return Ok(());
        }
        let (mut bare, mut under) = (Vec::with_capacity(runs), Vec::with_capacity(runs));
        for _ in 0..runs {
            bare.push(time(&mut scene.bare("/bin/true"))?);
            under.push(time(&mut scene.exec(&["/bin/true"]))?);
        }
        let (bare, under) = (median(&mut bare), median(&mut under));
        let added = under.saturating_sub(bare);
        println!(
            "| {profiles} | {} | {} | {} | {:.1} | {} |",
            milliseconds(bare),
            milliseconds(under),
            milliseconds(added),
            under.as_secs_f64() / bare.as_secs_f64(),
            milliseconds(limit)
        );
    }
    Ok(())
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
