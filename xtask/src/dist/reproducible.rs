//! Whether another directory makes the same bytes: a clone is built from nothing, and its files are compared.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Target, git, load_time, sums};
use crate::Problem;
use crate::scene::{check as check_output, root};

/// Builds a clone of the commit for `target`, and compares what it makes with what is in `out`.
pub(super) fn check(target: &Target, out: &Path) -> Result<(), Problem> {
    let changed = check_output(&git(&root()).args(["status", "--porcelain"]).output()?)?;
    if !changed.is_empty() {
        return Err(format!("a clone has only what is committed; commit or remove first:\n{changed}").into());
    }
    let elsewhere = tempfile::Builder::new().prefix("hatbox-another-directory-").tempdir()?;
    let clone = elsewhere.path().join("a/longer/path");
    let made = elsewhere.path().join("made");
    let from = root().canonicalize()?;
    check_output(&git(elsewhere.path()).args(["clone", "--quiet"]).arg(&from).arg(&clone).output()?)?;
    // Not this cargo: the toolchain is what the clone says.
    let mut command = Command::new("cargo");
    command.current_dir(&clone).stdin(Stdio::null());
    command.args(["run", "--quiet", "--locked", "--package", "xtask", "--", "dist"]);
    command.args(["--target", target.triple]).arg("--out").arg(&made);
    command.env("SOURCE_DATE_EPOCH", load_time()?.to_string()).env("CARGO_TARGET_DIR", clone.join("target"));
    if !command.status()?.success() {
        return Err("the clone was not built".into());
    }
    let mut differing = Vec::new();
    for name in target.files() {
        let digest =
            |directory: &Path| Ok::<_, Problem>(sums::sha256(&std::fs::read(directory.join(&name))?));
        let (here, there) = (digest(out)?, digest(&made)?);
        println!("{here}  {name}");
        if here != there {
            differing.push(name);
        }
    }
    if differing.is_empty() {
        println!("a clone in another directory makes the same bytes");
        return Ok(());
    }
    // They are left there for whoever looks for the difference.
    let kept = elsewhere.keep();
    Err(format!("another directory makes other bytes of {}: see {}", differing.join(", "), kept.display())
        .into())
}
