//! The order of the code in the released program for Linux: first what `exec` needs with a cached session, then what it
//! does not. The kernel maps 16 pages around each one that is touched, so without an order it maps nearly all of them.
//!
//! `gate` reports when this no longer helps: the page faults and the memory are over their limits. Then
//! `XTASK_KEEP=. cargo run -p xtask -- gate` keeps callgrind's list of the functions that ran. A module of [`APART`] that
//! has one of them is replaced by its submodules, or the function's module is added to [`NEEDED`].

use std::path::PathBuf;

use crate::Problem;
use crate::scene::target_directory;

/// Generic functions that every start needs, as patterns of section names: LLVM keeps one of several equal ones, which
/// is named after any type.
const SHARED: [&str; 9] = [
    ".text.*13drop_in_place*",
    ".text.*_5alloc7raw_vec*",
    ".text.*_5alloc3vec*7reserve*",
    ".text.*_5alloc3vec9into_iter*",
    ".text.*5btree4node*5Dying*",
    ".text.*9PartialEq2eq*",
    ".text.*3fmt5Write*",
    ".text._RNvM*_4core5slice[SA]*",
    ".text._RNvM*_4core6optionI*",
];

/// Modules that are needed although they are in one of [`APART`], or LLVM names their functions after one of those.
const NEEDED: [&str; 4] = [
    "hatbox::args::called",
    "hatbox::commands::exec",
    "hatbox_core::config::overrides",
    "hatbox_core::handover::env",
];

/// Crates, modules and functions that are not needed. Those that are missing here only take more memory.
const APART: [&str; 93] = [
    // This program.
    "hatbox::args",
    "hatbox::ask",
    "hatbox::aws",
    "hatbox::aws_vault",
    "hatbox::commands",
    "hatbox::credentials::base",
    "hatbox::credentials::choose",
    "hatbox::credentials::console",
    "hatbox::credentials::denial",
    "hatbox::credentials::login_sign_in",
    "hatbox::credentials::mfa",
    "hatbox::credentials::several",
    "hatbox::credentials::sso",
    "hatbox::credentials::step",
    "hatbox::files::chosen_profiles",
    "hatbox::files::login_cache",
    "hatbox::files::project",
    "hatbox::files::trust_sources",
    "hatbox::handover::each",
    "hatbox::iam",
    "hatbox::prompt",
    "hatbox::run",
    "hatbox::server",
    "hatbox::sign_in",
    "hatbox::store::command",
    "hatbox::store::file",
    "hatbox::store::item",
    "hatbox::store::item_text",
    "hatbox::store::pass",
    "hatbox::store::rotations",
    "hatbox::store::secret_service",
    "hatbox::sys::program",
    "hatbox::wait_line",
    "hatbox_core::doctor",
    "hatbox_core::login",
    "hatbox_core::plan::explain",
    "hatbox_core::populate",
    "hatbox_core::sso",
    "hatbox_iam",
    "hatbox_sandbox",
    // AWS's SDK, HTTP and TLS.
    "aws_runtime",
    "aws_sdk_iam",
    "aws_sdk_sts",
    "aws_sigv4",
    "aws_smithy_http",
    "aws_smithy_http_client",
    "aws_smithy_json",
    "aws_smithy_runtime",
    "aws_smithy_runtime_api",
    "aws_smithy_schema",
    "aws_smithy_types",
    "aws_smithy_xml",
    "h2",
    "http",
    "http_body_util",
    "hyper",
    "hyper_rustls",
    "hyper_util",
    "regex_lite",
    "rustls",
    "tokio",
    "tracing",
    "webpki",
    // The encrypted store, and keys of login sessions.
    "aes",
    "age",
    "age_core",
    "curve25519_dalek",
    "elliptic_curve",
    "fluent_bundle",
    "fluent_syntax",
    "num_bigint",
    "p256",
    // D-Bus.
    "async_io",
    "async_task",
    "futures_util",
    "secret_service",
    "zbus",
    "zvariant",
    "zvariant_utils",
    // The command line, dates and other text.
    "clap_builder",
    "jiff::fmt::strtime",
    "nucleo_matcher",
    "serde_json::value",
    // The standard library: backtraces, processes, sorting.
    "addr2line",
    "core::num::flt2dec",
    "core::slice::sort::stable",
    "core::slice::sort::unstable",
    "gimli",
    "miniz_oxide",
    "rustc_demangle",
    "std::backtrace_rs",
    "std::process",
    "std::sys::process",
];

