//! The terminal device, `/dev/tty`, whatever stdin, stdout and stderr are.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, Once};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{QueueSelector, tcflush, tcgetwinsize};

use super::terminal_modes::{Modes, When, load_modes, set_modes};

/// The terminal of this process.
#[derive(Debug)]
pub(crate) struct Device {
    file: File,
    name: Option<String>,
    can_erase: bool,
}

/// Columns of the terminal on stdout; `None` if stdout is not a terminal.
pub(crate) fn stdout_columns() -> Option<usize> {
    columns_of(io::stdout())
}

/// Columns of the terminal on stderr; `None` if stderr is not a terminal.
pub(crate) fn stderr_columns() -> Option<usize> {
    columns_of(io::stderr())
}

/// Whether the terminal of this process is in line mode with echo, and lets background programs write. `true` without a
/// terminal, which no output can disturb.
pub(crate) fn is_in_usual_mode() -> bool {
    let Some(modes) = open_input().and_then(|terminal| load_modes(terminal).ok()) else { return true };
    let usual = libc::ICANON | libc::ECHO;
    modes.c_lflag & (usual | libc::TOSTOP) == usual
}

fn columns_of(terminal: impl AsFd) -> Option<usize> {
    tcgetwinsize(terminal).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

impl Device {
    /// Opens the terminal device, if there is one. `term` is the value of TERM.
    pub(crate) fn open(term: Option<&str>) -> Option<Self> {
        let file = open_input()?;
        // In some sandboxes, /dev/tty opens although there is no terminal.
        load_modes(&file).ok()?;
        // /dev/tty is only an alias; a standard stream may show the real name.
        let name = [io::stdin().as_fd(), io::stderr().as_fd(), io::stdout().as_fd()]
            .into_iter()
            .find_map(|fd| rustix::termios::ttyname(fd, Vec::new()).ok())
            .and_then(|name| name.into_string().ok());
        let can_erase = !matches!(term, None | Some("" | "dumb"));
        Some(Self { file, name, can_erase })
    }

    /// Its path, such as `/dev/pts/3`.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether it supports the sequences that move the cursor and erase (ECMA-48).
    pub(crate) fn can_erase(&self) -> bool {
        self.can_erase
    }

    /// Its width in columns; `None` if unknown.
    pub(crate) fn columns(&self) -> Option<usize> {
        columns_of(&self.file)
    }

    /// Its height in lines; `None` if unknown.
    pub(crate) fn rows(&self) -> Option<usize> {
        tcgetwinsize(&self.file).ok().map(|size| usize::from(size.ws_row)).filter(|rows| *rows > 0)
    }

    /// Prints UTF-8 text.
    pub(crate) fn write(&self, text: &[u8]) -> io::Result<()> {
        (&self.file).write_all(text)
    }

    /// Waits for input, and returns whether there is some.
    pub(crate) fn wait_for_input(&self, wait: Duration) -> io::Result<bool> {
        let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
        let timeout = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() };
        match poll(&mut fds, Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads typed input as UTF-8; 0 bytes if the terminal is gone.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.file).read(buffer)
    }

    /// Discards pending input.
    pub(crate) fn forget_input(&self) {
        tcflush(&self.file, QueueSelector::IFlush).ok();
    }

    /// Reads input byte by byte, without echo and with Ctrl-C as a byte, until the value is dropped. Discards pending
    /// input.
    pub(crate) fn set_raw(&self) -> io::Result<Raw<'_>> {
        let before = load_modes(&self.file)?;
        let mut modes = before;
        modes.c_lflag &= !(libc::ICANON | libc::ECHO | libc::ISIG | libc::IEXTEN);
        modes.c_iflag &= !(libc::IXON | libc::ISTRIP);
        modes.c_iflag |= libc::ICRNL;
        modes.c_cflag |= libc::CS8;
        set_modes(&self.file, When::Flush, &modes)?;
        restore_on_panic(&self.file, &before);
        Ok(Raw { device: &self.file, before })
    }
}

/// Opens the terminal as a program's stdin.
pub(crate) fn open_input() -> Option<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty").ok()
}

/// Opens the terminal as a program's stdout or stderr.
pub(crate) fn open_output() -> Option<File> {
    open_input()
}

/// The terminal in raw mode. Restores the modes on drop.
pub(crate) struct Raw<'a> {
    device: &'a File,
    before: Modes,
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        set_modes(self.device, When::Now, &self.before).ok();
        if let Ok(mut unusual) = UNUSUAL.lock() {
            *unusual = None;
        }
    }
}

/// The device in raw mode, and its modes before.
static UNUSUAL: Mutex<Option<(File, Modes)>> = Mutex::new(None);

/// The released program aborts on panic, which drops no values, so the panic hook restores the modes.
fn restore_on_panic(device: &File, before: &Modes) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if let Ok(mut unusual) = UNUSUAL.try_lock()
                && let Some((device, before)) = unusual.take()
            {
                set_modes(&device, When::Now, &before).ok();
            }
            usual(panic);
        }));
    });
    if let (Ok(mut unusual), Ok(device)) = (UNUSUAL.lock(), device.try_clone()) {
        *unusual = Some((device, *before));
    }
}
