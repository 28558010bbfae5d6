//! What a caller signs a request with, and what that says of MFA.

use crate::policy::evaluate::Context;

/// What a caller signs a request with.
///
/// What a request says of MFA depends on it (IAM User Guide, "MFA-protected API access"):
///
/// | credentials | `aws:MultiFactorAuthPresent` | `aws:MultiFactorAuthAge` |
/// |---|---|---|
/// | access keys | absent | absent |
/// | access keys and an MFA code | true | 0 |
/// | session token without MFA | false | absent |
/// | session token with MFA | true | the age of the session |
/// | session of a role | false | absent |
/// | temporary credentials of unknown kind | not known | not known |
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credentials {
    /// A user's access keys.
    AccessKeys,
    /// The same, with serial number and code of an MFA device in the call.
    AccessKeysWithMfa,
    /// A session of GetSessionToken that was made without MFA.
    SessionToken,
    /// One that was made with MFA.
    SessionTokenWithMfa,
    /// A session of a role: chaining. It never carries MFA.
    RoleSession,
    /// Temporary credentials of unknown kind.
    Temporary,
}

impl Credentials {
    /// All kinds that are known, in the order of tables.
    pub const ALL: [Self; 5] = [
        Self::AccessKeys,
        Self::AccessKeysWithMfa,
        Self::SessionToken,
        Self::SessionTokenWithMfa,
        Self::RoleSession,
    ];

    /// Their name in JSON.
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

    /// What they are, in words.
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

    /// Whether they are known to carry MFA.
    pub fn has_mfa(self) -> bool {
        matches!(self, Self::AccessKeysWithMfa | Self::SessionTokenWithMfa)
    }

    /// Whether they expire: whether a session token is sent with the request.
    pub(crate) fn is_temporary(self) -> bool {
        !matches!(self, Self::AccessKeys | Self::AccessKeysWithMfa)
    }

    /// Sets the keys of MFA. `age` is how old a session is, in seconds, where that is known.
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
