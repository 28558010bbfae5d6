//! Waits for a lock that another hatbox process holds, with a message, and takes it over if its holder is stuck.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;

use crate::errors::Failure;
use crate::prompt::Typed;
use crate::store::sealed::CacheKey;
use crate::sys::files::make_private_directory;
use crate::sys::lock::{self, Holder, Lock, Next};
use crate::world::World;

/// On a terminal, the user waits for it; in a log, only a long wait is worth a line.
const SAY_AFTER_ON_TERMINAL: Duration = Duration::from_millis(300);
const SAY_AFTER: Duration = Duration::from_secs(1);
const ONLY_ENTER: &str = "your input was not used: press Enter alone, then answer the question that follows";
const LEFT: &str = "left failure";
/// How long a suspended holder (Ctrl-Z) has to continue.
const SUSPENDED_LIMIT: Duration = Duration::from_secs(3);

/// The hint if the cache directory cannot be used, such as in a read-only home or after `sudo hatbox`.
pub(crate) const CACHE_HINT: &str = "set XDG_CACHE_HOME to a directory that you can write to, or make this \
                                     one yours again: sudo chown -R \"$USER\" ~/.cache/hatbox";

/// A lock to take.
pub(crate) struct Wanted<'a> {
    pub(crate) path: &'a Path,
    /// How long another process may hold it.
    pub(crate) patience: Duration,
    /// Describes what it is held for, to processes that wait for it.
    pub(crate) held_for: &'a str,
    /// The key of a failure that may be left in it.
    pub(crate) seal: Option<&'a CacheKey>,
    /// The process whose question this one has taken over, which loses this lock too.
    pub(crate) taken_from: Option<u32>,
}

/// Takes a lock, waiting for another holder if needed, and notes in it what it is held for.
///
/// | the holder | what a waiter does |
/// |---|---|
/// | is working, or asks the user | waits; prints for whom after 1 s, or 300 ms on a terminal |
/// | asks on another terminal | takes over the question if the user presses Enter on this terminal |
/// | is suspended | takes the lock over after 3 s |
/// | holds the lock for longer than `patience` | takes the lock over |
///
/// If the previous holder left a failure for its waiters ([`leave_failure`]), returns that failure.
pub(crate) fn wait_for_lock(world: &World, wanted: &Wanted<'_>) -> Result<Lock, Failure> {
    let Wanted { path, patience, held_for, seal, taken_from } = *wanted;
    if let Some(directory) = path.parent() {
        make_private_directory(directory).map_err(|error| {
            let failure = Failure::from(error);
            if failure.hints.is_empty() { failure.hint(CACHE_HINT) } else { failure }
        })?;
    }
    let say_after = if io::stderr().is_terminal() { SAY_AFTER_ON_TERMINAL } else { SAY_AFTER };
    let mut has_said = false;
    let result = lock::wait(path, |state| {
        let pid = state.holder.map(|holder| holder.pid);
        if pid.is_some() && pid == taken_from {
            return Ok::<_, Failure>(Next::TakeOver);
        }
        if state.waited < say_after {
            return Ok(Next::Wait);
        }
        let is_suspended = state.holder.is_some_and(Holder::is_suspended);
        if state.held > patience || (is_suspended && state.held > SUSPENDED_LIMIT) {
            let who = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
            world.output.note(&format!(
                "another hatbox process{who} was first and does not respond; going on without it"
            ));
            return Ok(Next::TakeOver);
        }
        let Some(holder) = state.holder else { return Ok(Next::Wait) };
        // Another thread of this process, whose question is on this terminal.
        if holder.pid == std::process::id() {
            return Ok(Next::Wait);
        }
        // If both processes share a terminal, its keys belong to the other one's question.
        let is_elsewhere = holder.terminal.as_deref() != world.prompter().device();
        let can_take_over = is_elsewhere && world.prompter().device().is_some();
        if !has_said {
            has_said = true;
            if can_take_over {
                // Earlier input was meant for the command. What comes from the offer on is for hatbox.
                world.prompter().forget_input();
            }
            world.output.note(&render_waiting(holder, can_take_over));
        }
        // The other process reads the terminal.
        let typed = if can_take_over { world.prompter().read_typed() } else { Typed::Nothing };
        match typed {
            Typed::Enter => Ok(Next::TakeOver),
            // A code that was typed too early, before the question for it.
            Typed::Text => {
                world.output.note(ONLY_ENTER);
                Ok(Next::Wait)
            }
            Typed::Nothing => Ok(Next::Wait),
        }
    });
    let lock = match result {
        Ok(Ok(lock)) => lock,
        Ok(Err(failure)) => return Err(failure),
        Err(error) => return Err(error.into()),
    };
    if let Some(failure) = lock.left().and_then(|left| open_left(left, seal)) {
        return Err(failure.hint(
            "another hatbox process waiting on the same session failed with this; run the command again",
        ));
    }
    lock.note(world.prompter().device(), held_for);
    Ok(lock)
}

/// Leaves a failure for the processes waiting for the lock now, if it applies to them too.
pub(crate) fn leave_failure(lock: &Lock, failure: &Failure, seal: Option<&CacheKey>) {
    if !failure.is_shared {
        return;
    }
    let text = failure.render_json();
    match seal {
        None => lock.leave(&text),
        // Without random bytes, the waiting processes have to ask themselves.
        Some(key) => {
            if let Ok(sealed) = key.seal(LEFT, text.as_bytes()) {
                lock.leave(&base64::engine::general_purpose::STANDARD.encode(sealed));
            }
        }
    }
}

fn open_left(left: &str, seal: Option<&CacheKey>) -> Option<Failure> {
    let Some(key) = seal else { return Failure::parse_json(left) };
    let sealed = base64::engine::general_purpose::STANDARD.decode(left).ok()?;
    Failure::parse_json(std::str::from_utf8(&key.open(LEFT, &sealed).ok()?).ok()?)
}

/// Returns the key that seals a failure left in the lock of `identity`, as the failure names roles and devices and
/// stays on the disk. The key is derived from what the lock is for: a waiting process knows that, but a reader of the
/// disk does not.
pub(crate) fn seal_of(kind: &str, identity: &[u8]) -> Option<CacheKey> {
    use sha2::{Digest, Sha256};
    let digest = Sha256::new()
        .chain_update("hatbox left failure")
        .chain_update([0])
        .chain_update(kind)
        .chain_update([0])
        .chain_update(identity)
        .finalize();
    CacheKey::of_bytes(&digest)
}

/// Returns the lock file of `identity` in `directory`. Without a key, its name is a plain digest.
pub(crate) fn lock_path(directory: &Path, kind: &str, identity: &[u8]) -> PathBuf {
    use sha2::{Digest, Sha256};
    let digest = Sha256::new().chain_update(kind).chain_update([0]).chain_update(identity).finalize();
    let name = hex::encode(digest.get(..16).unwrap_or_default());
    directory.join(format!("{kind}-{name}.lock"))
}

fn render_waiting(holder: &Holder, can_take_over: bool) -> String {
    let device = holder.terminal.as_deref().map(|t| format!(" on {t}")).unwrap_or_default();
    let hint = if can_take_over { "; press Enter alone to answer here instead" } else { "" };
    format!("waiting for {} (process {}{device}){hint}", holder.waits_for, holder.pid)
}
