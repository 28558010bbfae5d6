//! What hatbox asks of a person, of a helper program, or of another process that is asking already.

pub(crate) mod helper;
pub(crate) mod passphrase;

pub(crate) mod confirm;
pub(crate) mod waiting;
