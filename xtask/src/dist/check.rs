//! `dist --check`: unpacks, runs, installs and removes the files, on as many systems as this machine can emulate.
//!
//! | files for | how they are tested |
//! |---|---|
//! | this system | directly; on Linux also in a root without other files |
//! | another processor | QEMU (`qemu-user-static`; in Debian 12 it lacks TCGETS2, so the demo has no terminal) |
//! | Windows | Wine (`wine64`) |
//! | Debian | lintian, then installed, used and removed in a bare Debian 11 (`mmdebstrap`); no file may remain |
//! | RPM | rpmlint, then installed, used and removed by rpm in an empty root; no file may remain |

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Architecture, Target, VERSION, deb, rpm, sums};
use crate::Problem;
use crate::cross::WINE;
use crate::released::{check_released_for, host};
use crate::scene::{check as check_output, root};

/// The oldest Debian release that is tested.
const SUITE: &str = "bullseye";
/// The timeout in seconds of a demo or similar command; some of the systems are emulated.
const LIMIT: &str = "600";

/// Errors of rpmlint that are intended: the C library is linked statically, packages are signed only when published,
/// and Debian's rpmlint does not know current names of licences.
const ACCEPTED: &str =
    "addFilter('statically-linked-binary')\naddFilter('no-signature')\naddFilter('invalid-license')\n";

