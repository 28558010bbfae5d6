//! `order`: crates/cli/link-order.txt, the functions that run before `hatbox exec` starts a command.
//!
//! The linker puts them side by side (crates/cli/build.rs), so that a start touches a few runs of pages of the
//! program's file rather than pages all over it. callgrind says which they are. Their names hold hashes of the
//! crates' versions, features and profile: names that no longer exist are passed over by the linker, and the
//! gate's limit of resident memory tells when so many are that the file must be written anew.

use std::collections::BTreeSet;
use std::path::Path;

use crate::Problem;
use crate::gate::{Names, load_callgrind};
use crate::scene::{Build, Scene, build, root};

/// The numbers of profiles of which the starts are followed: with one, and with so many that the parser counts.
const PROFILES: [usize; 2] = [1, 1000];

/// Writes the file, for each profile that is shipped or measured.
pub(crate) fn run() -> Result<(), Problem> {
    let mut names = BTreeSet::new();
    for kind in [Build::Release, Build::Dist] {
        let program = build(Build::with_symbols(kind))?;
        let scene = Scene::open(program.clone())?;
        let before = names.len();
        for profiles in PROFILES {
            scene.set_profiles(profiles)?;
            if !scene.is_warm()? {
                return Err("the kernel keyring is denied here, so there is no warm start to follow".into());
            }
            names.extend(functions(&load_callgrind(&scene, Names::Mangled)?, &program));
        }
        println!("{}: {} functions that were not there", kind.profile(), names.len() - before);
    }
    let text: String = names.iter().map(|name| format!("{name}\n")).collect();
    std::fs::write(root().join("crates/cli/link-order.txt"), text)?;
    Ok(())
}

/// The program's own functions of a report: `fn=NAME` lines below the `ob=FILE` line of the program.
/// A function that was called again by itself is there a second time as `NAME'2`; what has no name is there by its
/// address, or in parentheses.
fn functions(report: &str, program: &Path) -> Vec<String> {
    let mut is_own = false;
    let mut found = Vec::new();
    for line in report.lines() {
        if let Some(file) = line.strip_prefix("ob=") {
            is_own = Path::new(file) == program;
        } else if let Some(name) = line.strip_prefix("fn=")
            && is_own
        {
            let name = name.split('\'').next().unwrap_or(name);
            if !name.starts_with("0x") && !name.starts_with('(') {
                found.push(name.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_other_files_are_left_out() {
        let report = "ob=/lib/libc.so.6\nfn=malloc\n1 2\nob=/x/hatbox\nfl=a.rs\nfn=_ZN1a\n3 4\nfn=_ZN1b'2\nfn=0x01\nfn=(below main)\n\
                      cob=/lib/libc.so.6\ncfn=free\ncalls=1 0\n";
        assert_eq!(functions(report, Path::new("/x/hatbox")), ["_ZN1a", "_ZN1b"]);
        assert!(functions(report, Path::new("/x/other")).is_empty());
    }
}
