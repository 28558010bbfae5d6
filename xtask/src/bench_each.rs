//! `bench each`: the commands per second of `hatbox each`, compared with as many starts of `hatbox exec`.

use std::time::Duration;

use crate::Problem;
use crate::bench::{median, milliseconds, time};
use crate::scene::{Build, PROFILE, Scene, build};

const PROFILES: u16 = 200;
/// The minimum number of commands per second.
const LEAST: f64 = 150.0;

/// Runs both in turn, `runs` times.
pub(crate) fn run(runs: usize) -> Result<(), Problem> {
    let scene = Scene::open(build(Build::Released)?)?;
    scene.set_profiles(PROFILES.into())?;
    if !scene.is_warm()? {
        println!("skipped: the kernel keyring is denied here, so there is no warm start to time");
        return Ok(());
    }
    let (mut of_each, mut of_exec) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        of_each.push(time(&mut scene.hatbox(&["each", "other-*", PROFILE, "--", "/bin/true"]))?);
        let mut all = Duration::ZERO;
        for _ in 0..PROFILES {
            all += time(&mut scene.exec(&["/bin/true"]))?;
        }
        of_exec.push(all);
    }
    let (each, exec) = (median(&mut of_each), median(&mut of_exec));
    let rate = f64::from(PROFILES) / each.as_secs_f64();
    println!("medians of {runs} runs; the command is `true`, the sessions are cached");
    println!();
    println!("| | measured | aim |");
    println!("|---|---|---|");
    println!("| `each` with {PROFILES} profiles | {} | |", milliseconds(each));
    println!("| commands in a second | {rate:.0} | {LEAST:.0} |");
    println!("| `exec` {PROFILES} times, one after the other | {} | |", milliseconds(exec));
    println!("| of these, the last / the first | {:.2} | |", exec.as_secs_f64() / each.as_secs_f64());
    Ok(())
}
