//! The twenty causes of a refused call.

/// Why a call for a role was refused. The numbers are kept from version to version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The role wants MFA, and no code was sent.
    NoCode,
    /// The serial number is not that of a device of the caller's.
    WrongSerial,
    /// The code was wrong, late, or used already.
    WrongCode,
    /// The user has passkeys only, which give no code.
    OnlyPasskey,
    /// The source is a role, whose credentials never carry MFA.
    ChainedWithoutMfa,
    /// The caller's own policies do not allow it.
    OwnPolicies,
    /// The role does not trust the caller.
    NotTrusted,
    /// There is no such role.
    RoleName,
    /// The external id is missing or another.
    ExternalId,
    /// The role asks for a certain session name.
    SessionName,
    /// A source identity is missing, or carried and not permitted.
    SourceIdentity,
    /// Session tags are missing, or sent and not permitted.
    SessionTags,
    /// More time was asked for than there is.
    Duration,
    /// A policy of the organization forbids it.
    Organization,
    /// A permissions boundary or a session policy leaves it out.
    Boundary,
    /// The credentials are another's, or have ended.
    WrongIdentity,
    /// The trust policy names somebody who was deleted.
    DeletedPrincipal,
    /// A condition on address, time, organization, tag or network.
    Condition,
    /// The MFA is too long ago.
    OldMfa,
    /// The region is off, or the role is seconds old.
    RegionOrNew,
}

impl Cause {
    /// All, by number.
    pub const ALL: [Self; 20] = [
        Self::NoCode,
        Self::WrongSerial,
        Self::WrongCode,
        Self::OnlyPasskey,
        Self::ChainedWithoutMfa,
        Self::OwnPolicies,
        Self::NotTrusted,
        Self::RoleName,
        Self::ExternalId,
        Self::SessionName,
        Self::SourceIdentity,
        Self::SessionTags,
        Self::Duration,
        Self::Organization,
        Self::Boundary,
        Self::WrongIdentity,
        Self::DeletedPrincipal,
        Self::Condition,
        Self::OldMfa,
        Self::RegionOrNew,
    ];

    /// From 1 to 20.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|cause| *cause == self).map_or(0, |index| index + 1)
    }

    /// A stable word for it, for `--json`.
    pub fn id(self) -> &'static str {
        match self {
            Self::NoCode => "no-code",
            Self::WrongSerial => "wrong-serial",
            Self::WrongCode => "wrong-code",
            Self::OnlyPasskey => "only-passkey",
            Self::ChainedWithoutMfa => "chained-without-mfa",
            Self::OwnPolicies => "own-policies",
            Self::NotTrusted => "not-trusted",
            Self::RoleName => "role-name",
            Self::ExternalId => "external-id",
            Self::SessionName => "session-name",
            Self::SourceIdentity => "source-identity",
            Self::SessionTags => "session-tags",
            Self::Duration => "duration",
            Self::Organization => "organization",
            Self::Boundary => "boundary",
            Self::WrongIdentity => "wrong-identity",
            Self::DeletedPrincipal => "deleted-principal",
            Self::Condition => "condition",
            Self::OldMfa => "old-mfa",
            Self::RegionOrNew => "region-or-new",
        }
    }

    /// What is checked, in one or two words.
    pub fn label(self) -> &'static str {
        match self {
            Self::NoCode => "MFA code sent",
            Self::WrongSerial => "MFA device",
            Self::WrongCode => "MFA code right",
            Self::OnlyPasskey => "passkey only",
            Self::ChainedWithoutMfa => "chained role",
            Self::OwnPolicies => "own policies",
            Self::NotTrusted => "trust",
            Self::RoleName => "role's name",
            Self::ExternalId => "external id",
            Self::SessionName => "session name",
            Self::SourceIdentity => "source identity",
            Self::SessionTags => "session tags",
            Self::Duration => "duration",
            Self::Organization => "organization",
            Self::Boundary => "boundary",
            Self::WrongIdentity => "identity",
            Self::DeletedPrincipal => "deleted names",
            Self::Condition => "conditions",
            Self::OldMfa => "age of the MFA",
            Self::RegionOrNew => "region, new role",
        }
    }
}
