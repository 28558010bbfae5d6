//! The released program: how to build it so that it starts quickly and contains no path of the build machine, and
//! checks of the result.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Problem;
use crate::layout::{check_map, write_script};
use crate::scene::{cargo, check, root, target_directory};

/// The linkers for other systems, by Debian's names. The crates find the C compilers by themselves.
const LINKERS: [(&str, &str); 2] = [
    ("aarch64-unknown-linux-gnu", "aarch64-linux-gnu-gcc"),
    ("x86_64-pc-windows-gnu", "x86_64-w64-mingw32-gcc"),
];

/// The target for which rustc links a static program at a fixed address, unless the linker does otherwise.
const FIXED_BY_RUSTC: &str = "aarch64-unknown-linux-gnu";

/// Leaves out everything that the libraries log: hatbox has nothing that receives it.
pub(crate) const WITHOUT_LOGS: &str = "tracing/release_max_level_off";

/// The separator of flags in CARGO_ENCODED_RUSTFLAGS.
const SEPARATOR: &str = "\u{1f}";

/// Builds `target/released/hatbox`, and returns its path.
pub(crate) fn build_released() -> Result<PathBuf, Problem> {
    let built = build_for(&host()?)?;
    let released = target_directory().join("released");
    std::fs::create_dir_all(&released)?;
    let program = released.join("hatbox");
    // A running program can only be replaced, not overwritten.
    std::fs::remove_file(&program).ok();
    std::fs::copy(built, &program)?;
    Ok(program.canonicalize()?)
}

/// Builds the released program for `target`, and returns its path.
///
/// On Linux, the program is linked statically with the C library, as dynamic linking takes a third of a start; it then
/// runs with any C library on the system. docs/performance.md describes the cost. It remains position-independent.
pub(crate) fn build_for(target: &str) -> Result<PathBuf, Problem> {
    let mut command = cargo();
    command.env("CARGO_ENCODED_RUSTFLAGS", rust_flags(target)?);
    let variable = format!("CARGO_TARGET_{}_LINKER", target.replace('-', "_").to_uppercase());
    let linker = LINKERS.iter().find(|(linked, _)| *linked == target).map(|(_, linker)| *linker);
    let linker = if target == host()? { None } else { linker };
    if target == FIXED_BY_RUSTC {
        command.env(variable, root().join("xtask/src/static-pie.sh"));
        command.env("HATBOX_LINKER", linker.unwrap_or("cc"));
    } else if let Some(linker) = linker {
        command.env(variable, linker);
    }
    // With `--target`, the flags apply only to the program: build scripts and macros do not support all of them.
    command.args(["rustc", "--quiet", "--locked", "--package", "hatbox", "--bin", "hatbox"]);
    command.args(["--profile", PROFILE, "--target", target, "--features", WITHOUT_LOGS]);
    command.arg("--").args(link_flags(target)?);
    let map = target_directory().join("hatbox.map");
    if is_laid_out(target) {
        command.arg(format!("-Clink-arg=-Wl,-Map={}", std::path::absolute(&map)?.display()));
    }
    if !command.status()?.success() {
        return Err(format!("hatbox was not built for {target}").into());
    }
    // Without one, nothing was linked again: someone removed the map of the link that made the program.
    if is_laid_out(target) && map.exists() {
        check_map(&String::from_utf8_lossy(&std::fs::read(&map)?))?;
    }
    let name = if target.contains("windows") { "hatbox.exe" } else { "hatbox" };
    Ok(target_directory().join(target).join(PROFILE).join(name))
}

/// Returns whether rustc links with lld, which orders the code and folds identical functions.
fn is_laid_out(target: &str) -> bool {
    target == "x86_64-unknown-linux-gnu"
}

/// Returns the flags for the program's own crate. Where rustc links with lld, identical functions are folded: there are
/// many, one for each type. The addresses of two functions may then be equal, which Rust allows.
pub(crate) fn link_flags(target: &str) -> Result<Vec<String>, Problem> {
    let mut flags = Vec::new();
    if is_static(target) {
        flags.push("-Ctarget-feature=+crt-static".to_owned());
    }
    if is_laid_out(target) {
        flags.push("-Clink-arg=-Wl,--icf=all".to_owned());
        flags.push(format!("-Clink-arg=-Wl,--script={}", write_script()?.display()));
    }
    if target.ends_with("-windows-gnu") {
        // Otherwise, the linker writes the time into the header of the file.
        flags.push("-Clink-arg=-Wl,--no-insert-timestamp".to_owned());
    }
    Ok(flags)
}

/// The release profile in Cargo.toml.
pub(crate) const PROFILE: &str = "dist";

/// Returns the target of this machine.
pub(crate) fn host() -> Result<String, Problem> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = check(&Command::new(rustc).current_dir(root()).arg("-vV").output()?)?;
    let host = printed.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc names no host")?.to_owned())
}

/// Returns whether the program for `target` is linked statically with the C library.
pub(crate) fn is_static(target: &str) -> bool {
    target.ends_with("-linux-gnu")
}

