//! The last code sent for an MFA device: no code goes out twice, whichever process sends it.
//!
//! AWS takes each code once, and counts wrong ones against the device. What is kept is a digest, in a file
//! of the user's own, of a code that is worth nothing once it was sent.

use std::path::{Path, PathBuf};

use hatbox_core::name::MfaSerial;
use hatbox_core::secret::MfaCode;
use sha2::{Digest, Sha256};

use crate::sys::files::{FileError, Keep, read_private, write_atomic};

/// The last code of one device. Used under the device's lock.
#[derive(Debug)]
pub(crate) struct UsedCode {
    path: PathBuf,
    serial: MfaSerial,
}

impl UsedCode {
    /// Of the device whose lock file is `lock`.
    pub(crate) fn beside(lock: &Path, serial: &MfaSerial) -> Self {
        Self { path: lock.with_extension("used"), serial: serial.clone() }
    }

    fn digest(&self, code: &MfaCode) -> String {
        let digest = Sha256::new()
            .chain_update("hatbox used code\0")
            .chain_update(self.serial.as_str())
            .chain_update([0])
            .chain_update(code.expose())
            .finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether `code` is the last that was sent. A device repeats a code by chance once in a million.
    pub(crate) fn is(&self, code: &MfaCode) -> bool {
        read_private(&self.path, 128).is_ok_and(|text| text == self.digest(code).as_bytes())
    }

    /// Remembers `code`; called before it is sent, so that a kill in between does not forget it.
    pub(crate) fn save(&self, code: &MfaCode) -> Result<(), FileError> {
        write_atomic(&self.path, self.digest(code).as_bytes(), Keep::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_as_used_for_its_device_only() {
        let dir = tempfile::tempdir().unwrap();
        let device =
            |serial: &str| UsedCode::beside(&dir.path().join(serial), &MfaSerial::parse(serial).unwrap());
        let (a, b) = (device("GAHT00000001"), device("GAHT00000002"));
        let code = MfaCode::parse("123456").unwrap();
        assert!(!a.is(&code));
        a.save(&code).unwrap();
        assert!(a.is(&code));
        assert!(!a.is(&MfaCode::parse("654321").unwrap()));
        assert!(!b.is(&code));
    }
}
