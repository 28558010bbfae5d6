//! How the Linux binary is linked, so that it starts quickly.
//!
//! The relative relocations are packed, where the C library can read them. A position-independent program of this
//! size has some 15,000 of them, and each start writes each of them: packed (DT_RELR) they cost a third of the time
//! and fewer touched pages. glibc reads them from 2.36 on, so a binary that is built on an older system, to run on
//! older systems, is left as it is.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let target = |name: &str| variable(&format!("CARGO_CFG_TARGET_{name}"));
    let is_native = variable("TARGET") == variable("HOST");
    if is_native && target("OS") == "linux" && target("ENV") == "gnu" && has_packed_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether `getconf` reports glibc 2.36 or later: `glibc 2.36`.
fn has_packed_relocations() -> bool {
    let Ok(output) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.trim().trim_start_matches("glibc ").split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (2, 36),
        _ => false,
    }
}
