//! How the Linux binary is linked, so that it starts quickly.
//!
//! The functions that run before `hatbox exec` starts a command are put side by side: link-order.txt lists them,
//! and `cargo run -p xtask -- order` writes it. Elsewhere in the file they would have some 3 MB more of it mapped.
//!
//! The relative relocations are packed, where the C library can read them. A position-independent program of this
//! size has some 15,000 of them, and the dynamic linker writes each at every start: packed (DT_RELR) they cost a
//! third of the time and fewer touched pages. glibc reads them from 2.36 on, so a binary that is built on an older
//! system, to run on older systems, is left as it is.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=link-order.txt");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let target = |name: &str| variable(&format!("CARGO_CFG_TARGET_{name}"));
    let is_native = variable("TARGET") == variable("HOST");
    if !is_native || target("OS") != "linux" || target("ENV") != "gnu" {
        return;
    }
    if has_packed_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    let order = Path::new(&variable("CARGO_MANIFEST_DIR")).join("link-order.txt");
    if variable("PROFILE") == "release" && is_lld_used() && order.exists() {
        println!("cargo::rustc-link-arg-bins=-Wl,--symbol-ordering-file={}", order.display());
        // Each profile has names of its own, so some are always unknown.
        println!("cargo::rustc-link-arg-bins=-Wl,--no-warn-symbol-ordering");
    }
}

/// Whether rustc links by its own lld, as it does on x86-64 unless it is told to do otherwise.
fn is_lld_used() -> bool {
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64")
        && std::env::var_os("RUSTC_LINKER").is_none()
        && !flags.contains("link")
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
