//! Locks between processes: on separate files, which contain a note about the holder.
//!
//! A holder can hang, if its terminal is unattended or it is suspended, so another process can *take over* the lock: it
//! unlinks the file and creates a new one. Processes that hold or wait for the old file notice that it is no longer the
//! one at the path, and start again with the new one.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::files::FileError;
use super::platform::disk;
use super::platform::locking::{self, Identity};
use super::{access, boot_clock};

/// The first line of a file with a text left for waiters.
const LEFT: &str = "left";
/// The interval between checks of a waiter.
const LOOK: Duration = Duration::from_millis(20);

/// A held lock. Released on drop and at the end of the process.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
    /// The text that the last holder left for its waiters.
    left: Option<String>,
    /// Whether another process held it when this one asked for it.
    was_waited_for: bool,
    /// The process that it was taken over from.
    taken_from: Option<u32>,
    /// Whether this process wrote a note, to be deleted with the lock.
    has_note: Cell<bool>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Notes name devices and accounts, which should not stay on the disk.
        if self.has_note.get() {
            self.clear_note();
        }
    }
}

/// The holder of a lock, from its note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The id of its process.
    pub(crate) pid: u32,
    /// The path of its terminal, if any: `/dev/pts/3`.
    pub(crate) terminal: Option<String>,
    /// What it waits for: `the MFA code of ...`.
    pub(crate) waits_for: String,
}

impl Holder {
    /// Whether the process is suspended (Ctrl-Z), and so will not finish without help.
    pub(crate) fn is_suspended(&self) -> bool {
        locking::is_process_stopped(self.pid)
    }
}

/// What a waiter does next.
pub(crate) enum Next {
    /// Continue to wait.
    Wait,
    /// Take over the lock from its holder.
    TakeOver,
}

/// The state of a wait.
pub(crate) struct Waiting<'a> {
    /// Time since this process started to wait.
    pub(crate) waited: Duration,
    /// Time since the current holder was first seen.
    pub(crate) held: Duration,
    /// The holder's note; `None` before it has written one.
    pub(crate) holder: Option<&'a Holder>,
}

