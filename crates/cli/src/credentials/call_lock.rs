//! The locks held while credentials are obtained: one per session and one per MFA device.
//!
//! Locks are always taken in this order: sessions (source before target), the MFA device, the store. None is held when
//! the child starts.

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
    /// `session` or `mfa`: the start of the lock's file name.
    pub(super) kind: &'static str,
    /// Identifies the lock among those of its kind.
    pub(super) identity: &'a [u8],
    /// Describes the lock to processes that wait for it.
    pub(super) words: &'a str,
}

/// A lock that is held until it is dropped.
pub(super) struct CallLock {
    lock: Lock,
    path: PathBuf,
    seal: Option<CacheKey>,
}

impl CallLock {
    /// Waits for the lock. `taken_from` is the process whose question was taken over together with another lock.
    pub(super) fn wait(
        planned: &Planned,
        sessions: Option<&Sessions>,
        what: Locked<'_>,
        taken_from: Option<u32>,
    ) -> Result<Self, Failure> {
        let Locked { kind, identity, words } = what;
        let directory = planned.world.dirs.locks();
        // With a cache key, the file name is a keyed hash that reveals nothing.
        let path = match sessions {
            Some(sessions) => sessions.lock_path(&directory, kind, identity),
            None => lock_path(&directory, kind, identity),
        };
        let seal = seal_of(kind, identity);
        let wanted = Wanted {
            path: &path,
            // Long enough for a user to try three times, plus the call.
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

    /// Leaves the failure for the processes that wait, if it applies to them as well.
    pub(super) fn leave_failure(&self, failure: &Failure) {
        leave_failure(&self.lock, failure, self.seal.as_ref());
    }
}
