//! A pseudo-terminal with a program on it: reads the screen, types keys, and checks the terminal modes.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::run::{Run, wait};
use crate::screen::render_screen;

const LIMIT: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(5);
/// A marker that no program writes.
const MARK: &[u8] = b"\0the test was here\0";

const ROWS: u16 = 40;

struct Size {
    columns: u16,
    rows: u16,
}

/// A program on its own terminal.
pub(crate) struct Terminal {
    master: File,
    /// Kept open, as the modes cannot be read once the last user has closed the terminal.
    slave: Option<OwnedFd>,
    child: Child,
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
    columns: u16,
    modes_before: Termios,
}

impl Terminal {
    /// Starts `run` on a terminal with 80 columns.
    pub(crate) fn start(run: &Run) -> Self {
        Self::start_wide(run, 80)
    }

    /// Starts `run` on a terminal with `columns` columns, and all of its streams on it.
    pub(crate) fn start_wide(run: &Run, columns: u16) -> Self {
        Self::open(run, Size { columns, rows: ROWS }, true)
    }

    /// Starts `run` on a terminal with 80 columns and `rows` rows.
    pub(crate) fn start_low(run: &Run, rows: u16) -> Self {
        Self::open(run, Size { columns: 80, rows }, true)
    }

    /// Starts `run` with a controlling terminal, but with its standard streams elsewhere.
    pub(crate) fn start_with_streams_elsewhere(run: &Run) -> Self {
        Self::open(run, Size { columns: 80, rows: ROWS }, false)
    }

    fn open(run: &Run, Size { columns, rows }: Size, has_streams: bool) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let open_slave = || {
            let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
            rustix::fs::open(&*name, flags, rustix::fs::Mode::empty()).unwrap()
        };
        let slave = open_slave();
        tcsetwinsize(&slave, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let modes_before = tcgetattr(&slave).unwrap();
        let mut command = run.command();
        let stream = || if has_streams { Stdio::from(open_slave()) } else { Stdio::null() };
        command.stdin(stream()).stdout(stream()).stderr(stream());
        let child_side = open_slave();
        with_terminal(&mut command, child_side);
        let child = command.spawn().unwrap();
        drop(command);
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let reader = std::thread::spawn({
            let (mut master, bytes) = (File::from(master.try_clone().unwrap()), Arc::clone(&bytes));
            move || {
                let mut buffer = [0; 4096];
                // Reading from a closed terminal returns the error EIO.
                while let Ok(count @ 1..) = master.read(&mut buffer) {
                    bytes.lock().unwrap().extend_from_slice(&buffer[..count]);
                }
            }
        });
        let master = File::from(master);
        Self { master, slave: Some(slave), child, bytes, reader: Some(reader), columns, modes_before }
    }

    /// Returns everything written so far.
    pub(crate) fn transcript(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    /// Returns the current screen.
    pub(crate) fn screen(&self) -> Vec<String> {
        render_screen(&self.bytes.lock().unwrap(), usize::from(self.columns))
    }

    /// Waits until the last line of the screen starts with `text`.
    #[track_caller]
    pub(crate) fn wait_for_prompt(&self, text: &str) {
        self.wait_until(text, || self.screen().last().is_some_and(|line| line.starts_with(text.trim_end())));
    }

    /// Waits until `text` was written `times` times in total.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str, times: usize) {
        self.wait_until(text, || self.transcript().matches(text).count() >= times);
    }

    #[track_caller]
    fn wait_until(&self, what: &str, is_done: impl Fn() -> bool) {
        let start = Instant::now();
        while !is_done() {
            assert!(start.elapsed() < LIMIT, "no `{what}` on:\n{}", self.screen().join("\n"));
            std::thread::sleep(TICK);
        }
    }

    /// Presses Enter alone to take a question over from another terminal, once it is offered.
    pub(crate) fn take_over(&self) {
        self.wait_for("press Enter alone to answer here instead", 1);
        self.type_keys("\r");
    }

    /// Resizes the terminal, as when a user resizes the window.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(self.slave.as_ref().unwrap(), size).unwrap();
    }

    /// Types keys.
    pub(crate) fn type_keys(&self, keys: &str) {
        (&self.master).write_all(keys.as_bytes()).unwrap();
    }

    /// Sends the program a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Returns whether the modes are the same as before the start.
    pub(crate) fn has_modes_of_before(&self) -> bool {
        let now = tcgetattr(self.slave.as_ref().unwrap()).unwrap();
        let modes = |t: &Termios| {
            (t.input_modes, t.output_modes, t.control_modes, t.local_modes, format!("{:?}", t.special_codes))
        };
        modes(&now) == modes(&self.modes_before)
    }

    /// Waits until the program ends.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let what = format!("on a terminal: {:?}", self.screen());
        let status = wait(&mut self.child, &what);
        self.read_to_here();
        status
    }

    /// Waits until everything written so far has been read: writes a marker, waits for it, and removes it.
    fn read_to_here(&self) {
        let slave = self.slave.as_ref().unwrap();
        assert_eq!(rustix::io::write(slave, MARK).unwrap(), MARK.len());
        self.wait_until("mark", || {
            let mut bytes = self.bytes.lock().unwrap();
            let found = bytes.windows(MARK.len()).rposition(|window| window == MARK);
            if let Some(at) = found {
                bytes.drain(at..at + MARK.len());
            }
            found.is_some()
        });
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        drop(self.slave.take());
        if let Some(reader) = self.reader.take() {
            reader.join().ok();
        }
    }
}

/// Makes `terminal` the controlling terminal of a child.
#[expect(unsafe_code, reason = "what a child does between fork and exec is not checked by the compiler")]
fn with_terminal(command: &mut std::process::Command, terminal: OwnedFd) {
    // SAFETY: setsid(2) and ioctl(2) are single system calls, safe after fork, and touch no memory.
    unsafe {
        command.pre_exec(move || {
            rustix::process::setsid()?;
            rustix::process::ioctl_tiocsctty(&terminal)?;
            Ok(())
        });
    }
}
