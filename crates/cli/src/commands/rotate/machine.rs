//! The steps of a rotation, which continue from wherever it was interrupted.
//!
//! | step | action | recorded afterwards |
//! |---|---|---|
//! | | keys listed | creating |
//! | creating | CreateAccessKey | created, with the secret |
//! | created | GetCallerIdentity with the new key; stored | stored |
//! | stored | UpdateAccessKey: the old key is inactive | deactivated |
//! | deactivated | DeleteAccessKey of the old key | nothing |
//!
//! The store always has a working key: the old one is not changed in AWS before the new one is stored, and the new one
//! is stored only after AWS has accepted it.

use std::rc::Rc;
use std::time::Duration;

use hatbox_core::plan::{Base, Purpose};
use hatbox_types::name::{AccessKeyId, ProfileName};
use hatbox_types::secret::AccessKey;
use hatbox_types::text::shell::quote_word;

use super::quota::make_room;
use super::report::{Progress, Rotated, print_progress};
use super::waits::Waits;
use crate::args::GlobalArgs;
use crate::ask::passphrase::Interaction;
use crate::aws::client::Signer;
use crate::aws::iam::{IamError, IamProblem};
use crate::credentials::caller::{Caller, fetch_caller};
use crate::credentials::last_failure::save_last_failure;
use crate::credentials::run::PlanRun;
use crate::errors::{Failure, FailureKind};
use crate::iam::{IamUser, OwnKeys, OwnKeysNow};
use crate::store::rotations::{Rotation, RotationStep, Rotations};
use crate::world::World;

/// How long to wait until a new key is known everywhere in AWS.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long to retry a call that is denied for reasons that a new key does not explain.
const SHORT_PATIENCE: Duration = Duration::from_secs(20);
/// The run that made the call whose answer was lost.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LostIn {
    ThisRun,
    AnEarlierRun,
}

