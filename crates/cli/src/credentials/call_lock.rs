//! The locks under which credentials are obtained: one for each session, one for each MFA device.
//!
//! They are taken in one order: sessions, source before target; then the MFA device; then the store. None is held
//! across the start of the child.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::plan::Planned;
use crate::ask::waiting::{Wanted, leave_failure, lock_path, seal_of, wait_for_lock};
use crate::errors::Failure;
use crate::store::sealed::CacheKey;
use crate::store::sessions::Sessions;
use crate::sys::lock::Lock;

/// What is locked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Locked<'a> {
    /// `session` or `mfa`: the beginning of the file's name.
    pub(super) kind: &'static str,
    /// What tells it from others of its kind.
    pub(super) identity: &'a [u8],
    /// What it is, in words: those who wait show it.
    pub(super) words: &'a str,
}

/// A held lock. Dropping it lets go.
pub(super) struct CallLock {
    lock: Lock,
    path: PathBuf,
    seal: Option<CacheKey>,
}

impl CallLock {
    /// Waits for the lock. `taken_from` is the process whose question was taken over with another lock.
    pub(super) fn wait(
        planned: &Planned,
        sessions: Option<&Sessions>,
        what: Locked<'_>,
        taken_from: Option<u32>,
    ) -> Result<Self, Failure> {
        let Locked { kind, identity, words } = what;
        let directory = planned.world.dirs.locks();
        // A name that tells nothing, where there is a key.
        let path = match sessions {
            Some(sessions) => sessions.lock_path(&directory, kind, identity),
            None => lock_path(&directory, kind, identity),
        };
        let seal = seal_of(kind, identity);
        let wanted = Wanted {
            path: &path,
            // As long as a person may take, for three tries, and the call.
            patience: planned.patience() + Duration::from_mins(1),
            held_for: words,
            seal: seal.as_ref(),
            taken_from,
        };
        let lock = wait_for_lock(&planned.world, &wanted)?;
        Ok(Self { lock, path, seal })
    }

    pub(super) fn lock(&self) -> &Lock {
        &self.lock
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves a failure for those who wait, where it would be theirs as well.
    pub(super) fn leave_failure(&self, failure: &Failure) {
        leave_failure(&self.lock, failure, self.seal.as_ref());
    }
}
