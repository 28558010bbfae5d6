//! `dist --check`: unpacks, runs, installs and removes the files, on as many systems as this machine can emulate.
//!
//! | files for | how they are tested |
//! |---|---|
//! | this system | directly; on Linux also in a root without other files, and in one with BusyBox alone |
//! | another processor | QEMU (`qemu-user-static`) |
//! | Windows | Wine (`wine64`) |
//! | Debian, RPM | `check_packages.rs` |

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::check_install::check_install_script;
use super::check_packages::{check_deb, check_rpm};
use super::{Architecture, Target, VERSION, sums};
use crate::Problem;
use crate::cross::WINE;
use crate::released::{Linking, check_released_for, host, linking};
use crate::scene::{check as check_output, root};

/// The timeout in seconds of a demo or similar command; some of the systems are emulated.
pub(super) const LIMIT: &str = "600";

/// Tests all files for `target` in `out`.
pub(super) fn check(target: &Target, out: &Path) -> Result<(), Problem> {
    run(
        "the sums",
        Command::new("sha256sum").args(["--check", "--strict", "--quiet", sums::NAME]).current_dir(out),
    )?;
    let unpacked = tempfile::tempdir()?;
    let program = unpack(target, &out.join(target.archive()), unpacked.path())?;
    check_released_for(target.triple, &program)?;
    if target.triple == host()? {
        check_version("here", Command::new(&program).arg("--version"))?;
        check_demo("here", &program)?;
        if target.triple.contains("linux") {
            check_alone(&program)?;
            check_with_busybox(&program)?;
            check_install_script(out)?;
        }
    } else if target.is_windows() {
        check_under_wine(&program)?;
    } else if let Some(architecture) = target.packages.as_ref() {
        check_under_qemu(architecture, &program)?;
    } else {
        println!("skipped: {} runs only on its own system", target.archive());
    }
    if let Some(architecture) = &target.packages {
        let runs = runs_here(&program);
        check_deb(architecture, runs, out)?;
        check_rpm(architecture, runs, out)?;
    }
    Ok(())
}

/// Unpacks the archive and returns the path of the program.
fn unpack(target: &Target, archive: &Path, directory: &Path) -> Result<PathBuf, Problem> {
    if target.is_windows() {
        zip::ZipArchive::new(std::fs::File::open(archive)?)?.extract(directory)?;
    } else {
        run("tar", Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(directory))?;
    }
    let top = directory.join(target.name());
    let names: BTreeSet<_> =
        std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<_, Problem>>()?;
    if names != BTreeSet::from([top.clone()]) {
        return Err(format!("{} holds more than its directory", archive.display()).into());
    }
    Ok(top.join(target.program()))
}

/// Returns whether the kernel runs the program: it can call QEMU for one of another processor (binfmt_misc).
fn runs_here(program: &Path) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

fn check_demo(place: &str, program: &Path) -> Result<(), Problem> {
    let home = tempfile::tempdir()?;
    let mut demo = Command::new("timeout");
    demo.arg(LIMIT).arg(program).args(["sandbox", "demo"]).env("HOME", home.path());
    run(&format!("{place}, the demo"), &mut demo)
}

pub(super) fn check_version(place: &str, command: &mut Command) -> Result<(), Problem> {
    let printed = check_output(&command.stdin(Stdio::null()).output()?)?;
    if printed.trim() != format!("hatbox {VERSION}") {
        return Err(format!("{place}, the program says that it is `{}`", printed.trim()).into());
    }
    println!("{place}: {}", printed.trim());
    Ok(())
}

/// Runs the program in a root without any other file, such as libraries or a shell, like a `scratch` container. If that
/// works, it runs with any C library.
fn check_alone(program: &Path) -> Result<(), Problem> {
    let empty = tempfile::tempdir()?;
    std::fs::copy(program, empty.path().join("hatbox"))?;
    let mut command = Command::new("unshare");
    command.arg("--map-root-user").arg(format!("--root={}", empty.path().display()));
    command.args(["/hatbox", "--version"]);
    if !is_allowed(&["--map-root-user", "true"]) {
        println!("skipped: the program is not run alone, as there is no right to change the root");
        return Ok(());
    }
    check_version("without any other file", &mut command)
}

/// Plays the demo in a root with BusyBox alone, as on Alpine: without glibc, its files (/etc/nsswitch.conf, locales) or any
/// other library, and with BusyBox's shell. Devices are those that every container has.
fn check_with_busybox(program: &Path) -> Result<(), Problem> {
    const ENTER: &str = "cd \"$0\" && mount -t proc proc proc && mount -t tmpfs tmpfs dev && mkdir dev/pts && \
        mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts && ln -s pts/ptmx dev/ptmx && \
        for name in null tty; do >dev/$name && mount --bind /dev/$name dev/$name; done && \
        chroot . /bin/busybox --install -s /bin && \
        exec chroot . /bin/busybox env -i HOME=/root PATH=/bin timeout \"$1\" hatbox sandbox demo";
    let Some(busybox) = find_static("busybox") else {
        println!("skipped: the demo is not played beside BusyBox alone, as there is no busybox-static");
        return Ok(());
    };
    if !is_allowed(&["--mount", "true"]) {
        println!("skipped: the demo is not played beside BusyBox alone, as there is no right to mount");
        return Ok(());
    }
    let place = tempfile::tempdir()?;
    for directory in ["bin", "dev", "proc", "root", "tmp"] {
        std::fs::create_dir(place.path().join(directory))?;
    }
    let bin = place.path().join("bin");
    std::fs::copy(busybox, bin.join("busybox"))?;
    std::fs::copy(program, bin.join("hatbox"))?;
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER])
        .arg(place.path())
        .arg(LIMIT);
    run("with BusyBox alone, the demo", &mut command)
}

