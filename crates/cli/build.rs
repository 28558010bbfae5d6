//! Packs the relative relocations of the Linux binary, where the C library can read them.
//!
//! A position-independent program of this size has some 15,000 of them, and the dynamic linker writes each at
//! every start: packed (DT_RELR) they cost a third of the time and fewer touched pages. glibc reads them from
//! 2.36 on, so a binary that is built on an older system, to run on older systems, is left as it is.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let is_native = std::env::var("TARGET").ok() == std::env::var("HOST").ok();
    if is_native && target("OS") == "linux" && target("ENV") == "gnu" && has_packed_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether `getconf` tells of glibc 2.36 or later: `glibc 2.36`.
fn has_packed_relocations() -> bool {
    let Ok(output) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.trim().trim_start_matches("glibc ").split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (2, 36),
        _ => false,
    }
}