/// Returns the compiler flags of a release for CARGO_ENCODED_RUSTFLAGS, including those that are already set.
///
/// Panic messages contain paths of source files, such as `/home/jan/.cargo/registry/src/...`. Cargo's own setting for
/// this (`trim-paths`) is still unstable.
pub(crate) fn rust_flags(target: &str) -> Result<String, Problem> {
    let set = std::env::var("CARGO_ENCODED_RUSTFLAGS").ok();
    let set =
        set.or_else(|| Some(std::env::var("RUSTFLAGS").ok()?.split(' ').collect::<Vec<_>>().join(SEPARATOR)));
    let mut flags: Vec<String> = set.into_iter().filter(|set| !set.is_empty()).collect();
    // A panic ends the program, so it never unwinds. Windows requires the tables anyway.
    if target.contains("linux") {
        flags.push("-Cforce-unwind-tables=no".to_owned());
        // The crate would look the function up by its name, which a static program has not, and then open /dev/random
        // and /dev/urandom instead: an empty root directory has neither. Linux has the call since 3.17.
        flags.push("--cfg=getrandom_backend=\"linux_getrandom\"".to_owned());
    }
    // Names that contain the types of generic functions, for xtask/src/layout.rs.
    if is_laid_out(target) {
        flags.push("-Csymbol-mangling-version=v0".to_owned());
    }
    // If several prefixes match, the last one applies.
    for (directory, shown) in build_directories()? {
        flags.push(format!("--remap-path-prefix={}={shown}", directory.display()));
    }
    Ok(flags.join(SEPARATOR))
}

/// Returns the directories that must not appear in the program and their replacements, nested directories last.
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

/// Checks that a program for this system is stripped, linked as intended, and contains no path of this machine.
pub(crate) fn check_released(program: &Path) -> Result<(), Problem> {
    check_released_for(&host()?, program)
}

/// Does the same as [`check_released`] for a program for `target`.
pub(crate) fn check_released_for(target: &str, program: &Path) -> Result<(), Problem> {
    let bytes = std::fs::read(program)?;
    if is_static(target) && linking(&bytes) != Some(Linking::StaticPie) {
        return Err("the released program is not linked as static-pie: see xtask/src/released.rs".into());
    }
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

/// How a 64-bit ELF file is loaded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Linking {
    /// At a fixed address, without other files.
    Static,
    /// At any address, without other files.
    StaticPie,
    /// By the dynamic linker.
    Dynamic,
}

/// Determines the linking. A program header of type PT_INTERP names the dynamic linker (System V ABI, chapters 4 and
/// 5).
pub(crate) fn linking(elf: &[u8]) -> Option<Linking> {
    const INTERPRETER: u64 = 3;
    const ANYWHERE: u64 = 3;
    if table(elf, 0x20, 0x36, 0).any(|kind| kind == INTERPRETER) {
        return Some(Linking::Dynamic);
    }
    let kind = number(elf, 0x10, 2)?;
    Some(if kind == ANYWHERE { Linking::StaticPie } else { Linking::Static })
}

/// Returns whether a 64-bit ELF file has a symbol table (System V ABI, chapter 4), which strip removes.
fn has_symbols(elf: &[u8]) -> bool {
    const SYMBOLS: u64 = 2;
    table(elf, 0x28, 0x3a, 4).any(|kind| kind == SYMBOLS)
}

/// Returns the 32-bit number at offset `field` of each header in a table. The offset of the table is stored at `start`,
/// the size of a header and their count at `size`.
fn table(elf: &[u8], start: usize, size: usize, field: usize) -> impl Iterator<Item = u64> {
    let elf = if elf.starts_with(b"\x7fELF") { elf } else { &[] };
    let read = |at, length| number(elf, at, length).and_then(|number| usize::try_from(number).ok());
    let start = read(start, 8).unwrap_or_default();
    let (entry, count) = (read(size, 2).unwrap_or_default(), read(size + 2, 2).unwrap_or_default());
    (0..count).filter_map(move |nth| {
        let at = nth.checked_mul(entry)?.checked_add(start)?.checked_add(field)?;
        number(elf, at, 4)
    })
}

/// Reads a little-endian number of `length` bytes.
fn number(elf: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = elf.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

fn count(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).filter(|window| *window == wanted).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test program itself has everything that a release must not have.
    #[test]
    fn a_program_with_symbols_and_paths_is_reported() {
        let own = std::env::current_exe().unwrap();
        let bytes = std::fs::read(&own).unwrap();
        assert!(has_symbols(&bytes));
        assert_eq!(linking(&bytes), Some(Linking::Dynamic));
        let problem = check_released(&own).unwrap_err().to_string();
        assert!(problem.contains("not stripped") || problem.contains("static-pie"), "{problem}");
        assert!(!has_symbols(b"") && !has_symbols(b"\x7fELF"));
        assert_eq!(linking(b"\x7fELF"), None);
        assert_eq!(count(b"a/b/a/b", b"a/b"), 2);
    }

    #[test]
    fn every_directory_of_the_build_is_replaced() {
        let flags = rust_flags("x86_64-unknown-linux-gnu").unwrap();
        let own = root().canonicalize().unwrap();
        assert!(flags.contains(&format!("--remap-path-prefix={}=hatbox", own.display())), "{flags}");
        assert!(flags.contains("/registry/src/"), "{flags}");
    }
}