/// Returns a program on PATH that needs no library.
fn find_static(name: &str) -> Option<PathBuf> {
    let is_static = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap_or_default();
        linking(&bytes).is_some_and(|linking| linking != Linking::Dynamic)
    };
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(is_static)
}

/// Returns whether `unshare` is allowed to do this here.
pub(super) fn is_allowed(words: &[&str]) -> bool {
    Command::new("unshare").args(words).output().is_ok_and(|output| output.status.success())
}

fn check_under_qemu(architecture: &Architecture, program: &Path) -> Result<(), Problem> {
    let names = [format!("qemu-{}-static", architecture.rpm), format!("qemu-{}", architecture.rpm)];
    let Some(qemu) = names.iter().map(|name| Path::new("/usr/bin").join(name)).find(|path| path.exists())
    else {
        println!(
            "skipped: the program for {} is not run, as there is no {}",
            architecture.rpm,
            names.join(" or ")
        );
        return Ok(());
    };
    check_version("under QEMU", Command::new(qemu).arg(program).arg("--version"))?;
    // The demo runs the program again as a child.
    if !runs_here(program) {
        println!(
            "skipped: the demo is not played for {}, as the kernel does not call QEMU (binfmt_misc)",
            architecture.rpm
        );
        return Ok(());
    }
    check_demo("under QEMU", program)
}

/// Wine before 9 lacks a function that Rust's standard library uses, so a library with it is placed next to the
/// program.
fn check_under_wine(program: &Path) -> Result<(), Problem> {
    const COMPILER: &str = "x86_64-w64-mingw32-gcc";
    if !Path::new(WINE).exists() {
        println!("skipped: the program for Windows is not run, as there is no {WINE}");
        return Ok(());
    }
    let home = tempfile::tempdir()?;
    let library = program.with_file_name("bcryptprimitives.dll");
    let mut compile = Command::new(COMPILER);
    compile.args(["-shared", "-s", "-o"]).arg(&library).arg(root().join("xtask/src/process_prng.c"));
    run("a library for Wine", compile.arg("-ladvapi32"))?;
    let wine = |words: &[&str]| {
        let mut command = Command::new("timeout");
        command.arg(LIMIT).arg(WINE).arg(program).args(words);
        command.env("WINEPREFIX", home.path().join("wine")).env("HOME", home.path()).env("WINEDEBUG", "-all");
        command.env("WINEDLLOVERRIDES", "bcryptprimitives=n;winedbg.exe=;mscoree=;mshtml=");
        command
    };
    check_version("under Wine", &mut wine(&["--version"]))?;
    let printed = check_output(&wine(&["completions", "pwsh"]).stdin(Stdio::null()).output()?)?;
    if printed.contains("Register-ArgumentCompleter") {
        Ok(())
    } else {
        Err("no script for PowerShell".into())
    }
}

pub(super) fn is_there(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Runs a command without input, and includes its output in the error if it fails.
pub(super) fn run(what: &str, command: &mut Command) -> Result<(), Problem> {
    let output = command.stdin(Stdio::null()).output().map_err(|problem| format!("{what}: {problem}"))?;
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let said = String::from_utf8_lossy(&said);
    if !output.status.success() {
        return Err(format!("{what}: {}\n{said}", output.status).into());
    }
    println!("{what}: ok");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_another_version_is_reported() {
        let problem =
            check_version("here", Command::new("echo").arg("hatbox 9.9.9")).unwrap_err().to_string();
        assert_eq!(problem, "here, the program says that it is `hatbox 9.9.9`");
        check_version("here", Command::new("echo").arg(format!("hatbox {VERSION}"))).unwrap();
    }

    #[test]
    fn an_archive_with_more_than_its_directory_is_reported() {
        let target = &super::super::TARGETS[0];
        let made = tempfile::tempdir().unwrap();
        let archive = made.path().join("x.tar.gz");
        let mut tree = super::super::tree::Tree::default();
        tree.add("hatbox", super::super::tree::Kind::Program, "x");
        std::fs::write(&archive, tree.render_tar_gz("elsewhere", 0).unwrap()).unwrap();
        let unpacked = tempfile::tempdir().unwrap();
        let problem = unpack(target, &archive, unpacked.path()).unwrap_err().to_string();
        assert!(problem.ends_with("holds more than its directory"), "{problem}");
    }
}
