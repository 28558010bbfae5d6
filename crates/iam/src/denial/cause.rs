//! The possible causes of a denied call, the likelihood and evidence of each, and the fixes.

/// Why a call for a role was denied. The numbers are those of `ALL`, and stay the same in all versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The role requires MFA, and no code was sent.
    NoCode,
    /// The serial number is not that of one of the caller's devices.
    WrongSerial,
    /// The MFA code was wrong, expired or already used.
    WrongCode,
    /// The user has only passkeys or SMS devices, which produce no codes for API calls.
    OnlyPasskey,
    /// The source is a role, whose sessions never have MFA.
    ChainedWithoutMfa,
    /// The caller's own policies do not allow the call.
    OwnPolicies,
    /// The role does not trust the caller.
    NotTrusted,
    /// The role does not exist.
    RoleName,
    /// The external ID is missing or wrong.
    ExternalId,
    /// The role requires a certain session name.
    SessionName,
    /// A source identity is missing, or one was sent and is not allowed.
    SourceIdentity,
    /// Session tags are missing, or were sent and are not allowed.
    SessionTags,
    /// The requested duration is too long.
    Duration,
    /// A policy of the organization denies it.
    Organization,
    /// A permissions boundary or a session policy does not allow the call.
    Boundary,
    /// The credentials belong to another identity, or have expired.
    WrongIdentity,
    /// The trust policy names a deleted user or role.
    DeletedPrincipal,
    /// A condition on address, time, organization, tag or network is not met.
    Condition,
    /// The MFA of the session is too old.
    OldMfa,
    /// The region is not activated, or the role was just created.
    RegionOrNew,
}

impl Cause {
    /// All causes, by number.
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

    /// Returns the number of the cause, from 1.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|cause| *cause == self).map_or(0, |index| index + 1)
    }

    /// Returns a stable name for `--json`.
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

    /// Returns what is checked, in one or two words.
    pub fn label(self) -> &'static str {
        match self {
            Self::NoCode => "no MFA code",
            Self::WrongSerial => "wrong MFA device",
            Self::WrongCode => "wrong MFA code",
            Self::OnlyPasskey => "passkey only",
            Self::ChainedWithoutMfa => "role chaining",
            Self::OwnPolicies => "own policies",
            Self::NotTrusted => "trust policy",
            Self::RoleName => "role name",
            Self::ExternalId => "external ID",
            Self::SessionName => "session name",
            Self::SourceIdentity => "source identity",
            Self::SessionTags => "session tags",
            Self::Duration => "duration",
            Self::Organization => "organization",
            Self::Boundary => "boundary",
            Self::WrongIdentity => "wrong identity",
            Self::DeletedPrincipal => "deleted identity",
            Self::Condition => "conditions",
            Self::OldMfa => "old MFA session",
            Self::RegionOrNew => "region, new role",
        }
    }
}

/// The weight of a cause that is possible on every call.
pub(super) const EITHER_SIDE: u8 = 50;

/// The result of checking one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeighedCause {
    /// The cause.
    pub cause: Cause,
    /// Whether it is a cause of this error.
    pub assessment: Assessment,
    /// The explanation, without a final period.
    pub text: String,
    /// The fixes, if there are any.
    pub fixes: Vec<Fix>,
    /// Sorts causes with the same assessment, the highest first.
    pub(super) weight: u8,
}

/// Whether something is a cause of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assessment {
    /// It is a cause, certainly or probably.
    Cause(Evidence),
    /// It could be a cause, without evidence for it.
    Open,
    /// It is not a cause.
    RuledOut(Evidence),
}

/// The evidence for an assessment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// AWS's own message.
    AwsSaid,
    /// Policies, devices or calls that hatbox evaluated.
    Computed,
    /// The config, and the most common mistakes.
    Likely,
}

impl Evidence {
    /// Returns the name used in text and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Self::AwsSaid => "AWS said",
            Self::Computed => "computed",
            Self::Likely => "likely",
        }
    }
}

/// A fix for a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// A line to add to a section of the config.
    Setting {
        /// The line: `mfa_serial = arn:aws:iam::111122223333:mfa/alice`
        line: String,
        /// The file: `~/.aws/config`
        file: String,
        /// The section: `profile prod`
        section: String,
    },
    /// A command to run.
    Command(String),
    /// An instruction for the user, or for someone else.
    Words(String),
    /// A policy statement for whoever manages the policies.
    Statement {
        /// The policy that the statement belongs to.
        belongs: String,
        /// The statement as JSON, on one line.
        json: String,
    },
}

impl Fix {
    /// Renders the fix on one line, so that it can be copied.
    pub fn render(&self) -> String {
        match self {
            Self::Setting { line, file, section } => format!("{line}     in {file}, [{section}]"),
            Self::Command(text) | Self::Words(text) => text.clone(),
            Self::Statement { belongs, json } => format!("{json}     in {belongs}"),
        }
    }
}

impl WeighedCause {
    fn new(cause: Cause, assessment: Assessment, text: impl Into<String>) -> Self {
        Self { cause, assessment, text: text.into(), fixes: Vec::new(), weight: 0 }
    }

    /// Creates a cause that AWS named.
    pub(super) fn said(cause: Cause, text: impl Into<String>) -> Self {
        Self { weight: 100, ..Self::new(cause, Assessment::Cause(Evidence::AwsSaid), text) }
    }

    /// Creates a cause that the evaluation of policies or devices shows.
    pub(super) fn computed(cause: Cause, text: impl Into<String>) -> Self {
        Self { weight: 90, ..Self::new(cause, Assessment::Cause(Evidence::Computed), text) }
    }

    /// Creates a cause that the config makes likely, with this weight.
    pub(super) fn likely(cause: Cause, weight: u8, text: impl Into<String>) -> Self {
        Self { weight, ..Self::new(cause, Assessment::Cause(Evidence::Likely), text) }
    }

    /// Creates a possible cause without evidence.
    pub(super) fn open(cause: Cause, text: impl Into<String>) -> Self {
        Self::new(cause, Assessment::Open, text)
    }

    /// Creates the result for something that this evidence rules out as a cause.
    pub(super) fn ruled_out(cause: Cause, evidence: Evidence, text: impl Into<String>) -> Self {
        Self::new(cause, Assessment::RuledOut(evidence), text)
    }

    pub(super) fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    pub(super) fn weigh(self, weight: u8) -> Self {
        Self { weight, ..self }
    }
}
