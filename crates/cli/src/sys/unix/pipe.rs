//! Waiting for what another program writes into a pipe.

use std::io;
use std::process::ChildStdout;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Waits until there is something to read, or the pipe's end; tells whether there is.
pub(crate) fn wait_readable(pipe: &ChildStdout, wait: Duration) -> io::Result<bool> {
    let wait = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() };
    loop {
        match poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&wait)) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
