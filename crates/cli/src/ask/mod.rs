//! Asks the user or a helper program, and waits for another process that is already asking.

pub(crate) mod helper;
pub(crate) mod passphrase;

pub(crate) mod confirm;
pub(crate) mod waiting;
