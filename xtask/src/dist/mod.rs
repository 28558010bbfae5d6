//! `dist`: builds the published files for a system from the released program: an archive, Debian and RPM packages for
//! Linux, and the digests of all files. docs/releasing.md describes its use.
//!
//! The same commit produces the same bytes in any directory: `--check-reproducible` builds a clone and compares.

mod check;
mod check_install;
mod check_packages;
mod contents;
mod deb;
mod licences;
mod reproducible;
mod rpm;
mod sums;
mod tree;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Problem;
use crate::released::{build_for, check_released_for, host};
use crate::scene::{check as check_output, root, target_directory};

/// The version of hatbox, which all crates share.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A system with a release.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The target triple of rustc.
    triple: &'static str,
    /// The maximum size of the archive in bytes: a twentieth above the measured one, if it is built here.
    limit: usize,
    /// The names of the processor in Debian and RPM, if packages are built.
    packages: Option<Architecture>,
}

/// The names of a processor.
#[derive(Debug, PartialEq, Eq)]
struct Architecture {
    debian: &'static str,
    rpm: &'static str,
}

static TARGETS: [Target; 5] = [
    Target {
        triple: "x86_64-unknown-linux-gnu",
        limit: 5_620_000,
        packages: Some(Architecture { debian: "amd64", rpm: "x86_64" }),
    },
    Target {
        triple: "aarch64-unknown-linux-gnu",
        limit: 6_520_000,
        packages: Some(Architecture { debian: "arm64", rpm: "aarch64" }),
    },
    Target { triple: "x86_64-pc-windows-gnu", limit: 4_980_000, packages: None },
    Target { triple: "aarch64-apple-darwin", limit: 7_000_000, packages: None },
    Target { triple: "x86_64-apple-darwin", limit: 7_000_000, packages: None },
];

impl Target {
    /// Returns the name of the archive's top directory, which is also that of the archive without its extension.
    fn name(&self) -> String {
        format!("hatbox-{VERSION}-{}", self.triple)
    }

    fn is_windows(&self) -> bool {
        self.triple.contains("windows")
    }

    fn archive(&self) -> String {
        format!("{}.{}", self.name(), if self.is_windows() { "zip" } else { "tar.gz" })
    }

    fn program(&self) -> &'static str {
        if self.is_windows() { "hatbox.exe" } else { "hatbox" }
    }

    /// Returns the names of all published files for the target.
    fn files(&self) -> Vec<String> {
        let mut files = vec![self.archive()];
        if let Some(architecture) = &self.packages {
            files.push(deb::file_name(architecture));
            files.push(rpm::file_name(architecture));
        }
        files
    }
}

/// The parsed arguments of `dist`.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    target: &'static Target,
    /// An existing program to use, such as one that has been signed since it was built.
    program: Option<PathBuf>,
    out: PathBuf,
    then: Vec<Then>,
}

/// What to do with the files once they are built.
#[derive(Debug, PartialEq, Eq)]
enum Then {
    /// Run, install and remove them.
    Check,
    /// Build them again in another directory, and compare.
    CheckReproducible,
}

/// Builds the files, and runs the requested checks.
pub(crate) fn run(words: &[&str]) -> Result<(), Problem> {
    let request = parse(words, &host()?)?;
    make(&request)?;
    for then in &request.then {
        match then {
            Then::Check => check::check(request.target, &request.out)?,
            Then::CheckReproducible => reproducible::check(&request)?,
        }
    }
    Ok(())
}

fn parse(words: &[&str], host: &str) -> Result<Request, Problem> {
    let mut triple = host;
    let mut out = target_directory().join("archives");
    let mut program = None;
    let mut then = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = |what: &str| words.next().copied().ok_or(format!("{word} needs {what}"));
        match *word {
            "--target" => triple = value("a target")?,
            "--out" => out = PathBuf::from(value("a directory")?),
            "--program" => program = Some(PathBuf::from(value("a file")?)),
            "--check" => then.push(Then::Check),
            "--check-reproducible" => then.push(Then::CheckReproducible),
            _ => return Err(format!("unknown option `{word}` of dist").into()),
        }
    }
    let names = || TARGETS.iter().map(|target| target.triple).collect::<Vec<_>>().join(", ");
    let target = TARGETS.iter().find(|target| target.triple == triple);
    let target = target.ok_or_else(|| format!("invalid target `{triple}`: expected one of {}", names()))?;
    Ok(Request { target, program, out, then })
}

