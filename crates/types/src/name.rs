//! The names in AWS and in configs, each checked once when it enters the program.
//!
//! | type | form | source |
//! |---|---|---|
//! | [`ProfileName`] | 1..=256 characters, no control character, no `]`, no blank at either end | botocore's section headers |
//! | [`AccessKeyId`] | 16..=128 of `[A-Za-z0-9_]` | STS `GetAccessKeyInfo` |
//! | [`AccountId`] | 12 digits | IAM identifiers |
//! | [`RoleArn`] | `arn:PARTITION:iam::ACCOUNT:role/NAME`, 20..=2048 | STS `AssumeRole` |
//! | [`MfaSerial`] | 9..=256 of `[A-Za-z0-9_+=/:,.@-]` | STS `AssumeRole` |
//! | [`Region`] | 1..=63 of `[a-z0-9-]`, no `-` at either end | a host label, as it is part of a host name |

use std::fmt;

use crate::arn::Arn;

/// Why a text is not a valid name of its kind.
///
/// It does not contain the text, which the caller shows together with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty.
    #[error("expected a value, found an empty one")]
    Empty,
    /// The text is shorter or longer than the service accepts.
    #[error("expected {min} to {max} characters, found {actual}")]
    Length {
        /// Its length in characters.
        actual: usize,
        /// The minimum length.
        min: usize,
        /// The maximum length.
        max: usize,
    },
    /// A character that the service does not accept.
    #[error("the character `{}` is not allowed", .0.escape_debug())]
    Character(char),
    /// A character that the service accepts only inside a name.
    #[error("the character `{}` is not allowed at either end", .0.escape_debug())]
    Edge(char),
    /// The text is not an account id.
    #[error("expected 12 digits")]
    AccountId,
    /// The text does not have the required form.
    #[error("expected `{0}`")]
    Form(&'static str),
}

fn check(text: &str, min: usize, max: usize, is_allowed: impl Fn(char) -> bool) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    let mut actual = 0;
    for c in text.chars() {
        if !is_allowed(c) {
            return Err(NameError::Character(c));
        }
        actual += 1;
    }
    if actual < min || actual > max {
        return Err(NameError::Length { actual, min, max });
    }
    Ok(())
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Returns the text of the name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }
    };
}

name_type! {
    /// The name of a profile: the `x` of `[profile x]`. Case-sensitive.
    ProfileName
}

impl ProfileName {
    /// Parses a profile name.
    ///
    /// # Errors
    /// If it is empty, longer than 256 characters, contains a control character or `]`, or begins or ends with a blank.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check(text, 1, 256, |c| !c.is_control() && c != ']')?;
        if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
            return Err(NameError::Edge(' '));
        }
        Ok(Self(text.to_owned()))
    }

    /// The profile that AWS's tools use if none is named.
    pub fn default_profile() -> Self {
        Self("default".to_owned())
    }

    /// Whether this is `default`.
    pub fn is_default(&self) -> bool {
        self.0 == "default"
    }
}

/// The id of an access key. Messages show only its last four characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccessKeyId(String);

impl AccessKeyId {
    /// Parses an access key id. Ignores the prefix, as local stand-ins use their own.
    ///
    /// # Errors
    /// If it is not 16 to 128 characters of `[A-Za-z0-9_]`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check(text, 16, 128, |c| c.is_ascii_alphanumeric() || c == '_')?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the whole id: for requests, the child's environment and sealed items; never for a message.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the form for messages: `****` and the last four characters.
    pub fn masked(&self) -> String {
        let tail = self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default();
        format!("****{tail}")
    }
}

impl fmt::Debug for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKeyId({})", self.masked())
    }
}

name_type! {
    /// An AWS account: 12 digits.
    AccountId
}

impl AccountId {
    /// Parses an account id.
    ///
    /// # Errors
    /// If it is not exactly 12 digits.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check(text, 12, 12, |c| c.is_ascii_digit()).map_err(|_| NameError::AccountId)?;
        Ok(Self(text.to_owned()))
    }
}

name_type! {
    /// The ARN of an IAM role, including its path. Case-sensitive.
    RoleArn
}

impl RoleArn {
    const FORM: &'static str = "arn:PARTITION:iam::ACCOUNT:role/NAME";

    /// Parses the ARN of a role.
    ///
    /// # Errors
    /// If it is not the ARN of an IAM role with 20 to 2048 printable ASCII characters.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check(text, 1, 2048, |c| c.is_ascii_graphic())?;
        let has_form = Arn::parse(text).is_some_and(|arn| {
            let name = arn.resource.strip_prefix("role/").unwrap_or_default();
            !arn.partition.is_empty()
                && arn.service == "iam"
                && arn.region.is_empty()
                && AccountId::parse(arn.account).is_ok()
                && !name.is_empty()
                && !name.ends_with('/')
        });
        if has_form { Ok(Self(text.to_owned())) } else { Err(NameError::Form(Self::FORM)) }
    }

    fn arn(&self) -> Option<Arn<'_>> {
        Arn::parse(&self.0)
    }

    /// Returns the partition: `aws`, `aws-cn`, `aws-us-gov`, ...
    pub fn partition(&self) -> &str {
        self.arn().map_or("", |arn| arn.partition)
    }

    /// Returns the account of the role: 12 digits.
    pub fn account(&self) -> &str {
        self.arn().map_or("", |arn| arn.account)
    }

    /// Returns the role's name without its path.
    pub fn role_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

