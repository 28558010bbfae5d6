//! The causes of a denied call, and how likely each is: on which evidence, and what helps.

/// Why a call for a role was denied. The numbers are those of `ALL`, and are kept from version to version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The role wants MFA, and no code was sent.
    NoCode,
    /// The serial number is not that of a device of the caller's.
    WrongSerial,
    /// The code was wrong, late, or used already.
    WrongCode,
    /// The user has only passkeys or SMS devices, which give no code for calls.
    OnlyPasskey,
    /// The source is a role, whose credentials never carry MFA.
    ChainedWithoutMfa,
    /// The caller's own policies do not allow it.
    OwnPolicies,
    /// The role does not trust the caller.
    NotTrusted,
    /// There is no such role.
    RoleName,
    /// The external ID is missing or another.
    ExternalId,
    /// The role asks for a certain session name.
    SessionName,
    /// A source identity is missing, or carried and not permitted.
    SourceIdentity,
    /// Session tags are missing, or sent and not permitted.
    SessionTags,
    /// More time was asked for than there is.
    Duration,
    /// A policy of the organization denies it.
    Organization,
    /// A permissions boundary or a session policy leaves it out.
    Boundary,
    /// The credentials are another's, or have ended.
    WrongIdentity,
    /// The trust policy names someone who was deleted.
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

    /// Its number, from 1.
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

/// The weight of what is always possible.
pub(super) const EITHER_SIDE: u8 = 50;

/// What was found of one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeighedCause {
    /// The cause.
    pub cause: Cause,
    /// Whether it is one here.
    pub assessment: Assessment,
    /// In words, without a final period.
    pub text: String,
    /// What helps, where something does.
    pub fixes: Vec<Fix>,
    /// Orders causes of equal assessment: the higher first.
    pub(super) weight: u8,
}

/// Whether something is a cause here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assessment {
    /// It is one, or probably one.
    Cause(Evidence),
    /// It could be one, and nothing speaks for it.
    Open,
    /// It is none.
    RuledOut(Evidence),
}

/// What an assessment is based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// AWS's own text.
    AwsSaid,
    /// Policies, devices or calls that were seen.
    Computed,
    /// The config, and what usually goes wrong.
    Likely,
}

impl Evidence {
    /// Its name to people and programs.
    pub fn label(self) -> &'static str {
        match self {
            Self::AwsSaid => "AWS said",
            Self::Computed => "computed",
            Self::Likely => "likely",
        }
    }
}

/// What helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// A line for a section of the config.
    Setting {
        /// `mfa_serial = arn:aws:iam::111122223333:mfa/alice`
        line: String,
        /// `~/.aws/config`
        file: String,
        /// `profile prod`
        section: String,
    },
    /// A command to paste.
    Command(String),
    /// Something for a person to do, or to hand to someone else.
    Words(String),
    /// A statement to hand to whoever manages the policies.
    Statement {
        /// Whose policy it belongs into.
        belongs: String,
        /// JSON, on one line.
        json: String,
    },
}

impl Fix {
    /// As one line; what is to be pasted is not broken.
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

    /// AWS named it.
    pub(super) fn said(cause: Cause, text: impl Into<String>) -> Self {
        Self { weight: 100, ..Self::new(cause, Assessment::Cause(Evidence::AwsSaid), text) }
    }

    /// What was seen shows it.
    pub(super) fn computed(cause: Cause, text: impl Into<String>) -> Self {
        Self { weight: 90, ..Self::new(cause, Assessment::Cause(Evidence::Computed), text) }
    }

    /// The config speaks for it, this much.
    pub(super) fn likely(cause: Cause, weight: u8, text: impl Into<String>) -> Self {
        Self { weight, ..Self::new(cause, Assessment::Cause(Evidence::Likely), text) }
    }

    /// No one knows.
    pub(super) fn open(cause: Cause, text: impl Into<String>) -> Self {
        Self::new(cause, Assessment::Open, text)
    }

    /// It is none, by this evidence.
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
