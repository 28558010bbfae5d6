//! The names of the backends, as used in flags, variables and the settings file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A backend. Every build knows all names; [`super::open::open_store`] fails for those that it does not include.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StoreKind {
    /// The desktop's Secret Service, over D-Bus: GNOME Keyring, KWallet, KeePassXC.
    SecretService,
    /// The macOS keychain.
    Keychain,
    /// The Windows Credential Manager.
    Wincred,
    /// Files encrypted with age.
    File,
    /// The `pass` program: files encrypted with GnuPG.
    Pass,
    /// The `passage` program: files encrypted with age.
    Passage,
    /// A helper program that the user chooses, which implements hatbox's protocol.
    Command,
    /// Memory only, for tests.
    #[cfg(test)]
    Memory,
}

impl StoreKind {
    /// All backends, starting with those that need no setup.
    pub(crate) const ALL: [Self; 7] = [
        Self::SecretService,
        Self::Keychain,
        Self::Wincred,
        Self::File,
        Self::Pass,
        Self::Passage,
        Self::Command,
    ];

    /// The backends that the first write may choose by itself, best first.
    pub(crate) const BY_ITSELF: [Self; 4] = [Self::SecretService, Self::Keychain, Self::Wincred, Self::File];

    /// Returns the backend of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::SecretService => "secret-service",
            Self::Keychain => "keychain",
            Self::Wincred => "wincred",
            Self::File => "file",
            Self::Pass => "pass",
            Self::Passage => "passage",
            Self::Command => "command",
            #[cfg(test)]
            Self::Memory => "memory",
        }
    }

    /// Returns whether it is an external program, which gets an environment and may have settings.
    pub(crate) fn is_program(self) -> bool {
        matches!(self, Self::Pass | Self::Passage | Self::Command)
    }

    /// Returns whether this build includes it.
    pub(crate) fn is_built(self) -> bool {
        match self {
            Self::SecretService => cfg!(all(target_os = "linux", feature = "secret-service")),
            Self::File => cfg!(feature = "file"),
            Self::Keychain => cfg!(all(target_os = "macos", feature = "keychain")),
            Self::Wincred => cfg!(windows),
            Self::Pass | Self::Passage | Self::Command => true,
            #[cfg(test)]
            Self::Memory => true,
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_parsed_as_settings_and_flags_write_it() {
        for kind in StoreKind::ALL {
            assert_eq!(StoreKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        assert_eq!(StoreKind::parse("keyctl"), None);
    }
}
