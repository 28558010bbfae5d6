//! `hatbox mfa register`: registers a new virtual device, and writes it to the config.
//!
//! | step | left behind if it stops here |
//! |---|---|
//! | CreateVirtualMFADevice | a device that is not enabled: hatbox deletes it, or the next run offers to |
//! | the seed is stored (`--store-seed`) | such a device, and a seed |
//! | EnableMFADevice | a working device that the config lacks: the next run adds it |
//! | the config is written | nothing |

use hatbox_core::config::edit::Change;
use hatbox_core::config::header::SectionKind;
use hatbox_core::config::origin::FileKind;
use hatbox_core::totp::{TotpSeed, TotpStep};
use hatbox_types::arn::Arn;
use hatbox_types::name::MfaSerial;
use hatbox_types::secret::MfaCode;
use hatbox_types::text::shell::quote_word;

use super::pairing::{Pairing, cancelled};
use super::serial_of;
use crate::args::{GlobalArgs, MfaRegisterArgs, SessionArgs};
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::aws::iam::{IamError, IamProblem, NewDevice};
use crate::credentials::obtain::ProfileRequest;
use crate::credentials::seed::open_used_codes;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::iam::{LiveUser, open_user};
use crate::keys::{KeyStore, StoredSeed, warn_of_seed};
use crate::sys::signals::Held;
use crate::world::World;

/// How many times the user may enter the two codes.
const TRIES: u32 = 3;

/// A registration in progress.
struct Registration<'a> {
    world: &'a World,
    global: &'a GlobalArgs,
    args: &'a MfaRegisterArgs,
    files: ConfigFiles,
    store: KeyStore,
    user: LiveUser,
    /// The name of the device; `serial` is its serial number, even before it exists.
    name: String,
    serial: MfaSerial,
    /// Holds fatal signals back until what was created is deleted.
    held: Held,
}

pub(super) fn run(world: &World, global: &GlobalArgs, args: &MfaRegisterArgs) -> Result<(), Failure> {
    if !args.store_seed && !world.has_terminal() {
        let profile = args.profile.as_deref();
        ProfileRequest { world, global, session: &SessionArgs::default(), profile }.check_without_asking()?;
        return Err(Failure::new(
            FailureKind::NeedsPerson,
            "registering an MFA device needs a terminal and an authenticator app",
        )
        .hint("run it on a terminal; or let hatbox keep the seed and make the codes: --store-seed"));
    }
    let user = open_user(world, global, args.profile.as_deref())?;
    let name = args.name.clone().unwrap_or_else(|| user.name().to_owned());
    let serial = serial_of_name(&user, &name)?;
    let mut registration = Registration {
        world,
        global,
        args,
        files: load_config(world)?,
        store: KeyStore::open(world, global)?,
        user,
        name,
        serial,
        held: Held::new(),
    };
    if registration.check_what_is_there()? == Left::ConfigOnly {
        return registration.save_serial();
    }
    let device = registration.create()?;
    registration.enable_or_undo(&device)?;
    registration.save_serial()
}

/// What an earlier run left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// The whole registration.
    Everything,
    /// Only the config: the device is enabled already.
    ConfigOnly,
}

fn serial_of_name(user: &LiveUser, name: &str) -> Result<MfaSerial, Failure> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let arn = Arn::parse(&user.arn);
    let serial = arn.map(|arn| format!("arn:{}:iam::{}:mfa/{name}", arn.partition, arn.account));
    let serial = serial.and_then(|serial| MfaSerial::parse(&serial).ok());
    serial.filter(|_| !name.is_empty() && name.chars().all(is_name)).ok_or_else(|| {
        Failure::new(
            FailureKind::Usage,
            format!("invalid device name `{}`: expected letters, digits and `_+=,.@-`", name.escape_debug()),
        )
    })
}

