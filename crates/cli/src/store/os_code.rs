//! The meaning of error codes of the Windows and macOS stores.
//!
//! They are plain numbers here, so that both tables can be tested on any system.

use super::asker::PassphraseError;
use super::{StoreError, StoreKind, cause};

/// What a code means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// There is no such item.
    Absent,
    /// The store is locked, or the user declined.
    Refused,
    /// The store cannot be used on this machine, or not at the moment.
    Unavailable,
    /// The stored data, or the data to write, is not valid.
    Broken,
}

impl Meaning {
    /// Converts it into an error of the store `kind`. `item` names the item, `said` is the system's own message.
    pub(crate) fn error(self, kind: StoreKind, item: &str, said: String) -> StoreError {
        match self {
            Self::Absent => StoreError::Absent,
            Self::Refused => StoreError::Locked(kind, PassphraseError::Refused { what: said }),
            Self::Unavailable => StoreError::Unavailable { kind, source: cause(said), hint: None },
            Self::Broken => StoreError::Broken { kind, what: item.to_owned(), problem: said },
        }
    }
}

/// Returns the meaning of GetLastError after a function of the Credential Manager.
///
/// | code | | meaning |
/// |---|---|---|
/// | 1168 | ERROR_NOT_FOUND | absent |
/// | 5 | ERROR_ACCESS_DENIED | refused |
/// | 1223 | ERROR_CANCELLED | refused |
/// | 1326 | ERROR_LOGON_FAILURE | refused |
/// | 13 | ERROR_INVALID_DATA | broken |
/// | 87 | ERROR_INVALID_PARAMETER | broken |
/// | 1004 | ERROR_INVALID_FLAGS | broken |
/// | 1783 | RPC_X_BAD_STUB_DATA: more bytes than an item may have | broken |
/// | 2202 | ERROR_BAD_USERNAME | broken |
/// | 1312 | ERROR_NO_SUCH_LOGON_SESSION: a network logon has no store | unavailable |
/// | others | | unavailable |
#[cfg(any(test, windows))]
pub(crate) fn meaning_of_last_error(code: u32) -> Meaning {
    match code {
        1168 => Meaning::Absent,
        5 | 1223 | 1326 => Meaning::Refused,
        13 | 87 | 1004 | 1783 | 2202 => Meaning::Broken,
        _ => Meaning::Unavailable,
    }
}

/// Returns the meaning of an OSStatus of the keychain (SecBase.h).
///
/// | status | | meaning |
/// |---|---|---|
/// | -25300 | errSecItemNotFound | absent |
/// | -128 | errSecUserCanceled | refused |
/// | -25293 | errSecAuthFailed | refused |
/// | -25308 | errSecInteractionNotAllowed: locked, and the user cannot be asked | refused |
/// | -25315 | errSecInteractionRequired | refused |
/// | -50 | errSecParam | broken |
/// | -26275 | errSecDecode | broken |
/// | -25303 | errSecNoSuchAttr | broken |
/// | -25304 | errSecInvalidItemRef | broken |
/// | -25291 | errSecNotAvailable: no keychain at all | unavailable |
/// | -25294 | errSecNoSuchKeychain | unavailable |
/// | -25295 | errSecInvalidKeychain | unavailable |
/// | -25307 | errSecNoDefaultKeychain | unavailable |
/// | -34018 | errSecMissingEntitlement | unavailable |
/// | others | | unavailable |
#[cfg(any(test, all(target_os = "macos", feature = "keychain")))]
pub(crate) fn meaning_of_os_status(status: i32) -> Meaning {
    match status {
        -25300 => Meaning::Absent,
        -128 | -25293 | -25308 | -25315 => Meaning::Refused,
        -50 | -26275 | -25303 | -25304 => Meaning::Broken,
        _ => Meaning::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_their_tables_say() {
        let this = include_str!("os_code.rs");
        let rows = |heading: &str| -> Vec<(String, String)> {
            let table = this.split_once(heading).unwrap().1;
            let lines = table.lines().skip_while(|line| !line.starts_with("/// |---"));
            lines
                .skip(1)
                .take_while(|line| line.starts_with("/// | "))
                .map(|line| {
                    let cells: Vec<_> = line.split('|').map(str::trim).collect();
                    (cells[1].to_owned(), cells[3].to_owned())
                })
                .collect()
        };
        let check = |heading: &str, others: &str, meaning_of: &dyn Fn(&str) -> Meaning| {
            let rows = rows(heading);
            assert!(rows.len() > 10, "{heading}");
            for (code, meaning) in rows {
                let code = if code == "others" { others } else { &code };
                assert_eq!(format!("{:?}", meaning_of(code)).to_lowercase(), meaning, "{code}");
            }
        };
        check("/// Returns the meaning of GetLastError", "31", &|code| {
            meaning_of_last_error(code.parse().unwrap())
        });
        check("/// Returns the meaning of an OSStatus", "-4", &|code| {
            meaning_of_os_status(code.parse().unwrap())
        });
    }

    #[test]
    fn only_what_is_absent_is_an_absent_item() {
        let error = |meaning: Meaning| meaning.error(StoreKind::Wincred, "item `x`", "why".to_owned());
        assert!(matches!(error(Meaning::Absent), StoreError::Absent));
        assert!(matches!(error(Meaning::Refused), StoreError::Locked(..)));
        assert!(matches!(error(Meaning::Unavailable), StoreError::Unavailable { .. }));
        assert!(matches!(error(Meaning::Broken), StoreError::Broken { .. }));
    }
}
