//! The console, whatever stdin, stdout and stderr are: `CONIN$` and `CONOUT$`.
#![expect(unsafe_code, reason = "std knows the console only by the standard streams")]

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::io::AsRawHandle;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{WAIT_OBJECT_0, WAIT_TIMEOUT};
use windows_sys::Win32::System::Console::{
    CONSOLE_MODE, CONSOLE_SCREEN_BUFFER_INFO, ENABLE_PROCESSED_INPUT, ENABLE_VIRTUAL_TERMINAL_INPUT,
    ENABLE_VIRTUAL_TERMINAL_PROCESSING, FlushConsoleInputBuffer, GetConsoleMode, GetConsoleScreenBufferInfo,
    GetConsoleWindow, GetNumberOfConsoleInputEvents, INPUT_RECORD, KEY_EVENT, ReadConsoleInputW,
    SetConsoleMode, WriteConsoleW,
};
use windows_sys::Win32::System::Threading::WaitForSingleObject;
use windows_sys::core::BOOL;

/// The console of this process.
///
/// Keys are read as input events, which are never echoed, whatever the console's modes.
#[derive(Debug)]
pub(crate) struct Device {
    input: File,
    output: File,
    name: Option<String>,
    can_erase: bool,
    typed: Mutex<Typing>,
    /// The first bytes of a character whose rest was not written yet.
    unfinished: Mutex<Vec<u8>>,
}

/// Typed input.
#[derive(Debug, Default)]
struct Typing {
    /// What was not read yet, in UTF-8.
    bytes: VecDeque<u8>,
    /// The first surrogate of a character with two UTF-16 units.
    half: Option<u16>,
}

/// A panic while the lock is held leaves no invalid state, as the values are independent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check(done: BOOL) -> io::Result<()> {
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn mode_of(console: &File) -> io::Result<CONSOLE_MODE> {
    let mut mode = 0;
    // SAFETY: the handle is open while `console` is borrowed, and `mode` outlives the call.
    check(unsafe { GetConsoleMode(console.as_raw_handle(), &raw mut mode) })?;
    Ok(mode)
}

fn set_mode(console: &File, mode: CONSOLE_MODE) -> io::Result<()> {
    // SAFETY: the handle is open while `console` is borrowed.
    check(unsafe { SetConsoleMode(console.as_raw_handle(), mode) })
}

/// Opens the terminal as a program's stdin.
pub(crate) fn open_input() -> Option<File> {
    OpenOptions::new().read(true).write(true).open("CONIN$").ok()
}

/// Opens the terminal as a program's stdout or stderr.
pub(crate) fn open_output() -> Option<File> {
    OpenOptions::new().read(true).write(true).open("CONOUT$").ok()
}

/// Never: other programs' modes of the console are not checked.
pub(crate) fn is_in_usual_mode() -> bool {
    false
}

pub(crate) fn stdout_columns() -> Option<usize> {
    None
}

/// Unknown, and not needed: the console wraps lines itself.
pub(crate) fn stderr_columns() -> Option<usize> {
    None
}

impl Device {
    /// Opens the console, if there is one. TERM has no meaning on Windows.
    pub(crate) fn open(_term: Option<&str>) -> Option<Self> {
        let (input, output) = (open_input()?, open_output()?);
        mode_of(&input).ok()?;
        let before = mode_of(&output).ok()?;
        let can_erase = set_mode(&output, before | ENABLE_VIRTUAL_TERMINAL_PROCESSING).is_ok();
        // SAFETY: the call takes no arguments, and the number is only compared and printed.
        let window = unsafe { GetConsoleWindow() };
        let name = (!window.is_null()).then(|| format!("console {:x}", window.addr()));
        Some(Self { input, output, name, can_erase, typed: Mutex::default(), unfinished: Mutex::default() })
    }

    /// Identifies the console: the number of its window.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether it supports the sequences that move the cursor and erase (ECMA-48).
    pub(crate) fn can_erase(&self) -> bool {
        self.can_erase
    }

    /// Its width in columns; `None` if unknown.
    pub(crate) fn columns(&self) -> Option<usize> {
        let mut about = CONSOLE_SCREEN_BUFFER_INFO::default();
        // SAFETY: the handle is open while `self` is borrowed, and `about` outlives the call.
        check(unsafe { GetConsoleScreenBufferInfo(self.output.as_raw_handle(), &raw mut about) }).ok()?;
        usize::try_from(about.dwSize.X).ok().filter(|columns| *columns > 0)
    }

    /// Its height in lines; `None` if unknown.
    pub(crate) fn rows(&self) -> Option<usize> {
        let mut about = CONSOLE_SCREEN_BUFFER_INFO::default();
        // SAFETY: the handle is open while `self` is borrowed, and `about` outlives the call.
        check(unsafe { GetConsoleScreenBufferInfo(self.output.as_raw_handle(), &raw mut about) }).ok()?;
        let window = about.srWindow;
        usize::try_from(window.Bottom - window.Top + 1).ok().filter(|rows| *rows > 0)
    }

