//! Creates the new key of a rotation, and cleans up keys whose creation got no answer.

use hatbox_types::name::AccessKeyId;
use hatbox_types::secret::AccessKey;
use hatbox_types::text::shell::quote_word;
use jiff::Timestamp;

use super::machine::{LostIn, Machine};
use super::quota::{confirm_lost, render_key};
use super::report::{Progress, print_progress};
use crate::ask::passphrase::Interaction;
use crate::aws::iam::{IamError, IamProblem};
use crate::errors::{Failure, FailureKind};
use crate::iam::{NotCreated, OwnKeys};
use crate::store::rotations::{Rotation, RotationStep};

/// How many times a key is created if the answers get lost.
const TRIES: u32 = 3;
/// In seconds of AWS's clock, from listing the keys: a key created later is not from a lost answer, as all tries
/// together take less.
const LOST_WITHIN: i64 = 600;

impl Machine<'_> {
    /// CreateAccessKey.
    pub(super) fn create(&mut self, rotation: &mut Rotation) -> Result<(), Failure> {
        print_progress(self.world, &Progress::Creating);
        let RotationStep::Creating { before, listed_at } = rotation.step.clone() else { return Ok(()) };
        let mut was_lost = false;
        for _ in 0..TRIES {
            let keys = self.keys()?;
            match keys.create() {
                Ok(key) => return self.record(rotation, &keys, &key),
                Err(NotCreated::Surely(error)) if was_lost && error.problem == IamProblem::OverQuota => {
                    self.delete_lost(rotation, before.as_deref(), listed_at, LostIn::ThisRun)?;
                }
                Err(NotCreated::Surely(error)) => {
                    // Keep the record if a key with a lost answer may exist.
                    if !was_lost {
                        self.rotations.delete(&rotation.profile)?;
                    }
                    return Err(create_failure(&keys, &error));
                }
                Err(NotCreated::Perhaps(error)) => {
                    was_lost = true;
                    self.world.output.note(&format!("no response to CreateAccessKey: {error}"));
                    self.delete_lost(rotation, before.as_deref(), listed_at, LostIn::ThisRun)?;
                }
            }
        }
        let name = quote_word(rotation.profile.as_str());
        Err(Failure::new(FailureKind::Failed, "could not create an access key: no response arrived")
            .hint(format!("the old key stays in use; when the network works again: hatbox rotate {name}")))
    }

    /// Saves the new key in the record. If that fails, deletes the key, whose secret is known only here.
    fn record(&self, rotation: &mut Rotation, keys: &OwnKeys, key: &AccessKey) -> Result<(), Failure> {
        print_progress(self.world, &Progress::Created(&key.id));
        let creating = std::mem::replace(&mut rotation.step, RotationStep::Created(key.clone()));
        let Err(error) = self.rotations.save(rotation) else { return Ok(()) };
        rotation.step = creating;
        let failure =
            Failure::new(FailureKind::Failed, "could not save the new access key").caused_by(&error);
        match keys.delete(&key.id) {
            Ok(()) => {
                self.rotations.delete(&rotation.profile).ok();
                Err(failure.hint("it was deleted again, and the old key stays in use"))
            }
            Err(error) => Err(failure.caused_by(&error).hint(format!(
                "the old key stays in use; `hatbox rotate {}` deletes the new one, whose secret is lost",
                quote_word(rotation.profile.as_str())
            ))),
        }
    }

    /// Deletes keys that a call of hatbox created but whose answer, with the secret, was lost.
    ///
    /// Security: the user may have created a key at the same time. A key that is stored here or was used is kept, and
    /// hatbox asks unless the call was made by this run and AWS says that the key was never used.
    pub(super) fn delete_lost(
        &mut self,
        rotation: &Rotation,
        before: Option<&[AccessKeyId]>,
        listed_at: Option<Timestamp>,
        lost_in: LostIn,
    ) -> Result<(), Failure> {
        let name = quote_word(rotation.profile.as_str());
        let later = format!("the old key stays in use; to go on: hatbox rotate {name}");
        let keys = self.keys()?;
        let (Some(before), Some(listed_at)) = (before, listed_at) else {
            self.rotations.delete(&rotation.profile)?;
            return Err(Failure::new(
                FailureKind::Failed,
                format!("AWS may have created an access key for `{}` whose secret is lost", keys.user.name),
            )
            .hint("look for a second key of the user in IAM, and delete it if it was never used")
            .hint("with the permission iam:ListAccessKeys hatbox does that itself"));
        };
        let found = keys.fetch().map_err(|error| {
            keys.failure(
                "could not look for a key that was created without an answer",
                "iam:ListAccessKeys",
                &error,
            )
            .hint(&later)
        })?;
        let index = self.run.store().index(Interaction::Allowed)?;
        for key in found.keys.iter().filter(|key| !before.contains(&key.id) && key.id != rotation.old) {
            let age = key.created_at.map(|at| at.as_second() - listed_at.as_second());
            let is_of_then = age.is_some_and(|age| (-1..=LOST_WITHIN).contains(&age));
            if !is_of_then || index.keys.iter().any(|stored| stored.id == key.id) {
                continue;
            }
            // A key whose secret is lost cannot have been used.
            let last_use = match keys.fetch_last_use(&key.id) {
                Ok(None) => Some(None),
                Ok(Some(_)) => continue,
                Err(error) if error.problem == IamProblem::Denied => None,
                Err(error) => {
                    return Err(keys
                        .failure(
                            "could not find out whether a key was used",
                            "iam:GetAccessKeyLastUsed",
                            &error,
                        )
                        .hint(&later));
                }
            };
            if lost_in == LostIn::AnEarlierRun || last_use.is_none() {
                let shown = render_key(key, last_use.as_ref(), self.world.clock.now());
                confirm_lost(self.world, &keys.user, &shown)?;
            }
            keys.delete(&key.id).map_err(|error| {
                keys.failure("could not delete the key whose secret is lost", "iam:DeleteAccessKey", &error)
                    .hint(&later)
            })?;
            self.world.output.note(&format!(
                "deleted the access key {}: it was created, and its secret did not arrive",
                key.id.masked()
            ));
        }
        Ok(())
    }
}

fn create_failure(keys: &OwnKeys, error: &IamError) -> Failure {
    let failure = keys.failure("could not create an access key", "iam:CreateAccessKey", error);
    match error.problem {
        IamProblem::OverQuota => failure
            .hint(format!("`{}` has two access keys already: delete one of them in IAM", keys.user.name)),
        _ => failure,
    }
}
