//! aws-vault's store `wincred`: generic credentials whose names begin with `aws-vault:aws-vault:`.

use hatbox_types::name::ProfileName;

use super::{FoundKey, ReadError, VaultError, parse_key, profile_of};
use crate::sys::credentials::{self, Code};

const PREFIX: &str = "aws-vault:aws-vault:";
/// GetLastError's ERROR_NOT_FOUND.
const NOT_FOUND: u32 = 1168;

/// The user's credentials.
#[derive(Debug)]
pub(crate) struct WincredVault;

impl WincredVault {
    pub(super) fn profiles(&self) -> Result<Vec<ProfileName>, VaultError> {
        match credentials::list(PREFIX) {
            Ok(found) => Ok(found
                .iter()
                .filter_map(|(name, _)| name.get(PREFIX.len()..))
                .filter_map(profile_of)
                .collect()),
            Err(Code(NOT_FOUND)) => Err(VaultError::Absent("no aws-vault credentials found".to_owned())),
            Err(code) => Err(VaultError::Failed(words(code))),
        }
    }

    pub(super) fn read(&self, profile: &ProfileName) -> Result<FoundKey, ReadError> {
        let data = credentials::read(&format!("{PREFIX}{profile}"))
            .map_err(|code| ReadError::Reported(words(code)))?;
        parse_key(&data).map_err(ReadError::Form)
    }

    pub(super) fn delete(&self, profile: &ProfileName) -> Result<(), String> {
        credentials::delete(&format!("{PREFIX}{profile}")).map_err(words)
    }
}

fn words(Code(code): Code) -> String {
    std::io::Error::from_raw_os_error(code.cast_signed()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_aws_vault_s_is_found_read_and_deleted() {
        let profile = ProfileName::parse(&format!("hatbox-test-{}", std::process::id())).unwrap();
        let name = format!("{PREFIX}{profile}");
        let key = r#"{"AccessKeyID":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"s","SessionToken":""}"#;
        credentials::write(&name, "aws-vault", "", key.as_bytes()).unwrap();
        assert!(WincredVault.profiles().unwrap().contains(&profile));
        let Ok(FoundKey::Key(key)) = WincredVault.read(&profile) else { panic!("it is a key") };
        assert_eq!(key.id.as_str(), "AKIAIOSFODNN7EXAMPLE");
        WincredVault.delete(&profile).unwrap();
        assert!(WincredVault.read(&profile).is_err());
    }
}