/// Directories of other packages, which are not removed even when empty.
const SHARED: [&str; 7] = [
    "usr/bin",
    "usr/share/bash-completion/completions",
    "usr/share/doc",
    "usr/share/fish/vendor_completions.d",
    "usr/share/licenses",
    "usr/share/man/man1",
    "usr/share/zsh/site-functions",
];

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
        check_here(&program)?;
        if target.triple.contains("linux") {
            check_alone(&program)?;
        }
    } else if target.is_windows() {
        check_under_wine(&program)?;
    } else if let Some(architecture) = target.packages.as_ref() {
        check_under_qemu(architecture, &program)?;
    } else {
        println!("skipped: {} runs only on its own system", target.archive());
    }
    if let Some(architecture) = &target.packages {
        check_deb(target, architecture, out)?;
        check_rpm(target, architecture, out)?;
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

/// Checks the version, then plays the demo.
fn check_here(program: &Path) -> Result<(), Problem> {
    check_version("here", Command::new(program).arg("--version"))?;
    let home = tempfile::tempdir()?;
    let mut demo = Command::new("timeout");
    demo.arg(LIMIT).arg(program).args(["sandbox", "demo"]).env("HOME", home.path());
    run("the demo here", &mut demo)
}

fn check_version(place: &str, command: &mut Command) -> Result<(), Problem> {
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

/// Returns whether `unshare` is allowed to do this here.
fn is_allowed(words: &[&str]) -> bool {
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
    // The sandbox runs the program again as a child, so the kernel must use QEMU for it too.
    if !Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success()) {
        println!(
            "skipped: the sandbox is not tried for {}, as the kernel does not call QEMU (binfmt_misc)",
            architecture.rpm
        );
        return Ok(());
    }
    let home = tempfile::tempdir()?;
    let mut command = Command::new("timeout");
    command.arg(LIMIT).arg(program).args([
        "sandbox",
        "run",
        "--",
        "sh",
        "-c",
        "\"$0\" exec security-auditor -- env",
    ]);
    command.arg(program).env("HOME", home.path()).stdin(Stdio::null());
    let printed = check_output(&command.output()?)?;
    if !printed.contains("AWS_SESSION_TOKEN=") {
        return Err("under QEMU, a command gets no credentials".into());
    }
    println!("under QEMU, a role of the sandbox is assumed: ok");
    Ok(())
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

fn check_deb(target: &Target, architecture: &Architecture, out: &Path) -> Result<(), Problem> {
    let package = out.join(deb::file_name(architecture));
    if is_there("lintian") {
        run("lintian", Command::new("lintian").args(["--fail-on", "error", "--allow-root"]).arg(&package))?;
    } else {
        println!("skipped: {} is not judged, as there is no lintian", package.display());
    }
    if target.triple != host()? {
        println!("skipped: {} is not installed, as it is for another processor", package.display());
        return Ok(());
    }
    if !is_there("mmdebstrap") || !is_allowed(&["--mount", "true"]) {
        println!(
            "skipped: {} is not installed, as there is no mmdebstrap or no right to mount",
            package.display()
        );
        return Ok(());
    }
    let place = tempfile::tempdir()?;
    let debian = place.path().join("debian");
    run(
        "a bare Debian",
        Command::new("mmdebstrap").args(["--quiet", "--variant=minbase", SUITE]).arg(&debian),
    )?;
    std::fs::copy(&package, debian.join("hatbox.deb"))?;
    let before = list(&debian)?;
    inside(&debian, "dpkg --install /hatbox.deb && dpkg --verify hatbox")?;
    inside(&debian, &format!("test \"$(hatbox --version)\" = 'hatbox {VERSION}'"))?;
    inside(&debian, &format!("timeout {LIMIT} hatbox sandbox demo"))?;
    inside(&debian, "dpkg --purge hatbox")?;
    check_nothing_left(&package, &before, &list(&debian)?)
}

/// Runs a line of shell in another root, with the mounts that programs expect.
fn inside(directory: &Path, line: &str) -> Result<(), Problem> {
    const ENTER: &str = "mount -t proc proc \"$0/proc\" && mount -t devpts devpts \"$0/dev/pts\" && \
        exec chroot \"$0\" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c \"$1\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER]).arg(directory).arg(line);
    run(line, &mut command)
}

fn check_rpm(target: &Target, architecture: &Architecture, out: &Path) -> Result<(), Problem> {
    let package = std::path::absolute(out.join(rpm::file_name(architecture)))?;
    let place = tempfile::tempdir()?;
    let installed = place.path().join("root");
    for shared in SHARED {
        std::fs::create_dir_all(installed.join(shared))?;
    }
    let rpm = |words: &[&str]| {
        let mut command = Command::new("rpm");
        command.arg("--root").arg(&installed).args(["--dbpath", "/var/lib/rpm"]).args(words);
        command
    };
    if is_there("rpmlint") {
        let accepted = place.path().join("accepted");
        std::fs::write(&accepted, ACCEPTED)?;
        run("rpmlint", Command::new("rpmlint").arg("--rpmlintrc").arg(&accepted).arg(&package))?;
    } else {
        println!("skipped: {} is not judged, as there is no rpmlint", package.display());
    }
    run("the digests of the package", rpm(&["--checksig", "--nosignature"]).arg(&package))?;
    let requires = check_output(&rpm(&["--query", "--requires", "--package"]).arg(&package).output()?)?;
    if let Some(line) = requires.lines().find(|line| !line.starts_with("rpmlib(")) {
        return Err(format!("{} requires {line}", package.display()).into());
    }
    if target.triple != host()? {
        println!("skipped: {} is not installed, as it is for another processor", package.display());
        return Ok(());
    }
    if !is_allowed(&["--mount", "true"]) {
        println!("skipped: {} is not installed, as there is no right to change the root", package.display());
        return Ok(());
    }
    run("rpm's database", &mut rpm(&["--initdb"]))?;
    let before = list(&installed)?;
    run("rpm --install", rpm(&["--install"]).arg(&package))?;
    check_version("installed by rpm", Command::new(installed.join("usr/bin/hatbox")).arg("--version"))?;
    run("rpm --verify", &mut rpm(&["--verify", "hatbox"]))?;
    run("rpm --erase", &mut rpm(&["--erase", "hatbox"]))?;
    check_nothing_left(&package, &before, &list(&installed)?)
}

/// Lists all paths in a directory, except those in which package managers keep their state.
fn list(directory: &Path) -> Result<BTreeSet<String>, Problem> {
    const BOOKS: [&str; 5] = ["./var/lib/dpkg/", "./var/lib/rpm", "./var/log/", "./var/cache/", "./proc/"];
    let printed = check_output(&Command::new("find").args([".", "-xdev"]).current_dir(directory).output()?)?;
    let paths = printed.lines().filter(|path| BOOKS.iter().all(|books| !path.starts_with(books)));
    Ok(paths.map(str::to_owned).collect())
}

fn check_nothing_left(
    package: &Path,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
) -> Result<(), Problem> {
    let left: Vec<&str> = after.difference(before).map(String::as_str).collect();
    if left.is_empty() {
        println!("{}: nothing is left after its removal", package.display());
        return Ok(());
    }
    Err(format!("{} leaves behind: {}", package.display(), left.join(", ")).into())
}

fn is_there(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Runs a command without input, and includes its output in the error if it fails.
fn run(what: &str, command: &mut Command) -> Result<(), Problem> {
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
    fn a_file_that_a_package_leaves_behind_is_reported() {
        let root = tempfile::tempdir().unwrap();
        let before = list(root.path()).unwrap();
        std::fs::create_dir_all(root.path().join("var/lib/dpkg")).unwrap();
        std::fs::write(root.path().join("var/lib/dpkg/status"), "").unwrap();
        std::fs::write(root.path().join("left"), "").unwrap();
        let after = list(root.path()).unwrap();
        let problem = check_nothing_left(Path::new("x.deb"), &before, &after).unwrap_err().to_string();
        assert!(problem.starts_with("x.deb leaves behind: ./left"), "{problem}");
    }

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
