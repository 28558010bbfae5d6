//! `cross`: hatbox for Windows, built and run under Wine, and for macOS, type-checked; on Debian and its relatives.
//!
//! The compiler is Debian's, with whose sources the standard library is built for the other system: no target of
//! rustup is needed. Of Windows's targets it is the one for Windows 7, as Wine lacks what later ones ask for.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Problem;
use crate::scene::{Build, Scene, build, root};

const WINDOWS: &str = "x86_64-win7-windows-gnu";
const MACOS: &str = "aarch64-apple-darwin";

/// What a program in the sandbox needs to know; tests/windows.rs gets it with `TEST_` in front.
const SANDBOX: [&str; 3] = ["AWS_ENDPOINT_URL", "HATBOX_SANDBOX", "NO_PROXY"];

const RUSTC: &str = "/usr/bin/rustc";
/// Where wine64 of Debian is: its command needs a package more.
pub(crate) const WINE: &str = "/usr/lib/wine/wine64";
/// The packages that are needed, and something that each has. (`/usr/bin/rustc` may be another one's.)
const NEEDS: [(&str, &str); 4] = [
    ("rustc-web", "/usr/share/doc/rustc-web"),
    ("rust-web-src", "/usr/share/doc/rust-web-src"),
    ("gcc-mingw-w64-x86-64-win32", "/usr/bin/x86_64-w64-mingw32-gcc"),
    ("wine64", WINE),
];

/// Installs what the others need.
pub(crate) fn set_up() -> Result<(), Problem> {
    let packages = missing();
    if packages.is_empty() {
        return Ok(());
    }
    let all = packages.join(" ");
    println!("installing {all}");
    let apt = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(words)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let install = [&["install", "-qq", "--yes", "--no-install-recommends"], packages.as_slice()].concat();
    if apt(&["update", "-qq"]) && apt(&install) && missing().is_empty() {
        return Ok(());
    }
    Err(format!("not installed: {all}; try: sudo apt-get install --no-install-recommends {all}").into())
}

fn missing() -> Vec<&'static str> {
    NEEDS.iter().filter(|(_, file)| !Path::new(file).exists()).map(|(package, _)| *package).collect()
}

/// Builds hatbox for Windows.
pub(crate) fn build_windows() -> Result<(), Problem> {
    run(cargo("build", WINDOWS)?.args(["--package", "hatbox"]).stdin(Stdio::null()))
}

/// Runs hatbox's own tests, and those of the program on Windows, under Wine; the sandbox is this system's.
pub(crate) fn test_under_wine() -> Result<(), Problem> {
    let test = |which: &[&str]| {
        let mut command = cargo("test", WINDOWS)?;
        command.args(["--package", "hatbox"]).args(which).stdin(Stdio::null());
        Ok::<_, Problem>(command)
    };
    run(&mut test(&["--bin", "hatbox", "--test", "windows", "--no-run"])?)?;
    run(&mut test(&["--bin", "hatbox"])?)?;
    let mut command = test(&["--test", "windows"])?;
    let scene = Scene::open(build(Build::Released)?)?;
    let (id, secret) = scene.user_key()?;
    let sandbox = scene.environment().iter().filter(|(name, _)| SANDBOX.contains(&name.as_str()));
    command.envs(sandbox.map(|(name, value)| (format!("TEST_{name}"), value)));
    command.env("TEST_AWS_ACCESS_KEY_ID", id).env("TEST_AWS_SECRET_ACCESS_KEY", secret);
    // Good for half a minute, and so the last thing that is asked for.
    command.env("TEST_MFA_CODE", scene.code()?);
    run(&mut command)
}

/// Runs hatbox under Wine.
pub(crate) fn run_under_wine(words: &[&str]) -> Result<(), Problem> {
    // It may ask for something.
    let mut command = cargo("run", WINDOWS)?;
    command.args(["--quiet", "--package", "hatbox", "--"]).args(words).stdin(Stdio::inherit());
    run(&mut command)
}

/// Type-checks hatbox for macOS.
pub(crate) fn check_macos() -> Result<(), Problem> {
    // The C of `ring` is neither compiled nor linked: that would need Apple's headers.
    let without_c = format!("target.{MACOS}.{}.rustc-link-lib=[]", links_of_ring()?);
    run(cargo("check", MACOS)?.args(["--package", "hatbox", "--config", &without_c]).stdin(Stdio::null()))
}

/// All of them, for a machine on which nobody waits for them.
pub(crate) fn run_all() -> Result<(), Problem> {
    if let Err(why) = set_up() {
        println!("skipped: other systems are not checked: {why}");
        return Ok(());
    }
    test_under_wine()?;
    check_macos()
}

/// cargo with Debian's compiler, for `target`. A warning is an error.
fn cargo(verb: &str, target: &str) -> Result<Command, Problem> {
    let missing = missing();
    if !missing.is_empty() {
        return Err(
            format!("not installed: {}; try: cargo run -p xtask -- cross setup", missing.join(", ")).into()
        );
    }
    let directory = directory()?;
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args([verb, "-Zbuild-std", "--target", target, "--profile", "cross"])
        .args(["-Zwarnings", "--config", "build.warnings=\"deny\""])
        .current_dir(root())
        .env("RUSTC", RUSTC)
        // Debian's compiler is a stable one, and the standard library is built with what is unstable.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", &directory)
        .env("CC_x86_64_win7_windows_gnu", "x86_64-w64-mingw32-gcc")
        .env("AR_x86_64_win7_windows_gnu", "x86_64-w64-mingw32-ar")
        .env("CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_RUNNER", WINE)
        .env("WINEPREFIX", directory.join("wine"))
        // No window, no debugger that waits for somebody, no offer to install Mono or Gecko.
        .env("WINEDEBUG", "-all")
        .env("WINEDLLOVERRIDES", "winedbg.exe=;mscoree=;mshtml=")
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("RUSTFLAGS");
    Ok(command)
}

fn directory() -> Result<PathBuf, Problem> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let directory = std::path::absolute(target)?.join("cross");
    std::fs::create_dir_all(&directory)?;
    Ok(directory.canonicalize()?)
}

/// The name by which the C part of `ring` is linked: it holds the version.
fn links_of_ring() -> Result<String, Problem> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock"))?;
    let version = version_of(&lock, "ring").ok_or("Cargo.lock names no `ring`")?;
    Ok(format!("ring_core_{}_", version.replace('.', "_")))
}

fn version_of<'t>(lock: &'t str, package: &str) -> Option<&'t str> {
    let rest = lock.split_once(&format!("\nname = \"{package}\"\nversion = \""))?.1;
    rest.split('"').next()
}

fn run(command: &mut Command) -> Result<(), Problem> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("cargo ended with {status}").into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_lock_file() {
        let lock = "[[package]]\nname = \"ring-x\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"ring\"\nversion = \"0.17.14\"\n";
        assert_eq!(version_of(lock, "ring"), Some("0.17.14"));
        assert_eq!(version_of(lock, "x"), None);
    }
}
