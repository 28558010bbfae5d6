//! MFA devices: which of them give codes that AssumeRole and GetSessionToken take.

use super::entity::Entity;
use crate::accounts::Accounts;
use crate::policy::arn::Arn;

/// What a serial number names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    /// A virtual device, or a hardware token: it gives codes.
    Codes,
    /// A passkey or security key: `arn:aws:iam::A:u2f/...`.
    Passkey,
    /// A telephone: `arn:aws:iam::A:sms-mfa/...`. Its codes sign in to the console only.
    TextMessages,
    /// A user, in the place of the user's device: a common mistake.
    User,
}

impl Device {
    /// Of a serial number: the ARN of a device, or the number on a hardware token.
    pub(crate) fn of(serial: &str) -> Self {
        let kind = Arn::parse(serial).and_then(|arn| arn.resource.split_once('/')).map(|(kind, _)| kind);
        match kind {
            Some("u2f") => Self::Passkey,
            Some("sms-mfa") => Self::TextMessages,
            Some("user") => Self::User,
            _ => Self::Codes,
        }
    }
}

/// Whether the device gives codes.
pub(crate) fn gives_codes(serial: &str) -> bool {
    Device::of(serial) == Device::Codes
}

/// Whether one of these devices gives codes.
pub(crate) fn any_gives_codes(serials: &[String]) -> bool {
    serials.iter().any(|serial| gives_codes(serial))
}

/// Whether a user has a device that gives codes, where that is known.
pub(crate) fn has_code_device(accounts: &Accounts, user: &Entity) -> Option<bool> {
    let account = accounts.accounts.get(user.account.as_ref()?)?;
    let serials = account.users.get(&user.arn)?.mfa_devices.known()?;
    Some(any_gives_codes(serials))
}
