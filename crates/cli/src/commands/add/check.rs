//! What `hatbox add` asks AWS about the typed key: which user it belongs to, and which MFA devices that user has.

use hatbox_core::plan::{Plan, Purpose};
use hatbox_types::arn::Arn;
use hatbox_types::name::{MfaSerial, ProfileName};
use hatbox_types::secret::AccessKey;

use super::Questions;
use crate::args::{GlobalArgs, SessionArgs};
use crate::credentials::caller::{Caller, fetch_key_owner};
use crate::credentials::plan::Planning;
use crate::credentials::request::resolve_session;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::ConfigFiles;
use crate::prompt::Echo;
use crate::store::index::Index;
use crate::store::{ItemId, ItemInfo};

/// A key that is not stored yet, and where it will be stored.
pub(super) struct NewKey<'a> {
    pub(super) global: &'a GlobalArgs,
    pub(super) files: &'a ConfigFiles,
    /// The store's index, without this key.
    pub(super) index: &'a Index,
    pub(super) profile: &'a ProfileName,
    pub(super) key: &'a AccessKey,
}

/// What is known about the user's MFA device.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Device {
    /// AWS was not asked, or did not answer.
    Unknown,
    /// The user chose a device, or none.
    Decided(Option<MfaSerial>),
}

impl Questions<'_> {
    /// Offers to check the key with AWS, and shows its owner.
    ///
    /// # Errors
    /// If AWS does not know the key and the user does not want to store it anyway.
    pub(super) fn check_key(&self, new: &NewKey<'_>, wants_device: bool) -> Result<Device, Failure> {
        if !self.is_yes("Check the key with AWS? (Y|n) ")? {
            return Ok(Device::Unknown);
        }
        let prompter = self.world.prompter();
        let plan = match new.resolve_plan(self) {
            Ok(plan) => plan,
            Err(failure) => {
                prompter.show(&format!("The key could not be checked: {}.", failure.error));
                return Ok(Device::Unknown);
            }
        };
        match fetch_key_owner(self.world, &plan, new.profile, new.key) {
            Caller::Known(arn) => {
                prompter.show(&render_owner(&arn));
                if wants_device { self.choose_device(new, plan, &arn) } else { Ok(Device::Unknown) }
            }
            Caller::BadKey(why) => {
                prompter.show(&format!("AWS does not know this key: {why}."));
                if self.is_confirmed("Store it anyway? (y|N) ")? {
                    return Ok(Device::Unknown);
                }
                Err(Failure::new(FailureKind::Failed, "nothing was stored")
                    .hint("a new key may need a few seconds to work everywhere in AWS"))
            }
            Caller::Unknown(why) | Caller::Unreachable(why) => {
                prompter.show(&format!("The key could not be checked: {why}."));
                Ok(Device::Unknown)
            }
        }
    }

    /// Shows the user's devices that give codes, and offers to use one.
    #[cfg(feature = "iam")]
    fn choose_device(&self, new: &NewKey<'_>, plan: Plan, arn: &str) -> Result<Device, Failure> {
        use crate::iam::open_user_of_key;
        let prompter = self.world.prompter();
        if !is_user(arn) {
            return Ok(Device::Decided(None));
        }
        let user = open_user_of_key(self.world, plan, new.key, arn)?;
        let devices = match user.fetch_devices() {
            Ok(devices) => devices,
            Err(failure) => {
                let why = failure.causes.first().unwrap_or(&failure.error);
                prompter.show(&format!("The MFA devices could not be listed: {why}."));
                return Ok(Device::Unknown);
            }
        };
        let serials: Vec<_> =
            devices.into_iter().map(|device| device.serial).filter(MfaSerial::has_codes).collect();
        match serials.as_slice() {
            [] => {
                prompter.show("The user has no MFA device that gives codes.");
                Ok(Device::Decided(None))
            }
            [only] => {
                let is_taken = self.is_yes(&format!("Use the MFA device {only}? (Y|n) "))?;
                Ok(Device::Decided(is_taken.then(|| only.clone())))
            }
            several => self.choose_of(several).map(Device::Decided),
        }
    }

    #[cfg(not(feature = "iam"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as with IAM")]
    fn choose_device(&self, _: &NewKey<'_>, _: Plan, arn: &str) -> Result<Device, Failure> {
        Ok(if is_user(arn) { Device::Unknown } else { Device::Decided(None) })
    }

    #[cfg(feature = "iam")]
    fn choose_of(&self, serials: &[MfaSerial]) -> Result<Option<MfaSerial>, Failure> {
        let prompter = self.world.prompter();
        prompter.show("The user's MFA devices:");
        for (number, serial) in (1..).zip(serials) {
            prompter.show(&format!("  {number}  {serial}"));
        }
        let text = format!("Use which device? (1-{}, Enter for none): ", serials.len());
        loop {
            let answer = self.ask(&text, Echo::Shown)?;
            let answer = answer.expose().trim();
            if answer.is_empty() {
                return Ok(None);
            }
            let chosen = answer.parse::<usize>().ok().and_then(|number| serials.get(number.checked_sub(1)?));
            match chosen {
                Some(serial) => return Ok(Some(serial.clone())),
                None => prompter.reject(&format!("Type a number from 1 to {}.", serials.len())),
            }
        }
    }

    /// Asks a yes/no question; Enter means yes.
    fn is_yes(&self, text: &str) -> Result<bool, Failure> {
        let answer = self.ask(text, Echo::Shown)?;
        Ok(matches!(answer.expose().trim().to_ascii_lowercase().as_str(), "" | "y" | "yes"))
    }

    /// Asks a question that needs a typed yes.
    fn is_confirmed(&self, text: &str) -> Result<bool, Failure> {
        let answer = self.ask(text, Echo::Shown)?;
        Ok(matches!(answer.expose().trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

impl NewKey<'_> {
    /// Resolves the profile's plan with the new key, which has the endpoint of AWS.
    fn resolve_plan(&self, asking: &Questions<'_>) -> Result<Plan, Failure> {
        let world = asking.world;
        let mut index = self.index.clone();
        index.put(&ItemInfo {
            id: ItemId::access_key(self.profile),
            created: world.clock.now(),
            access_key_id: Some(self.key.id.clone()),
        });
        let request = resolve_session(self.global, &SessionArgs::default(), &world.environment)?;
        let planning = Planning::new(world, self.files, &request, Some(&index), Purpose::BaseOnly);
        planning.resolve_quietly(self.profile)
    }
}

fn is_user(arn: &str) -> bool {
    Arn::parse(arn).is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("user/"))
}

/// Renders a sentence such as `It belongs to the user jan of account 111122223333.`
fn render_owner(arn: &str) -> String {
    match Arn::parse(arn) {
        Some(parts) if is_user(arn) => {
            let name = parts.resource.rsplit('/').next().unwrap_or_default();
            format!("The key belongs to the user {name} of account {}.", parts.account)
        }
        Some(parts) if parts.resource == "root" => format!(
            "The key belongs to the root user of account {}: it can do anything there. Use an IAM user's instead.",
            parts.account
        ),
        _ => format!("The key belongs to {arn}."),
    }
}
