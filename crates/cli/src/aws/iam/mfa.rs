//! A user's MFA devices.

use aws_sdk_iam::types::AssignmentStatusType;
use hatbox_core::totp::TotpSeed;
use hatbox_types::name::MfaSerial;
use hatbox_types::secret::MfaCode;
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{Iam, IamError, for_each_page};

/// A user's device, as IAM lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MfaDevice {
    pub(crate) serial: MfaSerial,
    pub(crate) enabled_at: Option<Timestamp>,
}

/// A new virtual device that is not enabled yet.
#[derive(Debug)]
pub(crate) struct NewDevice {
    pub(crate) serial: MfaSerial,
    pub(crate) seed: TotpSeed,
}

fn parse_serial(text: &str) -> Result<MfaSerial, IamError> {
    MfaSerial::parse(text)
        .map_err(|error| IamError::unusable(&format!("the serial number of a device {error}")))
}

impl Iam {
    /// ListMFADevices: returns the devices of the calling user.
    pub(crate) fn fetch_own_devices(&self) -> Result<Vec<MfaDevice>, IamError> {
        let mut devices = Vec::new();
        for_each_page(|marker| {
            let answer = self.run(self.client.list_mfa_devices().set_marker(marker).send())?;
            for device in answer.mfa_devices {
                let serial = parse_serial(&device.serial_number)?;
                let enabled_at = Timestamp::from_second(device.enable_date.secs()).ok();
                devices.push(MfaDevice { serial, enabled_at });
            }
            Ok(answer.is_truncated.then_some(answer.marker))
        })?;
        Ok(devices)
    }

    /// CreateVirtualMFADevice. Needs a client that sends once (`Sending::Once`): a second request would find the name
    /// taken, and the seed in the first answer would be lost.
    pub(crate) fn create_virtual_device(&self, name: &str) -> Result<NewDevice, IamError> {
        let answer =
            self.run(self.client.create_virtual_mfa_device().virtual_mfa_device_name(name).send())?;
        let device =
            answer.virtual_mfa_device.ok_or_else(|| IamError::unusable("the response has no device"))?;
        let no_seed = || IamError::unusable("the response has no seed of the device");
        let seed = Zeroizing::new(device.base32_string_seed.ok_or_else(no_seed)?.into_inner());
        let seed = std::str::from_utf8(&seed).ok().and_then(|text| TotpSeed::parse(text).ok());
        Ok(NewDevice { serial: parse_serial(&device.serial_number)?, seed: seed.ok_or_else(no_seed)? })
    }

    /// EnableMFADevice, with two consecutive codes. Needs a client that sends once, as each code works once.
    pub(crate) fn enable_device(
        &self,
        user: &str,
        serial: &MfaSerial,
        codes: &[MfaCode; 2],
    ) -> Result<(), IamError> {
        let [first, second] = codes;
        let call = self
            .client
            .enable_mfa_device()
            .user_name(user)
            .serial_number(serial.as_str())
            .authentication_code1(first.expose())
            .authentication_code2(second.expose());
        self.run(call.send()).map(|_| ())
    }

    /// DeleteVirtualMFADevice: deletes a device that is not enabled.
    pub(crate) fn delete_virtual_device(&self, serial: &MfaSerial) -> Result<(), IamError> {
        self.run(self.client.delete_virtual_mfa_device().serial_number(serial.as_str()).send()).map(|_| ())
    }

    /// ListVirtualMFADevices: returns the account's devices that were created but never enabled.
    pub(crate) fn fetch_unassigned_devices(&self) -> Result<Vec<MfaSerial>, IamError> {
        let mut serials = Vec::new();
        for_each_page(|marker| {
            let call = self.client.list_virtual_mfa_devices();
            let call = call.assignment_status(AssignmentStatusType::Unassigned).set_marker(marker);
            let answer = self.run(call.send())?;
            for device in answer.virtual_mfa_devices {
                serials.push(parse_serial(&device.serial_number)?);
            }
            Ok(answer.is_truncated.then_some(answer.marker))
        })?;
        Ok(serials)
    }
}