/// Takes the lock at `path`. While another process holds it, calls `waiting` every 20 ms to decide what to do. An error
/// of `waiting` ends the wait.
pub(crate) fn wait<E>(
    path: &Path,
    mut waiting: impl FnMut(Waiting<'_>) -> Result<Next, E>,
) -> Result<Result<Lock, E>, FileError> {
    let start = Instant::now();
    let waiting_since = boot_clock::now();
    let (mut seen, mut seen_since) = (None, start);
    loop {
        let mut lock = open(path)?;
        if lock.try_lock()? {
            if !lock.is_current() {
                // The lock was taken over between open and lock.
                continue;
            }
            lock.left = lock.read_left(waiting_since);
            lock.was_waited_for = seen.is_some();
            // A text is kept for other waiters; the note of a dead holder is not.
            if lock.left.is_none() {
                lock.clear_note();
            }
            return Ok(Ok(lock));
        }
        let holder = lock.holder();
        let identity = (Identity::of_file(&lock.file).ok(), holder.as_ref().map(|holder| holder.pid));
        if seen != Some(identity) {
            (seen, seen_since) = (Some(identity), Instant::now());
        }
        let state = Waiting { waited: start.elapsed(), held: seen_since.elapsed(), holder: holder.as_ref() };
        match waiting(state) {
            Ok(Next::Wait) => std::thread::sleep(LOOK),
            Ok(Next::TakeOver) => {
                if let Some(mut taken) = take_over(path, &lock)? {
                    taken.taken_from = holder.map(|holder| holder.pid);
                    return Ok(Ok(taken));
                }
            }
            Err(error) => return Ok(Err(error)),
        }
    }
}

/// Replaces `old` with a new, locked file; returns `None` if another process did so first. Takers are serialized, as a
/// second one would otherwise unlink the file that the first has just locked.
fn take_over(path: &Path, old: &Lock) -> Result<Option<Lock>, FileError> {
    let one_at_a_time = open(&path.with_extension("takeover"))?;
    locking::lock(&one_at_a_time.file).map_err(FileError::io("lock", path))?;
    if !old.is_current() {
        return Ok(None);
    }
    disk::remove_open(path).map_err(FileError::io("delete", path))?;
    let lock = open(path)?;
    Ok(lock.try_lock()?.then_some(lock))
}

/// Takes the lock at `path`, however long that takes. For work that never waits for the user.
pub(crate) fn hold(path: &Path) -> Result<Lock, FileError> {
    loop {
        let lock = open(path)?;
        locking::lock(&lock.file).map_err(FileError::io("lock", path))?;
        if lock.is_current() {
            return Ok(lock);
        }
    }
}

fn open(path: &Path) -> Result<Lock, FileError> {
    if !path.exists() {
        super::files::check_creator(path)?;
    }
    let not_a_file = || FileError::Kind(path.display().to_string());
    let file = access::open_or_create(path).map_err(|error| {
        if access::is_link_refused(&error) { not_a_file() } else { FileError::io("open", path)(error) }
    })?;
    // A pipe or device in its place cannot be locked, or cannot be read to its end.
    if !file.metadata().map_err(FileError::io("open", path))?.is_file() {
        return Err(not_a_file());
    }
    Ok(Lock {
        file,
        path: path.to_owned(),
        left: None,
        was_waited_for: false,
        taken_from: None,
        has_note: Cell::new(false),
    })
}

impl Lock {
    fn try_lock(&self) -> Result<bool, FileError> {
        locking::try_lock(&self.file).map_err(FileError::io("lock", &self.path))
    }

    /// Writes the holder and what it waits for into the file. If that fails, waiters just know less.
    pub(crate) fn note(&self, terminal: Option<&str>, waits_for: &str) {
        let text = format!("{}\n{}\n{waits_for}\n", std::process::id(), terminal.unwrap_or("-"));
        self.rewrite(text.as_bytes()).ok();
        self.has_note.set(true);
    }

    /// Leaves a line of text for the processes waiting now: the question was cancelled, or the code was rejected. Later
    /// processes ignore it.
    pub(crate) fn leave(&self, text: &str) {
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.rewrite(format!("{LEFT}\n{}\n{line}\n", boot_clock::now()).as_bytes()).ok();
        self.has_note.set(false);
    }

    /// Whether another process held it when this one asked for it.
    pub(crate) fn was_waited_for(&self) -> bool {
        self.was_waited_for
    }

    /// The process that it was taken over from, if that one had written a note.
    pub(crate) fn taken_from(&self) -> Option<u32> {
        self.taken_from
    }

    /// The text that the last holder left, if this process was already waiting at that time.
    pub(crate) fn left(&self) -> Option<&str> {
        self.left.as_deref()
    }

    fn read_left(&self, waiting_since: u128) -> Option<String> {
        let text = self.read_text()?;
        let mut lines = text.lines();
        let is_left = lines.next()? == LEFT;
        let at: u128 = lines.next()?.parse().ok()?;
        // hatbox never leaves a text with a time in the future.
        (is_left && at >= waiting_since && at <= boot_clock::now())
            .then(|| lines.next().map(str::to_owned))
            .flatten()
    }

    fn read_text(&self) -> Option<String> {
        let mut text = String::new();
        let mut file = &self.file;
        file.rewind().ok()?;
        file.take(16384).read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// Whether the path still leads to this file; `false` after a take-over.
    pub(crate) fn is_current(&self) -> bool {
        match (Identity::of_file(&self.file), Identity::at_path(&self.path)) {
            (Ok(mine), Ok(there)) => mine == there,
            _ => false,
        }
    }

    fn clear_note(&self) {
        if self.file.metadata().is_ok_and(|about| about.len() > 0) {
            self.file.set_len(0).ok();
        }
    }

    fn rewrite(&self, text: &[u8]) -> io::Result<()> {
        let mut file = &self.file;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(text)
    }

    fn holder(&self) -> Option<Holder> {
        let text = self.read_text()?;
        let mut lines = text.lines();
        let pid = lines.next()?.parse().ok()?;
        let terminal = lines.next().filter(|t| *t != "-").map(str::to_owned);
        Some(Holder { pid, terminal, waits_for: lines.next()?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiter_sees_the_holders_note_and_may_give_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("l");
        let held = hold(&path).unwrap();
        held.note(Some("/dev/pts/9"), "the MFA code of x");
        let mut seen = None;
        let got = wait(&path, |state| {
            seen = state.holder.cloned();
            Err("enough")
        });
        assert_eq!(got.unwrap().unwrap_err(), "enough");
        let seen = seen.unwrap();
        assert_eq!((seen.pid, seen.terminal.as_deref()), (std::process::id(), Some("/dev/pts/9")));
        assert_eq!(seen.waits_for, "the MFA code of x");
        assert!(!seen.is_suspended());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_a_file_in_the_place_of_a_lock_is_an_error_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        let links = [target.clone(), dir.path().join("nowhere"), "/dev/zero".into(), "loop".into()];
        std::fs::write(&target, "mine").unwrap();
        for (at, to) in links.iter().enumerate() {
            let path = dir.path().join(if at == 3 { "loop".to_owned() } else { format!("l{at}") });
            std::os::unix::fs::symlink(to, &path).unwrap();
            assert!(matches!(hold(&path), Err(FileError::Kind(_))), "{}", to.display());
            let waited = wait(&path, |_| Ok::<_, ()>(Next::TakeOver));
            assert!(matches!(waited, Err(FileError::Kind(_))), "{}", to.display());
        }
        assert_eq!(std::fs::read(&target).unwrap(), b"mine");
        assert!(!dir.path().join("nowhere").exists());
        let pipe = dir.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
            .unwrap();
        assert!(matches!(hold(&pipe), Err(FileError::Kind(_))));
        assert!(hold(dir.path()).is_err());
    }

    #[test]
    fn a_lock_that_was_taken_over_is_no_longer_current() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("l");
        let held = hold(&path).unwrap();
        let taken = wait(&path, |_| Ok::<_, ()>(Next::TakeOver)).unwrap().unwrap();
        assert!(taken.is_current());
        assert!(!held.is_current());
        drop(held);
        assert!(taken.is_current(), "the old holder's end does not touch the new lock");
    }

    #[test]
    fn what_is_left_is_for_those_who_wait_and_for_no_one_later() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("l");
        let held = hold(&path).unwrap();
        let waiter = std::thread::spawn({
            let path = path.clone();
            move || {
                let lock = wait(&path, |_| Ok::<_, ()>(Next::Wait)).unwrap().unwrap();
                lock.left().map(str::to_owned)
            }
        });
        std::thread::sleep(Duration::from_millis(100));
        held.leave("cancelled\nelsewhere");
        drop(held);
        assert_eq!(waiter.join().unwrap().as_deref(), Some("cancelled elsewhere"));
        let later = wait(&path, |_| Ok::<_, ()>(Next::Wait)).unwrap().unwrap();
        assert_eq!(later.left(), None);
    }
}
