//! Runs the real binary in a separate home against the sandbox: `cargo test --features test-clock`.
//!
//! Every test has its own directories and its own server, and needs no network, keychain or user. Tests that need a
//! missing program print `skipped: ...`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "clippy knows test functions, but not what only they call"
)]
#![expect(clippy::format_push_string, reason = "what is allocated does not matter here, what is read does")]

mod canary;
mod cast;
mod desktop;
mod fixture;
mod run;
mod screen;
mod served;
mod shells;
mod store_scene;
mod strace;
mod stub;
mod terminal;

#[cfg(feature = "iam")]
mod add_check;
mod answers;
mod asking_programs;
mod attack;
mod audit;
mod calls;
mod cases_b;
mod cases_c;
mod completion;
mod config_file;
mod connections;
mod console;
mod console_browser;
mod containers;
mod credential_process;
mod disk_faults;
mod doctor;
mod drop_in;
mod each;
mod each_asks;
mod each_signals;
mod endpoints;
mod exec;
mod exec_terminal;
mod expiry;
mod export;
#[cfg(feature = "trust")]
mod formats;
#[cfg(feature = "trust")]
mod formats_items;
#[cfg(feature = "trust")]
mod formats_made;
mod fresh;
mod guard;
mod guard_exits;
mod hat;
mod imds;
mod import;
mod import_credentials;
mod import_stores;
mod keyring;
mod keys;
mod kill;
mod leaks;
mod login_asks;
mod login_session;
mod login_shown;
mod login_sign_in;
mod metadata;
mod mfa_devices;
mod mfa_process;
mod mfa_programs;
#[cfg(feature = "iam")]
mod mfa_register;
mod narrow;
mod nested;
mod passphrase;
mod picker;
mod plain_keys;
mod planted;
mod profile;
mod profile_first;
mod program_backends;
mod project;
mod prompts;
mod refusals;
#[cfg(feature = "trust")]
mod require_mfa;
#[cfg(feature = "iam")]
mod rotate;
#[cfg(feature = "iam")]
mod rotate_interrupted;
#[cfg(feature = "iam")]
mod rotate_meanwhile;
#[cfg(feature = "sandbox")]
mod sandbox_up;
mod secret_service;
mod serve;
mod server;
mod server_attacks;
mod server_renewal;
mod server_waits;
mod silent_services;
mod single_flight;
#[cfg(feature = "trust")]
mod snapshot;
mod sso;
mod sso_cache;
mod sso_populate;
mod sso_shown;
mod sso_sign_out;
mod sso_vanity;
mod sso_ways;
mod starts;
mod store_faults;
mod store_trust;
mod test_clock;
mod unanswered;
mod used_codes;
mod web_identity;
mod why;
#[cfg(feature = "trust")]
mod why_asks;
mod wraps;
