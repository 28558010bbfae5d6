//! `bench stores`: times the backends, warm and cold, and a long list.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Problem;
use crate::bench::{median, milliseconds, time};
use crate::scene::{Build, Scene, build, check};

/// The variable with the address of the session bus.
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";
const STORED: usize = 1000;
const LIST_LIMIT: Duration = Duration::from_millis(30);
const COLD_LIMIT: Duration = Duration::from_millis(20);
/// Unlocks a keyring, waits until its service is on the bus, then executes its arguments.
const SESSION: &str = "printf %s x | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
gdbus wait --session --timeout 10 org.freedesktop.secrets && exec \"$0\" \"$@\"";

/// Without a session bus, starts itself again in a new session that has one, if possible.
pub(crate) fn run(runs: usize) -> Result<(), Problem> {
    if std::env::var_os(BUS).is_none() {
        let home = std::env::temp_dir().join(format!("hatbox-xtask-desktop-{}", std::process::id()));
        std::fs::create_dir_all(&home)?;
        let status = Command::new("dbus-run-session")
            .args(["--", "sh", "-c", SESSION])
            .arg(std::env::current_exe()?)
            .args(["bench", "stores", &runs.to_string()])
            .env("XDG_DATA_HOME", &home)
            .env("XDG_RUNTIME_DIR", &home)
            .status();
        std::fs::remove_dir_all(&home)?;
        return match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("the session ended with {status}").into()),
            Err(_) => {
                println!("skipped: there is no dbus-run-session");
                Ok(())
            }
        };
    }
    let scene = Scene::open(build(Build::Released)?)?;
    scene.set_profiles(1)?;
    if !scene.is_warm()? {
        println!("skipped: the kernel keyring is denied here, so there is no warm start to time");
        return Ok(());
    }
    println!("| | median of {runs} | limit |");
    println!("|---|---|---|");
    let file = time_exec(&scene, runs, &["--backend", "file"], Before::Nothing)?;
    println!("| exec, cached session, `file`, warm | {} | |", milliseconds(file));
    store_in_keyring(&scene)?;
    let keyring = ["--backend", "secret-service"];
    let warm = time_exec(&scene, runs, &keyring, Before::Nothing)?;
    println!("| exec, cached session, `secret-service`, warm | {} | |", milliseconds(warm));
    let cold = time_exec(&scene, runs, &keyring, Before::Lock)?.saturating_sub(warm);
    println!(
        "| exec, cached session, `secret-service`, cold, on top of warm | {} | {} |",
        milliseconds(cold),
        milliseconds(COLD_LIMIT)
    );
    let list = time_list(&scene, runs)?;
    println!("| list of {STORED} stored keys | {} | {} |", milliseconds(list), milliseconds(LIST_LIMIT));
    Ok(())
}

/// What happens before each run, outside the measured time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Lock,
}

fn time_exec(scene: &Scene, runs: usize, flags: &[&str], before: Before) -> Result<Duration, Problem> {
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        if before == Before::Lock {
            check(&on_bus(scene, &[flags, &["lock"]].concat()).output()?)?;
        }
        times.push(time(&mut on_bus(
            scene,
            &[flags, &["exec", crate::scene::PROFILE, "--", "/bin/true"]].concat(),
        ))?);
    }
    Ok(median(&mut times))
}

/// Returns a hatbox command that uses this session's bus.
fn on_bus(scene: &Scene, arguments: &[&str]) -> Command {
    let mut command = scene.hatbox(arguments);
    command.envs(std::env::var_os(BUS).map(|value| (BUS, value)));
    command
}

/// Stores the key that the sandbox minted in the keyring, and obtains a session with it.
fn store_in_keyring(scene: &Scene) -> Result<(), Problem> {
    let printed = check(&scene.hatbox(&["export", "-n", "jan-work"]).output()?)?;
    let mut add = on_bus(scene, &["--backend", "secret-service", "add", "--env", "--force", "jan-work"]);
    add.envs(printed.lines().filter_map(|line| line.split_once('=')));
    check(&add.output()?)?;
    let exec = ["--backend", "secret-service", "exec", crate::scene::PROFILE, "--", "true"];
    check(&on_bus(scene, &exec).output()?)?;
    Ok(())
}

fn time_list(scene: &Scene, runs: usize) -> Result<Duration, Problem> {
    for number in 0..STORED {
        let mut add = scene.hatbox(&["add", "--env", "--no-add-config", "--force", &format!("key-{number}")]);
        add.env("AWS_ACCESS_KEY_ID", format!("AKIA{number:016}"));
        add.env("AWS_SECRET_ACCESS_KEY", "0123456789abcdef0123456789abcdef01234567").stdin(Stdio::null());
        check(&add.output()?)?;
    }
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        times.push(time(&mut scene.hatbox(&["list"]))?);
    }
    Ok(median(&mut times))
}
