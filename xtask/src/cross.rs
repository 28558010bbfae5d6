//! `cross`: builds hatbox for Windows and runs it under Wine, and type-checks it for macOS; on Debian-based systems.
//!
//! Uses Debian's compiler, and builds the standard library from its sources, so no rustup target is needed. The Windows
//! target is that of Windows 7, as Wine lacks functions that the newer ones require.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Problem;
use crate::scene::{Build, Scene, build, root};

const WINDOWS: &str = "x86_64-win7-windows-gnu";
const MACOS: &str = "aarch64-apple-darwin";

/// The variables that connect a program to the sandbox; tests/windows.rs gets them with the prefix `TEST_`.
const SANDBOX: [&str; 3] = ["AWS_ENDPOINT_URL", "HATBOX_SANDBOX", "NO_PROXY"];

const RUSTC: &str = "/usr/bin/rustc";
/// The path of Debian's wine64. The command on PATH is in another package.
pub(crate) const WINE: &str = "/usr/lib/wine/wine64";
/// The required packages, and a file of each. (`/usr/bin/rustc` may belong to another package.)
const NEEDS: [(&str, &str); 4] = [
    ("rustc-web", "/usr/share/doc/rustc-web"),
    ("rust-web-src", "/usr/share/doc/rust-web-src"),
    ("gcc-mingw-w64-x86-64-win32", "/usr/bin/x86_64-w64-mingw32-gcc"),
    ("wine64", WINE),
];

/// Installs the required packages.
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

/// Runs the unit tests and the Windows tests under Wine, against a sandbox on this system.
pub(crate) fn test_under_wine() -> Result<(), Problem> {
    let test = |which: &[&str]| {
        let mut command = cargo("test", WINDOWS)?;
        command.args(["--package", "hatbox"]).args(which).stdin(Stdio::null());
        Ok::<_, Problem>(command)
    };
    run(&mut test(&["--bin", "hatbox", "--test", "windows", "--no-run"])?)?;
    run(&mut test(&["--bin", "hatbox"])?)?;
    // Of programs that start at the same time, one sometimes hangs in Wine, before its first instruction.
    let mut command = test(&["--test", "windows", "--", "--test-threads=1"])?;
    let scene = Scene::open(build(Build::Released)?)?;
    let (id, secret) = scene.user_key()?;
    let sandbox = scene.environment().iter().filter(|(name, _)| SANDBOX.contains(&name.as_str()));
    command.envs(sandbox.map(|(name, value)| (format!("TEST_{name}"), value)));
    command.env("TEST_AWS_ACCESS_KEY_ID", id).env("TEST_AWS_SECRET_ACCESS_KEY", secret);
    // Requested last, as the code is current for 30 seconds at most.
    command.env("TEST_MFA_CODE", scene.code()?);
    run(&mut command)
}

/// Runs hatbox under Wine.
pub(crate) fn run_under_wine(words: &[&str]) -> Result<(), Problem> {
    // The command may prompt for input.
    let mut command = cargo("run", WINDOWS)?;
    command.args(["--quiet", "--package", "hatbox", "--"]).args(words).stdin(Stdio::inherit());
    run(&mut command)
}

/// Type-checks hatbox for macOS.
pub(crate) fn check_macos() -> Result<(), Problem> {
    // Skips the C code of `ring`: compiling and linking it would require Apple's headers.
    let without_c = format!("target.{MACOS}.{}.rustc-link-lib=[]", links_of_ring()?);
    run(cargo("check", MACOS)?.args(["--package", "hatbox", "--config", &without_c]).stdin(Stdio::null()))
}

/// Runs all checks without user interaction.
pub(crate) fn run_all() -> Result<(), Problem> {
    if let Err(why) = set_up() {
        println!("skipped: other systems are not checked: {why}");
        return Ok(());
    }
    test_under_wine()?;
    check_macos()
}

/// Returns a cargo command with Debian's compiler for `target`. Warnings are errors.
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
        // Building the standard library requires unstable features, and Debian's compiler is a stable one.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", &directory)
        .env("CC_x86_64_win7_windows_gnu", "x86_64-w64-mingw32-gcc")
        .env("AR_x86_64_win7_windows_gnu", "x86_64-w64-mingw32-ar")
        .env("CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_RUNNER", WINE)
        .env("WINEPREFIX", directory.join("wine"))
        // No window, no interactive debugger, no offer to install Mono or Gecko.
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

/// Returns the link name of `ring`'s C code, which contains the version.
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