/// A rotation in progress.
pub(super) struct Machine<'a> {
    pub(super) world: &'a World,
    pub(super) global: &'a GlobalArgs,
    pub(super) run: PlanRun,
    pub(super) rotations: Rotations,
    /// The signer of calls to IAM, once it was obtained.
    keys: Option<Rc<OwnKeys>>,
    user: Option<IamUser>,
    /// The new key, once AWS has confirmed that it belongs to the user.
    accepted: Option<AccessKeyId>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(world: &'a World, global: &'a GlobalArgs, run: PlanRun) -> Result<Self, Failure> {
        let rotations = run.store().rotations(Interaction::Allowed)?;
        Ok(Self { world, global, run, rotations, keys: None, user: None, accepted: None })
    }

    /// Rotates the key stored for `profile`, or continues an unfinished rotation.
    pub(super) fn rotate(mut self, profile: &ProfileName) -> Result<Rotated, Failure> {
        let under_way = self.rotations.load(profile).map_err(|error| {
            Failure::from(error)
                .hint("if the file is damaged, delete it: the next rotation finds what is left")
        })?;
        let resumed = match under_way {
            Some(rotation) => self.resume(rotation)?,
            None => None,
        };
        let is_resumed = resumed.is_some();
        let mut rotation = match resumed {
            Some(rotation) => rotation,
            None => self.begin(profile)?,
        };
        loop {
            match rotation.step.clone() {
                RotationStep::Creating { .. } => self.create(&mut rotation)?,
                RotationStep::Created(key) => self.store(&mut rotation, &key)?,
                RotationStep::Stored(new) => self.deactivate(&mut rotation, new)?,
                RotationStep::Deactivated(new) => {
                    self.delete(&rotation)?;
                    let sessions = self.finish(&rotation)?;
                    return Ok(Rotated { rotation, new, is_resumed, sessions });
                }
            }
        }
    }

    /// Checks that the recorded rotation is about the key that is stored now.
    fn resume(&mut self, mut rotation: Rotation) -> Result<Option<Rotation>, Failure> {
        let profile = rotation.profile.clone();
        let stored = self.stored_id()?;
        let is_true = match &rotation.step {
            RotationStep::Creating { .. } => stored == rotation.old,
            RotationStep::Created(key) => stored == rotation.old || stored == key.id,
            RotationStep::Stored(new) | RotationStep::Deactivated(new) => stored == *new,
        };
        if !is_true {
            let new = rotation.step.new_id().filter(|_| matches!(rotation.step, RotationStep::Created(_)));
            let left: Vec<_> = new.into_iter().chain([&rotation.old]).map(AccessKeyId::masked).collect();
            self.world.output.warn(&format!(
                "another access key was stored for `{profile}` during an earlier rotation, which is dropped; in IAM there \
                 may still be {}",
                left.join(" and ")
            ));
            self.rotations.delete(&profile)?;
            return Ok(None);
        }
        let user = self.keys()?.user.clone();
        if user.arn != rotation.user {
            return Err(Failure::new(
                FailureKind::Refused,
                format!(
                    "the unfinished rotation of `{profile}` is of the access key of `{}`, and the stored key is that of `{}`",
                    rotation.user, user.arn
                ),
            )
            .hint("check AWS_ENDPOINT_URL and the endpoint of the profile"));
        }
        self.world.output.note(&format!("going on with the rotation begun at {:.0}", rotation.begun_at));
        if let RotationStep::Creating { before, listed_at } = &rotation.step {
            self.delete_lost(&rotation, before.as_deref(), *listed_at, LostIn::AnEarlierRun)?;
            // The rotation created nothing that still exists, and its list of keys is outdated.
            self.rotations.delete(&profile)?;
            return self.begin(&profile).map(Some);
        }
        if let RotationStep::Stored(id) | RotationStep::Deactivated(id) = &rotation.step {
            // The old key may have been stored for more profiles since then.
            let new = self.run.store().read_key(&profile)?;
            if new.id != *id {
                return Err(replaced_meanwhile(&profile));
            }
            self.replace_old(&mut rotation, &new)?;
            self.rotations.save(&rotation)?;
        }
        Ok(Some(rotation))
    }

    /// Lists the user's keys and records the rotation.
    fn begin(&mut self, profile: &ProfileName) -> Result<Rotation, Failure> {
        let old = self.stored_id()?;
        let index = self.run.store().index(Interaction::Allowed)?;
        let others = index.keys.iter().filter(|key| key.id == old && key.profile != *profile);
        let others: Vec<_> = others.map(|key| key.profile.clone()).collect();
        let keys = self.keys()?;
        print_progress(
            self.world,
            &Progress::Begun { profile, asked: &self.run.plan().profile, session: keys.is_session() },
        );
        let mut listed = self.list(&keys)?;
        if let Some(found) = &listed
            && found.keys.len() > 1
        {
            make_room(self.world, &keys, &found.keys, &old, &index)?;
            listed = self.list(&keys)?;
        }
        let (before, listed_at) = match listed {
            Some(found) => (Some(found.keys.into_iter().map(|key| key.id).collect()), found.at),
            None => (None, None),
        };
        let rotation = Rotation {
            profile: profile.clone(),
            others,
            user: keys.user.arn.clone(),
            old,
            begun_at: self.world.clock.now(),
            step: RotationStep::Creating { before, listed_at },
        };
        self.rotations.save(&rotation)?;
        Ok(rotation)
    }

    /// Lists the user's keys; returns `None` without the permission.
    fn list(&self, keys: &OwnKeys) -> Result<Option<OwnKeysNow>, Failure> {
        match keys.fetch() {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.problem == IamProblem::Denied => {
                self.world.output.note(
                    "the user may not list its access keys (iam:ListAccessKeys): hatbox could not find a \
                     key whose secret was lost on the way",
                );
                Ok(None)
            }
            Err(error) => {
                Err(keys.failure("could not list the user's access keys", "iam:ListAccessKeys", &error))
            }
        }
    }

    /// Waits until AWS accepts the new key, and stores it.
    fn store(&mut self, rotation: &mut Rotation, key: &AccessKey) -> Result<(), Failure> {
        let name = quote_word(rotation.profile.as_str()).into_owned();
        self.verify(rotation, key)?;
        let kept = |failure: Failure| {
            failure.hint(format!(
                "nothing is lost: the old key works, and the new one is kept until it can be stored: hatbox rotate {name}"
            ))
        };
        self.replace_old(rotation, key).map_err(kept)?;
        self.accepted = Some(key.id.clone());
        self.advance(rotation, RotationStep::Stored(key.id.clone()));
        // Sign with the new key from here on. A session stays valid although its key is replaced.
        if self.keys.as_ref().is_some_and(|keys| !keys.is_session()) {
            self.keys = None;
        }
        self.run.replan(Purpose::OwnKeys)
    }

    /// Stores the new key for all profiles that have the old one, including those that got it during the rotation.
    fn replace_old(&mut self, rotation: &mut Rotation, new: &AccessKey) -> Result<(), Failure> {
        let profile = &rotation.profile;
        let mut profiles = self.run.store().replace_key(profile, &rotation.old, new)?;
        if !profiles.contains(profile) {
            return Err(replaced_meanwhile(profile));
        }
        profiles.retain(|other| other != profile);
        rotation.others.extend(profiles);
        rotation.others.sort();
        rotation.others.dedup();
        Ok(())
    }

    fn verify(&self, rotation: &Rotation, key: &AccessKey) -> Result<(), Failure> {
        let signer = Signer::Key(key.clone());
        let mut waits = Waits::until(PATIENCE);
        loop {
            let why = match fetch_caller(self.world, self.run.plan(), &rotation.profile, &signer) {
                Caller::Known(arn) if arn == rotation.user => return Ok(()),
                Caller::Known(arn) => {
                    return Err(Failure::new(
                        FailureKind::Failed,
                        format!("the new access key is that of `{arn}`, not of `{}`", rotation.user),
                    ));
                }
                Caller::BadKey(why) | Caller::Unknown(why) | Caller::Unreachable(why) => why,
            };
            if !waits.wait("waiting until AWS accepts the new access key") {
                let name = quote_word(rotation.profile.as_str());
                return Err(Failure::new(
                    FailureKind::Failed,
                    format!("AWS does not accept the new access key {} yet", key.id.masked()),
                )
                .because(why)
                .hint(format!("the old key stays in use; try again in a minute: hatbox rotate {name}")));
            }
        }
    }

    fn deactivate(&mut self, rotation: &mut Rotation, new: AccessKeyId) -> Result<(), Failure> {
        let old = rotation.old.clone();
        print_progress(self.world, &Progress::Removing(&old));
        self.insist(rotation, "could not deactivate the old access key", "iam:UpdateAccessKey", |keys| {
            keys.deactivate(&old)
        })?;
        self.advance(rotation, RotationStep::Deactivated(new));
        Ok(())
    }

    fn delete(&mut self, rotation: &Rotation) -> Result<(), Failure> {
        let old = &rotation.old;
        self.insist(rotation, "could not delete the old access key", "iam:DeleteAccessKey", |keys| {
            keys.delete(old)
        })?;
        print_progress(self.world, &Progress::Removed(old));
        Ok(())
    }

    /// Repeats a call about the old key until it succeeds or fails for good. A key that no longer exists counts as
    /// success.
    fn insist(
        &mut self,
        rotation: &Rotation,
        what: &str,
        action: &str,
        call: impl Fn(&OwnKeys) -> Result<(), IamError>,
    ) -> Result<(), Failure> {
        let name = quote_word(rotation.profile.as_str());
        let finish = format!("the new key is stored and works; to finish: hatbox rotate {name}");
        let mut waits = Waits::until(SHORT_PATIENCE);
        loop {
            let keys = self.keys().map_err(|failure| failure.hint(&finish))?;
            let error = match call(&keys) {
                Ok(()) => return Ok(()),
                Err(error) if error.problem == IamProblem::NoSuchEntity => return Ok(()),
                Err(error) => error,
            };
            let may_pass = matches!(
                error.problem,
                IamProblem::Credentials | IamProblem::Throttled | IamProblem::Unreachable | IamProblem::Other
            );
            if !may_pass || !waits.wait("waiting until IAM accepts the call") {
                return Err(keys.failure(what, action, &error).hint(finish));
            }
            if error.problem == IamProblem::Credentials && keys.is_session() {
                self.keys = None;
            }
        }
    }

    /// Deletes the cached sessions of the old key, and the record. Returns the number of sessions.
    fn finish(&mut self, rotation: &Rotation) -> Result<usize, Failure> {
        let profiles: Vec<_> = rotation.profiles().cloned().collect();
        let deleted = self.run.delete_earlier_sessions(&profiles);
        let deleted = deleted.unwrap_or_else(|failure| {
            self.world
                .output
                .warn(&format!("the cached sessions of the old key are not deleted: {}", failure.error));
            0
        });
        self.rotations.delete(&rotation.profile)?;
        Ok(deleted)
    }

    /// Records a step. If that fails, continuing from the previous step leads to the same result.
    fn advance(&self, rotation: &mut Rotation, step: RotationStep) {
        rotation.step = step;
        if let Err(error) = self.rotations.save(rotation) {
            self.world.output.debug(|| format!("the step is not recorded: {error}"));
        }
    }

    /// Returns the id of the stored key in the plan.
    fn stored_id(&self) -> Result<AccessKeyId, Failure> {
        match &self.run.plan().base {
            Base::StoredKey { id: Some(id), .. } => Ok(id.clone()),
            _ => Err(Failure::new(FailureKind::Failed, "the stored access key was removed in the meantime")),
        }
    }

    /// Returns the signer of calls to IAM.
    pub(super) fn keys(&mut self) -> Result<Rc<OwnKeys>, Failure> {
        if let Some(keys) = &self.keys {
            return Ok(keys.clone());
        }
        let credentials = self.run.obtain().inspect_err(|failure| {
            save_last_failure(self.world, self.global, &self.run.plan().profile, failure);
        })?;
        // Security: the store may now have another user's key, so check it unless AWS has just confirmed the owner.
        let is_accepted = self.accepted.as_ref() == Some(credentials.id());
        let known = self.user.as_ref().filter(|_| is_accepted);
        let keys = Rc::new(OwnKeys::open(self.world, self.run.plan(), credentials, known)?);
        if let Some(user) = self.user.as_ref().filter(|user| user.arn != keys.user.arn) {
            return Err(Failure::new(
                FailureKind::Refused,
                format!("the stored access key is that of `{}` now, not of `{}`", keys.user.arn, user.arn),
            ));
        }
        self.user = Some(keys.user.clone());
        self.keys = Some(keys.clone());
        Ok(keys)
    }
}

/// The rotation lock prevents this on one machine, but machines may share a store.
fn replaced_meanwhile(profile: &ProfileName) -> Failure {
    Failure::new(
        FailureKind::Refused,
        format!("the access key of `{profile}` was replaced or removed in the store during its rotation"),
    )
    .hint("which keys there are in IAM: hatbox rotate --status")
}