    /// Prints UTF-8 text. A character written in parts is printed with its last part.
    pub(crate) fn write(&self, text: &[u8]) -> io::Result<()> {
        let mut unfinished = lock(&self.unfinished);
        unfinished.extend_from_slice(text);
        let whole = match std::str::from_utf8(&unfinished) {
            Ok(_) => unfinished.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => unfinished.len(),
        };
        let rest = unfinished.split_off(whole);
        let units: Vec<u16> = String::from_utf8_lossy(&unfinished).encode_utf16().collect();
        *unfinished = rest;
        let mut left = units.as_slice();
        while !left.is_empty() {
            let mut written = 0;
            let length = u32::try_from(left.len()).unwrap_or(u32::MAX);
            // SAFETY: the handle is open while `self` is borrowed, and there are as many units as the call is passed.
            check(unsafe {
                WriteConsoleW(
                    self.output.as_raw_handle(),
                    left.as_ptr(),
                    length,
                    &raw mut written,
                    std::ptr::null(),
                )
            })?;
            let written = usize::try_from(written).unwrap_or_default();
            left = match left.get(written..) {
                Some(rest) if written > 0 => rest,
                _ => return Err(io::ErrorKind::WriteZero.into()),
            };
        }
        Ok(())
    }

    /// Waits for input, and returns whether there is some. Ignores keys that are not characters.
    pub(crate) fn wait_for_input(&self, wait: Duration) -> io::Result<bool> {
        let end = Instant::now() + wait;
        loop {
            while lock(&self.typed).bytes.is_empty() && self.has_event()? {
                self.read_event()?;
            }
            if !lock(&self.typed).bytes.is_empty() {
                return Ok(true);
            }
            let left = end.saturating_duration_since(Instant::now());
            let left = u32::try_from(left.as_millis()).unwrap_or(u32::MAX - 1);
            // SAFETY: the handle is open while `self` is borrowed.
            match unsafe { WaitForSingleObject(self.input.as_raw_handle(), left) } {
                WAIT_OBJECT_0 => {}
                WAIT_TIMEOUT => return Ok(false),
                _ => return Err(io::Error::last_os_error()),
            }
        }
    }

    fn has_event(&self) -> io::Result<bool> {
        let mut count = 0;
        // SAFETY: the handle is open while `self` is borrowed, and `count` outlives the call.
        check(unsafe { GetNumberOfConsoleInputEvents(self.input.as_raw_handle(), &raw mut count) })?;
        Ok(count > 0)
    }

    /// Reads one event, and keeps its character if it has one.
    fn read_event(&self) -> io::Result<()> {
        let (mut event, mut count) = (INPUT_RECORD::default(), 0);
        // SAFETY: the handle is open while `self` is borrowed, and there is room for the one requested event. Only the
        // field of the union that the event's type indicates is read.
        let key = unsafe {
            check(ReadConsoleInputW(self.input.as_raw_handle(), &raw mut event, 1, &raw mut count))?;
            if count == 0 || u32::from(event.EventType) != KEY_EVENT || event.Event.KeyEvent.bKeyDown == 0 {
                return Ok(());
            }
            event.Event.KeyEvent
        };
        // SAFETY: both fields of this union are plain numbers.
        let unit = unsafe { key.uChar.UnicodeChar };
        if unit == 0 {
            return Ok(());
        }
        let mut typed = lock(&self.typed);
        let units = [typed.half.take(), Some(unit)];
        for decoded in char::decode_utf16(units.into_iter().flatten()) {
            match decoded {
                Ok(character) => {
                    let mut buffer = [0; 4];
                    let bytes = character.encode_utf8(&mut buffer).as_bytes();
                    for _ in 0..key.wRepeatCount.max(1) {
                        typed.bytes.extend(bytes);
                    }
                }
                Err(error) => typed.half = Some(error.unpaired_surrogate()),
            }
        }
        Ok(())
    }

    /// Reads typed input as UTF-8. Enter becomes a line end.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.wait_for_input(Duration::from_secs(1))? {}
        let mut typed = lock(&self.typed);
        let mut length = 0;
        for (place, byte) in buffer.iter_mut().zip(std::iter::from_fn(|| typed.bytes.pop_front())) {
            *place = if byte == b'\r' { b'\n' } else { byte };
            length += 1;
        }
        Ok(length)
    }

    /// Discards pending input.
    pub(crate) fn forget_input(&self) {
        let mut typed = lock(&self.typed);
        typed.bytes.clear();
        typed.half = None;
        // SAFETY: the handle is open while `self` is borrowed. On failure, the input is read later.
        unsafe { FlushConsoleInputBuffer(self.input.as_raw_handle()) };
    }

    /// Reads input key by key, without echo and with Ctrl-C as a character, until the value is dropped. Discards
    /// pending input.
    pub(crate) fn set_raw(&self) -> io::Result<Raw<'_>> {
        let before = mode_of(&self.input)?;
        set_mode(&self.input, before & !(ENABLE_PROCESSED_INPUT | ENABLE_VIRTUAL_TERMINAL_INPUT))?;
        self.forget_input();
        Ok(Raw { device: self, before })
    }
}

/// The console in raw mode. Restores the mode on drop.
pub(crate) struct Raw<'a> {
    device: &'a Device,
    before: CONSOLE_MODE,
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        set_mode(&self.device.input, self.before).ok();
        // Security: typed input may be a secret.
        let mut typed = lock(&self.device.typed);
        typed.bytes.iter_mut().for_each(|byte| *byte = 0);
        typed.bytes.clear();
    }
}