fn make(request: &Request) -> Result<(), Problem> {
    let Request { target, out, .. } = request;
    let time = load_time()?;
    let program = match &request.program {
        Some(program) => {
            program.canonicalize().map_err(|problem| format!("{}: {problem}", program.display()))?
        }
        None => build_for(target.triple)?,
    };
    check_released_for(target.triple, &program)?;
    let contents = contents::load(target, &program, time)?;
    std::fs::create_dir_all(out)?;
    let tree = contents.archive(target);
    let bytes = if target.is_windows() {
        tree.render_zip(&target.name(), time)?
    } else {
        tree.render_tar_gz(&target.name(), time)?
    };
    std::fs::write(out.join(target.archive()), &bytes)?;
    println!("{} has {} bytes, and may have {}", target.archive(), bytes.len(), target.limit);
    if let Some(architecture) = &target.packages {
        deb::write(&contents, architecture, time, out)?;
        rpm::write(&contents, architecture, time, out)?;
    }
    sums::write_sums(out)?;
    println!("{} is written", out.join(sums::NAME).display());
    if bytes.len() > target.limit {
        return Err(format!("{} is over its limit: see xtask/src/dist/mod.rs", target.archive()).into());
    }
    Ok(())
}

/// Returns the timestamp of all files, in seconds since 1970: `SOURCE_DATE_EPOCH`, or the time of the commit.
pub(crate) fn load_time() -> Result<u64, Problem> {
    if let Ok(set) = std::env::var("SOURCE_DATE_EPOCH") {
        return set.parse().map_err(|_| {
            format!("invalid SOURCE_DATE_EPOCH `{set}`: expected seconds since 1970, such as `1800000000`")
                .into()
        });
    }
    let output = git(&root()).args(["log", "-1", "--format=%ct"]).output()?;
    let printed =
        check_output(&output).map_err(|_| "no commit to take the time from: set SOURCE_DATE_EPOCH")?;
    Ok(printed.trim().parse()?)
}

/// Renders the date of a timestamp for manual pages: 2026-12-31.
pub(crate) fn date(time: u64) -> Result<String, Problem> {
    Ok(jiff::Timestamp::from_second(i64::try_from(time)?)?.strftime("%Y-%m-%d").to_string())
}

fn git(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_a_request_or_an_error_that_names_the_word() {
        let host = "x86_64-unknown-linux-gnu";
        let request = parse(&["--target", "aarch64-apple-darwin", "--out", "x", "--check"], host).unwrap();
        assert_eq!(request.target.archive(), format!("hatbox-{VERSION}-aarch64-apple-darwin.tar.gz"));
        assert_eq!((request.out, request.then), (PathBuf::from("x"), vec![Then::Check]));
        assert_eq!(parse(&[], host).unwrap().target.triple, host);
        let problem = |words: &[&str]| parse(words, host).unwrap_err().to_string();
        assert_eq!(problem(&["--target"]), "--target needs a target");
        assert_eq!(problem(&["--chekc"]), "unknown option `--chekc` of dist");
        assert!(
            problem(&["--target", "x"]).starts_with("invalid target `x`: expected one of x86_64-unknown-")
        );
    }

    #[test]
    fn files_are_named_for_their_target() {
        let named = |triple| TARGETS.iter().find(|target| target.triple == triple).unwrap().files();
        let linux = [
            format!("hatbox-{VERSION}-x86_64-unknown-linux-gnu.tar.gz"),
            format!("hatbox_{VERSION}_amd64.deb"),
            format!("hatbox-{VERSION}-1.x86_64.rpm"),
        ];
        assert_eq!(named("x86_64-unknown-linux-gnu"), linux);
        assert_eq!(named("x86_64-pc-windows-gnu"), [format!("hatbox-{VERSION}-x86_64-pc-windows-gnu.zip")]);
    }
}
