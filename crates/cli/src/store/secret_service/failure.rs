//! Classifies the errors of the bus and of the Secret Service.
//!
//! | D-Bus error | kind |
//! |---|---|
//! | `Secret.Error.NoSuchObject`, `DBus.Error.UnknownObject` | absent |
//! | `Secret.Error.IsLocked`, a dismissed prompt, `AccessDenied` | locked or refused |
//! | no bus, no service, no answer in time | unavailable |
//! | anything else | unavailable, with its name |

use std::io;
use std::time::Duration;

use zbus::DBusError;

use super::KIND;
use crate::store::asker::PassphraseError;
use crate::store::{StoreError, cause};

/// Limit for connecting to the bus and for each call.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failed {
    /// There is no such item or collection, or no longer.
    #[error("there is no such item")]
    Absent,
    /// The collection is locked.
    #[error("the keyring is locked")]
    Locked,
    /// The user, or the service by itself, declined.
    #[error("the password prompt of the keyring was dismissed, or could not be shown")]
    Refused,
    /// There is no session bus.
    #[error("there is no D-Bus session bus")]
    NoBus,
    /// There is a bus, but no keyring service on it.
    #[error("no keyring program responds on the session bus")]
    NoService,
    /// There was no answer in time.
    #[error("the keyring did not respond within {} s", DEADLINE.as_secs())]
    Silent,
    /// Another D-Bus error, by its name.
    #[error("{0}")]
    Other(String),
}

impl Failed {
    pub(super) fn into_error(self) -> StoreError {
        match self {
            Self::Absent => StoreError::Absent,
            Self::Locked => StoreError::Locked(KIND, PassphraseError::CannotAsk),
            Self::Refused => StoreError::Locked(KIND, PassphraseError::Refused { what: self.to_string() }),
            Self::NoBus | Self::NoService | Self::Silent | Self::Other(_) => StoreError::Unavailable {
                kind: KIND,
                source: cause(self.to_string()),
                hint: Some(self.hint().to_owned()),
            },
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::NoBus => {
                "run hatbox in a desktop session, or under `dbus-run-session`; `hatbox store status` shows the other backends"
            }
            _ => {
                "check that GNOME Keyring, KWallet or KeePassXC is running; `hatbox store status` shows the \
                 other backends"
            }
        }
    }
}

/// Classifies an error of the `secret_service` crate.
pub(crate) fn classify(error: &secret_service::Error) -> Failed {
    use secret_service::Error;
    match error {
        Error::Locked => Failed::Locked,
        Error::NoResult => Failed::Absent,
        Error::Prompt | Error::PromptDisconnected => Failed::Refused,
        Error::Unavailable => Failed::NoBus,
        Error::Zbus(error) => of_bus(error),
        Error::ZbusFdo(error) => of_fdo(error),
        Error::Crypto(_) => Failed::Other("the keyring's response could not be decrypted".to_owned()),
        _ => Failed::Other("the keyring returned an invalid response".to_owned()),
    }
}

fn of_bus(error: &zbus::Error) -> Failed {
    match error {
        zbus::Error::MethodError(name, ..) => of_name(name.as_str()),
        zbus::Error::FDO(error) => of_fdo(error),
        zbus::Error::InputOutput(error) | zbus::Error::Connection(error, _) => of_io(error.kind()),
        zbus::Error::Address(_) => Failed::NoBus,
        zbus::Error::Handshake(_) => Failed::Other("the session bus refused the connection".to_owned()),
        _ => Failed::Other("the session bus returned an invalid response".to_owned()),
    }
}

fn of_fdo(error: &zbus::fdo::Error) -> Failed {
    match error {
        zbus::fdo::Error::ZBus(error) => of_bus(error),
        error => of_name(error.name().as_str()),
    }
}

fn of_io(kind: io::ErrorKind) -> Failed {
    match kind {
        io::ErrorKind::TimedOut => Failed::Silent,
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::PermissionDenied => {
            Failed::NoBus
        }
        kind => Failed::Other(format!("the connection to the session bus failed: {kind}")),
    }
}

fn of_name(name: &str) -> Failed {
    let last = name.rsplit_once("Error.").map_or(name, |(_, last)| last);
    match last {
        "NoSuchObject" | "UnknownObject" => Failed::Absent,
        "IsLocked" => Failed::Locked,
        "AccessDenied" | "AuthFailed" => Failed::Refused,
        "ServiceUnknown" | "NameHasNoOwner" => Failed::NoService,
        "NoReply" | "Timeout" | "TimedOut" => Failed::Silent,
        _ if last.starts_with("Spawn.") => Failed::NoService,
        // The service chooses the name, so only the printable part is kept, up to a limit.
        _ => {
            let name: String = name.chars().filter(char::is_ascii_graphic).take(80).collect();
            Failed::Other(format!("the keyring returned {name}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_of_an_error_is_of_one_kind() {
        for (name, expected) in [
            ("org.freedesktop.Secret.Error.NoSuchObject", Failed::Absent),
            ("org.freedesktop.DBus.Error.UnknownObject", Failed::Absent),
            ("org.freedesktop.Secret.Error.IsLocked", Failed::Locked),
            ("org.freedesktop.DBus.Error.AccessDenied", Failed::Refused),
            ("org.freedesktop.DBus.Error.AuthFailed", Failed::Refused),
            ("org.freedesktop.DBus.Error.ServiceUnknown", Failed::NoService),
            ("org.freedesktop.DBus.Error.NameHasNoOwner", Failed::NoService),
            ("org.freedesktop.DBus.Error.Spawn.ExecFailed", Failed::NoService),
            ("org.freedesktop.DBus.Error.Spawn.ServiceNotFound", Failed::NoService),
            ("org.freedesktop.DBus.Error.NoReply", Failed::Silent),
            ("org.freedesktop.DBus.Error.Timeout", Failed::Silent),
            ("org.freedesktop.DBus.Error.TimedOut", Failed::Silent),
            (
                "org.freedesktop.DBus.Error.Failed",
                Failed::Other("the keyring returned org.freedesktop.DBus.Error.Failed".to_owned()),
            ),
            ("a\u{1b}[31m.Error.X", Failed::Other("the keyring returned a[31m.Error.X".to_owned())),
        ] {
            assert_eq!(of_name(name), expected, "{name}");
        }
        for (kind, expected) in [
            (io::ErrorKind::TimedOut, Failed::Silent),
            (io::ErrorKind::NotFound, Failed::NoBus),
            (io::ErrorKind::ConnectionRefused, Failed::NoBus),
            (io::ErrorKind::PermissionDenied, Failed::NoBus),
        ] {
            assert_eq!(of_io(kind), expected, "{kind}");
        }
    }

    #[test]
    fn only_absent_means_that_the_next_way_may_be_tried() {
        let kinds = [Failed::Absent, Failed::Locked, Failed::Refused, Failed::NoBus, Failed::Silent];
        let errors = kinds.map(Failed::into_error);
        assert!(matches!(errors[0], StoreError::Absent));
        assert!(matches!(errors[1], StoreError::Locked(_, PassphraseError::CannotAsk)));
        assert!(matches!(errors[2], StoreError::Locked(_, PassphraseError::Refused { .. })));
        assert!(matches!(errors[3], StoreError::Unavailable { hint: Some(_), .. }));
        assert!(matches!(errors[4], StoreError::Unavailable { hint: Some(_), .. }));
    }
}
