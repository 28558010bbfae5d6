//! Checks that another directory produces the same bytes: builds a clone from scratch and compares the files.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Request, Target, git, load_time, sums};
use crate::Problem;
use crate::scene::{check as check_output, root};

/// Builds the requested files in a clone of the commit, and compares. An existing program is used in both builds.
pub(super) fn check(request: &Request) -> Result<(), Problem> {
    let changed = check_output(&git(&root()).args(["status", "--porcelain"]).output()?)?;
    if !changed.is_empty() {
        return Err(format!("a clone has only what is committed; commit or remove first:\n{changed}").into());
    }
    let elsewhere = tempfile::Builder::new().prefix("hatbox-another-directory-").tempdir()?;
    let clone = elsewhere.path().join("a/longer/path");
    let made = elsewhere.path().join("made");
    let from = root().canonicalize()?;
    check_output(&git(elsewhere.path()).args(["clone", "--quiet"]).arg(&from).arg(&clone).output()?)?;
    // Not this cargo: the clone determines its toolchain.
    let mut command = Command::new("cargo");
    command.current_dir(&clone).stdin(Stdio::null());
    command.args(["run", "--quiet", "--locked", "--package", "xtask", "--", "dist"]);
    command.args(["--target", request.target.triple]).arg("--out").arg(&made);
    if let Some(program) = &request.program {
        command.arg("--program").arg(std::path::absolute(program)?);
    }
    command.env("SOURCE_DATE_EPOCH", load_time()?.to_string()).env("CARGO_TARGET_DIR", clone.join("target"));
    if !command.status()?.success() {
        return Err("the clone was not built".into());
    }
    let differing = compare(request.target, &request.out, &made)?;
    if differing.is_empty() {
        println!("a clone in another directory makes the same bytes");
        return Ok(());
    }
    // Keep the files, so that the difference can be examined.
    let kept = elsewhere.keep();
    Err(format!("another directory makes other bytes of {}: see {}", differing.join(", "), kept.display())
        .into())
}

/// Returns the names of the files for `target` that differ between the directories.
fn compare(target: &Target, here: &Path, there: &Path) -> Result<Vec<String>, Problem> {
    let mut differing = Vec::new();
    for name in target.files() {
        let digest =
            |directory: &Path| Ok::<_, Problem>(sums::sha256(&std::fs::read(directory.join(&name))?));
        let (digest_here, digest_there) = (digest(here)?, digest(there)?);
        println!("{digest_here}  {name}");
        if digest_here != digest_there {
            differing.push(name);
        }
    }
    Ok(differing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_other_bytes_is_named_and_a_missing_one_is_an_error() {
        let target = &super::super::TARGETS[0];
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for name in target.files() {
            std::fs::write(here.path().join(&name), "x").unwrap();
            std::fs::write(there.path().join(&name), "x").unwrap();
        }
        assert!(compare(target, here.path(), there.path()).unwrap().is_empty());
        let last = target.files().pop().unwrap();
        std::fs::write(there.path().join(&last), "y").unwrap();
        assert_eq!(compare(target, here.path(), there.path()).unwrap(), [last.as_str()]);
        std::fs::remove_file(there.path().join(&last)).unwrap();
        assert!(compare(target, here.path(), there.path()).is_err());
    }
}
