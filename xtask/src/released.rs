//! The released program: how it is built so that it holds no path of the machine that built it, and whether it is so.

use std::path::{Path, PathBuf};

use crate::Problem;
use crate::scene::root;

/// What separates flags in CARGO_ENCODED_RUSTFLAGS.
const SEPARATOR: &str = "\u{1f}";

/// The flags that a release is compiled with, on top of those that are set already, for CARGO_ENCODED_RUSTFLAGS.
///
/// The paths of source files are in every panic's text: `/home/jan/.cargo/registry/src/...`. Cargo's own setting for
/// this (`trim-paths`) is not stable yet.
pub(crate) fn rust_flags() -> Result<String, Problem> {
    let set = std::env::var("CARGO_ENCODED_RUSTFLAGS").ok();
    let set =
        set.or_else(|| Some(std::env::var("RUSTFLAGS").ok()?.split(' ').collect::<Vec<_>>().join(SEPARATOR)));
    let mut flags: Vec<String> = set.into_iter().filter(|set| !set.is_empty()).collect();
    // Of several that fit the last one counts.
    for (directory, shown) in build_directories()? {
        flags.push(format!("--remap-path-prefix={}={shown}", directory.display()));
    }
    Ok(flags.join(SEPARATOR))
}

/// The directories whose names are nobody's business, and what stands for each; those within others last.
fn build_directories() -> Result<Vec<(PathBuf, &'static str)>, Problem> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let cargo =
        std::env::var_os("CARGO_HOME").map(PathBuf::from).or(home.as_ref().map(|home| home.join(".cargo")));
    let mut found: Vec<_> =
        home.into_iter().filter(|home| *home != Path::new("/")).map(|home| (home, "home")).collect();
    if let Some(cargo) = cargo {
        let sources = cargo.join("registry/src");
        found.push((cargo, "cargo"));
        for registry in std::fs::read_dir(sources).into_iter().flatten() {
            found.push((registry?.path(), "crates"));
        }
    }
    found.push((root().canonicalize()?, "hatbox"));
    Ok(found)
}

/// Checks that it is stripped and holds no path of this machine.
pub(crate) fn check_released(program: &Path) -> Result<(), Problem> {
    let bytes = std::fs::read(program)?;
    if has_symbols(&bytes) {
        return Err("the released program is not stripped: see `strip` in Cargo.toml".into());
    }
    let directories =
        build_directories()?.into_iter().map(|(directory, _)| directory.to_string_lossy().into_owned());
    let mut paths: Vec<String> =
        directories.map(|directory| format!("{}/", directory.trim_end_matches('/'))).collect();
    paths.push("registry/src".to_owned());
    match paths.iter().find(|path| count(&bytes, path.as_bytes()) > 0) {
        None => Ok(()),
        Some(path) => {
            let count = count(&bytes, path.as_bytes());
            Err(format!(
                "the released program holds the path `{path}` {count} times: see xtask/src/released.rs"
            )
            .into())
        }
    }
}

/// Whether an ELF file of 64 bits has a table of symbols (System V ABI, chapter 4): strip removes it.
fn has_symbols(elf: &[u8]) -> bool {
    const SYMBOLS: u64 = 2;
    let number = |at: usize, length: usize| {
        let bytes = elf.get(at..at.checked_add(length)?)?;
        Some(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    let size = |at, length| number(at, length).and_then(|number| usize::try_from(number).ok());
    let (Some(start), Some(entry), Some(sections)) = (size(0x28, 8), size(0x3a, 2), size(0x3c, 2)) else {
        return false;
    };
    (0..sections).any(|section| {
        let at = section.checked_mul(entry).and_then(|offset| offset.checked_add(start)?.checked_add(4));
        at.and_then(|at| number(at, 4)) == Some(SYMBOLS)
    })
}

fn count(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).filter(|window| *window == wanted).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test's own program is what a release must not be.
    #[test]
    fn a_program_with_symbols_and_paths_is_told() {
        let own = std::env::current_exe().unwrap();
        assert!(has_symbols(&std::fs::read(&own).unwrap()));
        assert!(check_released(&own).unwrap_err().to_string().contains("not stripped"));
        assert!(!has_symbols(b"") && !has_symbols(b"\x7fELF"));
        assert_eq!(count(b"a/b/a/b", b"a/b"), 2);
    }

    #[test]
    fn every_directory_of_the_build_is_replaced() {
        let flags = rust_flags().unwrap();
        let own = root().canonicalize().unwrap();
        assert!(flags.contains(&format!("--remap-path-prefix={}=hatbox", own.display())), "{flags}");
        assert!(flags.contains("/registry/src/"), "{flags}");
    }
}
