//! A user's MFA devices.

use hatbox_types::name::MfaSerial;
use jiff::Timestamp;

use super::{Iam, IamError, for_each_page};

/// A device of a user, as IAM lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MfaDevice {
    pub(crate) serial: MfaSerial,
    pub(crate) enabled_at: Option<Timestamp>,
}

impl Iam {
    /// ListMFADevices: the devices of the user who calls.
    pub(crate) fn fetch_own_devices(&self) -> Result<Vec<MfaDevice>, IamError> {
        let mut devices = Vec::new();
        for_each_page(|marker| {
            let answer = self.run(self.client.list_mfa_devices().set_marker(marker).send())?;
            for device in answer.mfa_devices {
                let serial = MfaSerial::parse(&device.serial_number)
                    .map_err(|error| IamError::unusable(&format!("the serial number of a device {error}")))?;
                let enabled_at = Timestamp::from_second(device.enable_date.secs()).ok();
                devices.push(MfaDevice { serial, enabled_at });
            }
            Ok(answer.is_truncated.then_some(answer.marker))
        })?;
        Ok(devices)
    }
}