/// Parts of the names of object files in the C library that are not needed: printing, name resolution, encodings.
const APART_OF_LIBC: [&str; 13] = [
    "dns-",
    "files-",
    "gconv",
    "getaddrinfo",
    "nscd",
    "nss_",
    "printf",
    "res_",
    "strtod",
    "strtof",
    "strtold",
    "wfile",
    "wgen",
];

/// Writes the linker's script and returns its path.
///
/// What is not needed comes behind the jumps to functions that the C library chooses by the processor (`.iplt`).
///
/// It also drops the tables for unwinding, a twelfth of the file: a panic ends the program. (force-unwind-tables=no only
/// stops rustc; LLVM still generates the tables because std has debug lines.)
pub(crate) fn write_script() -> Result<PathBuf, Problem> {
    let kept = NEEDED.iter().map(|path| format!(".text.*_{}*", mangled(path)));
    let first: Vec<_> = SHARED.iter().map(|&pattern| pattern.to_owned()).chain(kept).collect();
    let last: Vec<_> = APART.iter().flat_map(|path| patterns_of(path)).collect();
    let of_libc: String =
        APART_OF_LIBC.iter().map(|part| format!("    *libc.a:*{part}*(.text .text.*)\n")).collect();
    let script = format!(
        "SECTIONS {{\n  /DISCARD/ : {{ *(.eh_frame) *(.eh_frame_hdr) *(.gcc_except_table .gcc_except_table.*) }}\n}} \
         INSERT AFTER .text;\n\
         SECTIONS {{\n  .text.needed : {{\n    *({})\n  }}\n}} INSERT BEFORE .text;\n\
         SECTIONS {{\n  .text.apart : {{\n    *({})\n{of_libc}    *libring-*:*(.text .text.*)\n  }}\n}} \
         INSERT AFTER .iplt;\n",
        first.join("\n      "),
        last.join("\n      "),
    );
    std::fs::create_dir_all(target_directory())?;
    let path = target_directory().join("layout.ld");
    std::fs::write(&path, script)?;
    Ok(path.canonicalize()?)
}

/// Checks with the linker's map that each name still has code: a module may have been renamed.
pub(crate) fn check_map(map: &str) -> Result<(), Problem> {
    let sections: Vec<&str> = map.lines().filter(|line| line.contains(":(.text")).collect();
    let is_there = |part: &str| sections.iter().any(|line| line.contains(part));
    let missing = |path: &&&str| !is_there(&format!("_{}", mangled(path)));
    if let Some(path) = NEEDED.iter().chain(&APART).find(missing) {
        return Err(format!("no code of `{path}` in the program: see xtask/src/layout.rs").into());
    }
    let in_libc = |part: &str| sections.iter().any(|line| line.contains("libc.a(") && line.contains(part));
    match APART_OF_LIBC.iter().find(|part| !in_libc(part)) {
        Some(part) => {
            Err(format!("no file `*{part}*` of libc in the program: see xtask/src/layout.rs").into())
        }
        None => Ok(()),
    }
}

/// Returns the patterns of the sections of everything in `path`: a submodule's or function's name begins with its
/// length. After a crate, anything else means that a generic function of another crate was compiled there.
fn patterns_of(path: &str) -> Vec<String> {
    let inside = format!(".text.*_{}", mangled(path));
    let itself = path.contains("::").then(|| inside.clone());
    itself.into_iter().chain([format!("{inside}[0-9]*")]).collect()
}

/// Returns a path as in the names of symbols (RFC 2603): `6hatbox4args` for `hatbox::args`.
fn mangled(path: &str) -> String {
    path.split("::").map(|name| format!("{}{name}", name.len())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_names_of_sections() {
        assert_eq!(patterns_of("hatbox_iam"), [".text.*_10hatbox_iam[0-9]*"]);
        assert_eq!(patterns_of("hatbox::run"), [".text.*_6hatbox3run", ".text.*_6hatbox3run[0-9]*"]);
    }

    #[test]
    fn a_module_without_code_is_reported() {
        let line = |path: &str| format!("10 10 20 1 hatbox.o:(.text._RNvNtCs1_{}4name)\n", mangled(path));
        let paths: String = NEEDED.iter().chain(&APART).map(|path| line(path)).collect();
        let of_libc: String =
            APART_OF_LIBC.iter().map(|part| format!("10 10 20 1 libc.a(a{part}b.o):(.text)\n")).collect();
        check_map(&format!("{paths}{of_libc}")).unwrap();
        assert!(check_map(&of_libc).unwrap_err().to_string().contains("no code of `hatbox::args::called`"));
        assert!(check_map(&paths).unwrap_err().to_string().contains("no file `*dns-*` of libc"));
    }
}
