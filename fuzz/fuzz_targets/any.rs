//! Every target: which one is the name of the program. The functions are in crates/cli/src/fuzzing.rs.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hatbox_fuzz::fuzzing::run(env!("CARGO_BIN_NAME"), bytes));
