//! The packages for `dist --check`: judged by the linters of their systems, then installed, used and removed. No file may
//! remain.
//!
//! | package | where |
//! |---|---|
//! | Debian | a bare Debian 11 (`mmdebstrap`), under QEMU for another processor |
//! | RPM | an empty root |

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::check::{LIMIT, check_version, is_allowed, is_there, run};
use super::{Architecture, VERSION, deb, rpm};
use crate::Problem;
use crate::scene::check as check_output;

/// The oldest Debian release that is tested.
const SUITE: &str = "bullseye";
/// Without its security updates, which Debian has removed for some processors.
const MIRROR: &str = "deb http://deb.debian.org/debian bullseye main";
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

/// Checks the package for Debian. `runs` is whether this machine runs its program.
pub(super) fn check_deb(architecture: &Architecture, runs: bool, out: &Path) -> Result<(), Problem> {
    let package = out.join(deb::file_name(architecture));
    if is_there("lintian") {
        run("lintian", Command::new("lintian").args(["--fail-on", "error", "--allow-root"]).arg(&package))?;
    } else {
        println!("skipped: {} is not judged, as there is no lintian", package.display());
    }
    if !runs {
        println!("skipped: {} is not installed, as its program does not run here", package.display());
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
    let mut bootstrap = Command::new("mmdebstrap");
    bootstrap.args(["--quiet", "--variant=minbase"]);
    bootstrap.arg(format!("--architectures={}", architecture.debian)).arg(SUITE).arg(&debian).arg(MIRROR);
    run(&format!("a bare Debian for {}", architecture.debian), &mut bootstrap)?;
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
        mount -t tmpfs tmpfs \"$0/dev/shm\" && \
        exec chroot \"$0\" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c \"$1\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER]).arg(directory).arg(line);
    run(line, &mut command)
}

/// Checks the package for RPM. `runs` is whether this machine runs its program.
pub(super) fn check_rpm(architecture: &Architecture, runs: bool, out: &Path) -> Result<(), Problem> {
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
    if !runs {
        println!("skipped: {} is not installed, as its program does not run here", package.display());
        return Ok(());
    }
    if !is_allowed(&["--mount", "true"]) {
        println!("skipped: {} is not installed, as there is no right to change the root", package.display());
        return Ok(());
    }
    run("rpm's database", &mut rpm(&["--initdb"]))?;
    let before = list(&installed)?;
    // The processor may be an emulated one.
    run("rpm --install", rpm(&["--install", "--ignorearch"]).arg(&package))?;
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
}
