//! Runs a command with the credentials of each of several profiles, several at a time.
//!
//! Each worker takes the next task, obtains its credentials, starts the command and passes its output on as it arrives.
//! If the output cannot be written as fast, the command has to wait, which bounds the memory. The main thread counts,
//! shows the progress and takes signals: the first asks the commands to end, the second kills them.

mod batch;
mod lines;
mod progress;
mod report;
mod run;
mod spool;
mod worker;

pub(crate) use self::batch::{Batch, End, Ended, Form, OnFailure, Prepared, Task};
pub(crate) use self::run::run_each;