name_type! {
    /// The serial number of an MFA device: that of a hardware device, or the ARN of a virtual one.
    MfaSerial
}

impl MfaSerial {
    /// Parses the serial number of an MFA device.
    ///
    /// # Errors
    /// If it is not 9 to 256 characters of `[A-Za-z0-9_+=/:,.@-]`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check(text, 9, 256, |c| c.is_ascii_alphanumeric() || "_+=/:,.@-".contains(c))?;
        Ok(Self(text.to_owned()))
    }

    /// Whether this is the ARN of a *user*, a common mistake: the ARN of the device has `:mfa/` instead.
    pub fn is_user_arn(&self) -> bool {
        self.0.starts_with("arn:") && self.0.contains(":user/")
    }

    /// Whether the device gives codes. Security keys and passkeys do not: `arn:aws:iam::111122223333:u2f/...`.
    pub fn has_codes(&self) -> bool {
        self.arn().is_none_or(|arn| !arn.resource.starts_with("u2f/"))
    }

    /// Returns the ARN of the device; `None` for the serial number of a hardware device.
    pub fn arn(&self) -> Option<Arn<'_>> {
        Arn::parse(&self.0)
    }
}

name_type! {
    /// An AWS region. Not checked against a list, as AWS adds new ones.
    Region
}

impl Region {
    /// Parses a region.
    ///
    /// # Errors
    /// If it cannot be a host label: 1 to 63 characters of `[a-z0-9-]`, no `-` at either end.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check(text, 1, 63, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')?;
        if text.starts_with('-') || text.ends_with('-') {
            return Err(NameError::Edge('-'));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_name_may_hold_inner_blanks_but_no_header_end() {
        assert!(ProfileName::parse("my prof").is_ok());
        assert_eq!(ProfileName::parse("a]b"), Err(NameError::Character(']')));
        assert_eq!(ProfileName::parse(" a"), Err(NameError::Edge(' ')));
        assert_eq!(ProfileName::parse("a\n"), Err(NameError::Character('\n')));
        assert_eq!(ProfileName::parse(""), Err(NameError::Empty));
    }

    #[test]
    fn an_access_key_id_is_judged_by_shape_not_by_prefix() {
        for id in ["AKIAIOSFODNN7EXAMPLE", "LKIAQAAAAAAAEXAMPLE1", "minio_access_key"] {
            assert!(AccessKeyId::parse(id).is_ok(), "{id}");
        }
        assert!(AccessKeyId::parse("AKIA").is_err());
        assert!(AccessKeyId::parse("AKIAIOSFODNN7EXAMP/E").is_err());
    }

    #[test]
    fn an_access_key_id_shows_its_last_four_characters_only() {
        let id = AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap();
        assert_eq!(id.masked(), "****MPLE");
        assert_eq!(format!("{id:?}"), "AccessKeyId(****MPLE)");
    }

    #[test]
    fn a_role_arn_gives_its_parts() {
        let arn = RoleArn::parse("arn:aws-us-gov:iam::444455556666:role/team/dev/Admin").unwrap();
        assert_eq!(
            (arn.partition(), arn.account(), arn.role_name()),
            ("aws-us-gov", "444455556666", "Admin")
        );
    }

    #[test]
    fn what_is_not_a_role_arn_is_refused() {
        for bad in [
            "arn:aws:iam::444455556666:user/alice",
            "arn:aws:iam::44445555666:role/Ops",
            "arn:aws:sts::444455556666:assumed-role/Ops/me",
            "arn:aws:iam::444455556666:role/",
            "arn:aws:iam::444455556666:role/O ps",
            "Ops",
        ] {
            assert!(RoleArn::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_user_arn_is_kept_apart_from_a_device() {
        assert!(MfaSerial::parse("arn:aws:iam::111122223333:user/jan").unwrap().is_user_arn());
        assert!(!MfaSerial::parse("arn:aws:iam::111122223333:mfa/jan").unwrap().is_user_arn());
        assert!(!MfaSerial::parse("GAHT12345678").unwrap().is_user_arn());
    }

    #[test]
    fn a_region_cannot_smuggle_a_host() {
        assert!(Region::parse("eu-central-1").is_ok());
        for bad in ["evil.example/", "eu-central-1.evil.example", "-x", "EU", ""] {
            assert!(Region::parse(bad).is_err(), "{bad}");
        }
    }
}