impl Registration<'_> {
    /// The profile's name, quoted for a shell.
    fn profile_word(&self) -> String {
        quote_word(self.user.profile.as_str()).into()
    }

    /// Checks, before anything is created, whether the name is free and no other device's seed is stored for the
    /// profile.
    fn check_what_is_there(&mut self) -> Result<Left, Failure> {
        let devices = self.user.fetch_devices_with_mfa(self.world, self.global)?;
        if devices.iter().any(|device| device.serial == self.serial) {
            return self.check_registered();
        }
        if !self.args.store_seed {
            return Ok(Left::Everything);
        }
        let Self { serial, user, .. } = self;
        match self.store.read_seed(&user.profile)? {
            Some(stored) if stored.serial != *serial => Err(Failure::new(
                FailureKind::Refused,
                format!("the TOTP seed of {} is stored for profile `{}`", stored.serial, user.profile),
            )
            .hint("that seed would be lost; if you no longer need it, delete it first")
            .hint(format!("hatbox mfa remove-seed {}", self.profile_word()))),
            _ => Ok(Left::Everything),
        }
    }

    /// A device of this name is enabled, perhaps by an earlier run that did not write the config. Adds it to the
    /// config, if a stored seed proves that or the user confirms.
    fn check_registered(&mut self) -> Result<Left, Failure> {
        let Self { serial, user, world, .. } = self;
        let registered = format!("{serial} is registered already, and enabled");
        let named = serial_of(&self.files, &user.profile);
        if named.is_none() {
            let stored = if self.args.store_seed { self.store.read_seed(&user.profile)? } else { None };
            let question = Confirmation {
                text: &format!("{registered}. Write it to [profile {}]? (y|N) ", user.profile),
                because: None,
                hint: "run it on a terminal",
                timeout: world.settings()?.prompt_timeout(),
            };
            if stored.is_some_and(|stored| stored.serial == *serial)
                || (world.has_terminal() && ask_yes_or_no(world, &question)?)
            {
                world.output.note(&format!("{registered}, but the config does not name it"));
                return Ok(Left::ConfigOnly);
            }
        }
        let failure = Failure::new(FailureKind::Failed, registered);
        let failure = if named.as_ref() == Some(serial) {
            failure
        } else {
            failure.hint(format!("to use it, write `mfa_serial = {serial}` below [profile {}]", user.profile))
        };
        Err(failure.hint(format!(
            "to register another one: hatbox mfa register --name NAME {}",
            self.profile_word()
        )))
    }

    /// Creates the device. Deletes one of this name that was never enabled first, after the user confirms.
    fn create(&mut self) -> Result<NewDevice, Failure> {
        let Self { user, name, .. } = self;
        let created = user.call(self.world, self.global, |user| user.once().create_virtual_device(name))?;
        let error = match created {
            Ok(device) if device.serial == self.serial => return Ok(device),
            Ok(device) => {
                let text = format!("IAM created {} instead of {}", device.serial, self.serial);
                return Err(Failure::new(FailureKind::Failed, text));
            }
            Err(error) if error.problem == IamProblem::AlreadyExists => error,
            Err(error) => {
                let failure =
                    self.failure("could not create the device", "iam:CreateVirtualMFADevice", &error);
                let is_open = matches!(error.problem, IamProblem::Unreachable | IamProblem::Other);
                return Err(if is_open {
                    failure
                        .hint(format!("the device may exist without being enabled; if so: {}", self.again()))
                } else {
                    failure
                });
            }
        };
        self.replace_unfinished(&error)
    }

    fn replace_unfinished(&mut self, taken: &IamError) -> Result<NewDevice, Failure> {
        let listed = self.user.call(self.world, self.global, |user| user.iam().fetch_unassigned_devices())?;
        let is_unfinished = listed.map_err(|error| {
            let what =
                format!("the device {} already exists, and hatbox cannot find out whose it is", self.serial);
            self.failure(&what, "iam:ListVirtualMFADevices", &error)
        })?;
        if !is_unfinished.contains(&self.serial) {
            return Err(Failure::new(
                FailureKind::Failed,
                format!("the name `{}` is taken by a device of another user", self.name),
            )
            .caused_by(taken)
            .hint(format!("hatbox mfa register --name OTHER {}", self.profile_word())));
        }
        let exists = format!("{} was created before and never enabled", self.serial);
        let question = Confirmation {
            text: &format!("{exists}. Delete it and start again? (y|N) "),
            because: Some(&exists),
            hint: "run it on a terminal, or add --replace",
            timeout: self.world.settings()?.prompt_timeout(),
        };
        if !self.args.replace && !ask_yes_or_no(self.world, &question)? {
            return Err(Failure::new(FailureKind::Failed, "nothing was changed"));
        }
        let Self { user, serial, .. } = self;
        let deleted = user.call(self.world, self.global, |user| user.iam().delete_virtual_device(serial))?;
        deleted.map_err(|error| {
            self.failure("could not delete the device", "iam:DeleteVirtualMFADevice", &error)
        })?;
        self.user.once().create_virtual_device(&self.name).map_err(|error| {
            self.failure("could not create the device", "iam:CreateVirtualMFADevice", &error)
                .hint(format!("an earlier device of this name is deleted; {}", self.again()))
        })
    }

    /// The command that finishes the registration.
    fn again(&self) -> String {
        let flag = if self.args.store_seed { " --store-seed" } else { "" };
        let name = if self.name == self.user.name() {
            String::new()
        } else {
            format!(" --name {}", quote_word(&self.name))
        };
        format!("hatbox mfa register --replace{flag}{name} {}", self.profile_word())
    }

    fn failure(&self, what: &str, action: &str, error: &IamError) -> Failure {
        self.user.failure(what, action, error)
    }

    /// Enables the device. On failure, deletes what was created, or reports what is left.
    fn enable_or_undo(&mut self, device: &NewDevice) -> Result<(), Failure> {
        let result = self.enable(device);
        if let Err(NotEnabled::Not(failure)) = result {
            self.undo();
            return Err(failure);
        }
        match result {
            Ok(()) => Ok(()),
            Err(NotEnabled::Not(failure) | NotEnabled::Unknown(failure)) => Err(failure),
        }
    }

    fn enable(&mut self, device: &NewDevice) -> Result<(), NotEnabled> {
        if self.args.store_seed {
            self.check_signal()?;
            let (profile, serial) = (self.user.profile.clone(), self.serial.clone());
            let stored = StoredSeed { profile, serial, seed: device.seed.clone() };
            let kind = self.store.save_seed(&stored)?;
            warn_of_seed(self.world, kind == self.store.chosen().map(|(kind, _)| kind));
        }
        let mut tries = 0;
        loop {
            self.check_signal()?;
            let codes = if self.args.store_seed {
                self.make_codes(&device.seed)
            } else {
                self.pairing().ask_codes(&device.seed)?
            };
            self.check_signal()?;
            tries += 1;
            let used = open_used_codes(self.world, &mut self.store, &self.serial)?;
            for code in &codes {
                used.save(code).map_err(Failure::from)?;
            }
            let Self { user, serial, .. } = self;
            let enabled = user.call(self.world, self.global, |user| {
                user.once().enable_device(user.name(), serial, &codes)
            })?;
            match enabled {
                Ok(()) => return Ok(()),
                Err(error)
                    if error.problem == IamProblem::WrongCode && !self.args.store_seed && tries < TRIES =>
                {
                    self.world.prompter().reject("AWS rejected the codes: enter two consecutive codes.");
                }
                Err(error) => return self.not_enabled(&error),
            }
        }
    }

    /// Interprets a failed EnableMFADevice. If the answer was lost, asks IAM whether the device is enabled.
    fn not_enabled(&self, error: &IamError) -> Result<(), NotEnabled> {
        let what = format!("could not enable {}", self.serial);
        let failure = self.failure(&what, "iam:EnableMFADevice", error);
        let failure = match error.problem {
            IamProblem::OverQuota => failure
                .hint(format!("hatbox mfa list {} shows the devices that the user has", self.profile_word())),
            IamProblem::WrongCode if self.args.store_seed => {
                failure.hint("hatbox made the codes with the clock of this machine: check it")
            }
            IamProblem::Unreachable | IamProblem::Other if self.user.once().may_have_sent() => {
                return match self.user.iam().fetch_own_devices() {
                    Ok(devices) if devices.iter().any(|device| device.serial == self.serial) => Ok(()),
                    Ok(_) => Err(NotEnabled::Not(failure)),
                    Err(_) => Err(NotEnabled::Unknown(
                        failure
                            .hint(format!(
                                "it may be enabled anyway: hatbox mfa list {}",
                                self.profile_word()
                            ))
                            .hint(format!("if it is not listed there: {}", self.again())),
                    )),
                };
            }
            _ => failure,
        };
        Err(NotEnabled::Not(failure))
    }

    /// Deletes what was created, the seed last: if the device cannot be deleted, it may be enabled, and the seed is the
    /// only copy.
    fn undo(&mut self) {
        let output = &self.world.output;
        match self.user.iam().delete_virtual_device(&self.serial) {
            Ok(()) => output.note(&format!("deleted {} from IAM", self.serial)),
            Err(error) if error.problem == IamProblem::NoSuchEntity => {
                output.note(&format!("{} no longer exists in IAM", self.serial));
            }
            Err(error) => {
                output.warn(&format!("{} is in IAM and could not be deleted: {error}", self.serial));
                if self.args.store_seed {
                    output.warn("its TOTP seed stays in the store, because the device may be enabled");
                }
                output.hint(&format!("to see whether it is: hatbox mfa list {}", self.profile_word()));
                output.hint(&format!("if it is not listed there: {}", self.again()));
                return;
            }
        }
        if self.args.store_seed
            && let Err(error) = self.store.delete_seed(&self.user.profile)
        {
            output.warn(&format!("its TOTP seed could not be deleted: {}", error.error));
            output.hint(&format!("hatbox mfa remove-seed {}", self.profile_word()));
        }
    }

    fn check_signal(&self) -> Result<(), Failure> {
        if self.held.is_one_pending() { Err(cancelled()) } else { Ok(()) }
    }

    /// Returns the codes of the previous and the current time step, which are both valid now.
    fn make_codes(&self, seed: &TotpSeed) -> [MfaCode; 2] {
        let now = TotpStep::at(self.world.clock.now());
        [seed.code(now.previous()), seed.code(now)]
    }

    fn pairing(&self) -> Pairing<'_> {
        Pairing {
            world: self.world,
            user_arn: &self.user.arn,
            device: &self.name,
            show_secret: self.args.show_secret,
            held: &self.held,
        }
    }

    /// Writes `mfa_serial`, unless the profile names another device.
    fn save_serial(&self) -> Result<(), Failure> {
        let Self { world, files, serial, user, .. } = self;
        let profile = &user.profile;
        world.output.note(&format!("registered {serial} for {}", user.name()));
        let shown = files.shown(FileKind::Config);
        if let Some(other) = serial_of(files, profile) {
            world.output.note(&format!("[profile {profile}] keeps `mfa_serial = {other}`"));
            world.output.hint(&format!("to use the new device, write `mfa_serial = {serial}` there"));
            return Ok(());
        }
        let change = Change::Set { key: "mfa_serial".to_owned(), value: serial.as_str().to_owned() };
        let is_new = files.save_section(world, SectionKind::Profile, profile.as_str(), &[change]).map_err(
            |failure| {
                failure.hint(format!(
                    "the device works; write `mfa_serial = {serial}` below [profile {profile}] by hand"
                ))
            },
        )?;
        let verb = if is_new { "added" } else { "changed" };
        world.output.note(&format!("{verb} [profile {profile}] in {shown}"));
        world.output.hint(&format!("roles that require MFA need the line as well: mfa_serial = {serial}"));
        Ok(())
    }
}

/// Why the device is not enabled.
enum NotEnabled {
    /// It is certainly not enabled.
    Not(Failure),
    /// It may be enabled.
    Unknown(Failure),
}

impl From<Failure> for NotEnabled {
    fn from(failure: Failure) -> Self {
        Self::Not(failure)
    }
}
