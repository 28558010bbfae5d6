//! The lock that keeps a rotation of an access key apart from all other changes of the stored access keys.
//!
//! A rotation holds it from before it reads the stored key until it is done. Other changes hold it for milliseconds and
//! wait for each other, but fail at once if a rotation holds it.

use std::time::Duration;

use super::KeyStore;
use crate::errors::{Failure, FailureKind};
use crate::sys::files::make_private_directory;
use crate::sys::lock::{self, Lock, Next, Waiting};

/// A change takes milliseconds; a process that holds the lock for longer is stuck.
const PATIENCE: Duration = Duration::from_secs(20);

impl KeyStore {
    /// Takes the lock for a rotation. Fails if another rotation has it: rotating twice in a row is never what was asked
    /// for.
    #[cfg(feature = "iam")]
    pub(crate) fn hold_for_rotation(
        &mut self,
        profile: &hatbox_types::name::ProfileName,
    ) -> Result<Lock, Failure> {
        let lock = self.hold_keys()?;
        lock.note(self.world.prompter().device(), &format!("the access key of `{profile}`"));
        Ok(lock)
    }

    /// Takes the lock for any other change of stored access keys.
    pub(super) fn hold_keys(&mut self) -> Result<Lock, Failure> {
        let directory = self.opened()?.place.state.clone();
        make_private_directory(&directory)?;
        // Only rotations write a holder.
        let next = |state: Waiting<'_>| match state.holder {
            Some(rotation) => Err(Failure::new(
                FailureKind::Refused,
                format!(
                    "{} is being rotated by another hatbox (process {})",
                    rotation.waits_for, rotation.pid
                ),
            )
            .hint("wait until it is done, or end it: `hatbox rotate` goes on from where it was")),
            None if state.waited > PATIENCE => Err(Failure::new(
                FailureKind::Failed,
                "another hatbox has been changing the stored access keys for too long",
            )
            .hint("end that process")),
            None => Ok(Next::Wait),
        };
        lock::wait(&directory.join("rotation.lock"), next)?
    }
}
