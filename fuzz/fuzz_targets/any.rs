//! The source of every target; the name of the binary selects the function in crates/cli/src/fuzzing.rs.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hatbox_fuzz::fuzzing::run(env!("CARGO_BIN_NAME"), bytes));
