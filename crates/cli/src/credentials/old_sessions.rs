//! What was cached before a command with `--fresh`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hatbox_core::cache::{CachedSession, SessionKey};
use hatbox_types::name::AccessKeyId;

use crate::store::sessions::Sessions;

/// The sessions that were cached when a command with `--fresh` began. A session that differs was obtained since then,
/// perhaps by another process that this one waited for, and is new enough.
///
/// The access keys are compared, not the times: a cached session knows the second in which it was obtained, and two
/// commands may run within one.
#[derive(Debug, Default)]
pub(super) struct OldSessions(Mutex<BTreeMap<SessionKey, Option<AccessKeyId>>>);

impl OldSessions {
    /// Remembers the session that is cached under `key` now, unless one is remembered already.
    pub(super) fn note(&self, sessions: &Sessions, key: SessionKey) {
        let mut old = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        old.entry(key).or_insert_with(|| {
            // What cannot be read is not used either.
            sessions.load(&key).ok().flatten().map(|session| session.credentials.access_key_id)
        });
    }

    /// Whether the session was obtained since. Without a memory of its key, it may be old.
    pub(super) fn is_new(&self, key: &SessionKey, session: &CachedSession) -> bool {
        let old = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        old.get(key).is_some_and(|old| old.as_ref() != Some(&session.credentials.access_key_id))
    }
}
