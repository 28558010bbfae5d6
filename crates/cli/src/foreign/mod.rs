//! Stores of other programs, as `hatbox import` reads them. Nothing here writes to one.

mod aws_vault;
mod jwe;

pub(crate) use aws_vault::{FoundKey, KeyFile, ReadError, key_files_in, read_key};
