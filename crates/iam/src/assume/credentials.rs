//! The credentials that sign a request, and the MFA condition keys that follow from them.

use crate::policy::evaluate::Context;

/// The kind of credentials that a caller signs a request with.
///
/// The MFA condition keys depend on it (IAM User Guide, "MFA-protected API access"):
///
/// | credentials | `aws:MultiFactorAuthPresent` | `aws:MultiFactorAuthAge` |
/// |---|---|---|
/// | access keys | absent | absent |
/// | access keys and an MFA code | true | 0 |
/// | session token without MFA | false | absent |
/// | session token with MFA | true | the age of the session |
/// | session of a role | false | absent |
/// | temporary credentials of unknown kind | unknown | unknown |
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credentials {
    /// A user's access keys.
    AccessKeys,
    /// A user's access keys, with the serial number and code of an MFA device in the call.
    AccessKeysWithMfa,
    /// A session of GetSessionToken that was created without MFA.
    SessionToken,
    /// A session of GetSessionToken that was created with MFA.
    SessionTokenWithMfa,
    /// A role session, as in role chaining. It never has MFA.
    RoleSession,
    /// Temporary credentials of unknown kind.
    Temporary,
}

impl Credentials {
    /// All known kinds, in the order of reports.
    pub const ALL: [Self; 5] = [
        Self::AccessKeys,
        Self::AccessKeysWithMfa,
        Self::SessionToken,
        Self::SessionTokenWithMfa,
        Self::RoleSession,
    ];

    /// Returns the name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessKeys => "access-keys",
            Self::AccessKeysWithMfa => "access-keys+mfa",
            Self::SessionToken => "session-token",
            Self::SessionTokenWithMfa => "session-token+mfa",
            Self::RoleSession => "role-session",
            Self::Temporary => "temporary",
        }
    }

    /// Returns the description used in text output.
    pub fn label(self) -> &'static str {
        match self {
            Self::AccessKeys => "access keys",
            Self::AccessKeysWithMfa => "access keys + MFA code",
            Self::SessionToken => "session token without MFA",
            Self::SessionTokenWithMfa => "session token with MFA",
            Self::RoleSession => "another role (chaining)",
            Self::Temporary => "temporary credentials",
        }
    }

    /// Whether requests signed with them have MFA for certain.
    pub fn has_mfa(self) -> bool {
        matches!(self, Self::AccessKeysWithMfa | Self::SessionTokenWithMfa)
    }

    /// Whether they are temporary, so that requests include a session token.
    pub(crate) fn is_temporary(self) -> bool {
        !matches!(self, Self::AccessKeys | Self::AccessKeysWithMfa)
    }

    /// Sets the MFA keys. `age` is the age of the session in seconds, if known.
    pub(crate) fn set_mfa(self, context: &mut Context, age: Option<i64>) {
        let absent: [&str; 0] = [];
        match self {
            Self::AccessKeys => context.set(PRESENT, absent),
            Self::AccessKeysWithMfa | Self::SessionTokenWithMfa => context.set(PRESENT, ["true"]),
            Self::SessionToken | Self::RoleSession => context.set(PRESENT, ["false"]),
            Self::Temporary => {}
        }
        match (self, age) {
            (Self::AccessKeys | Self::SessionToken | Self::RoleSession, _) => context.set(AGE, absent),
            (Self::AccessKeysWithMfa, _) => context.set(AGE, ["0"]),
            (Self::SessionTokenWithMfa, Some(age)) => context.set(AGE, [age.to_string()]),
            (Self::SessionTokenWithMfa, None) | (Self::Temporary, _) => {}
        }
    }
}

const PRESENT: &str = "aws:MultiFactorAuthPresent";
const AGE: &str = "aws:MultiFactorAuthAge";
