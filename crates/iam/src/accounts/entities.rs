//! Users, groups, roles and managed policies, and how much of each is known.

use std::collections::BTreeMap;

use super::document::Document;
use super::origin::OriginId;

/// One fact of a user, a role or an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attribute<T> {
    /// It is this.
    Known(T),
    /// Terraform learns it when it applies its plan.
    UntilApply,
    /// No source has it.
    #[default]
    NotGiven,
}

impl<T> Attribute<T> {
    /// The fact, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(fact) => Some(fact),
            Self::UntilApply | Self::NotGiven => None,
        }
    }

    /// Takes over what a later source has, if it has anything.
    pub(super) fn correct(&mut self, later: Self) {
        if !matches!(later, Self::NotGiven) {
            *self = later;
        }
    }
}

/// Whether a list names all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// All.
    Whole,
    /// There may be more that no source has: what Terraform does not manage, a list that was cut.
    #[default]
    Part,
}

/// What is granted to a user, a group or a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Inline policies.
    pub inline: Vec<Document>,
    /// ARNs of attached managed policies. Their documents are in [`super::Accounts::policies`].
    pub attached: Vec<String>,
    /// Whether these are all.
    pub extent: Extent,
}

/// An IAM user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// `arn:aws:iam::A:user/PATH/NAME`.
    pub arn: String,
    /// The name without the path.
    pub name: String,
    /// `AIDA...`.
    pub id: Option<String>,
    /// Its own policies; those of its groups are theirs.
    pub grants: Grants,
    /// Names of its groups. `grants.extent` says whether these are all.
    pub groups: Vec<String>,
    /// The ARN of its permissions boundary, if it has one.
    pub boundary: Attribute<Option<String>>,
    /// Its tags.
    pub tags: Attribute<BTreeMap<String, String>>,
    /// Serial numbers of its MFA devices, passkeys included.
    pub mfa_devices: Attribute<Vec<String>>,
    /// Its resource in Terraform: `module.iam.aws_iam_user.alice`.
    pub address: Option<String>,
    /// The last source that has it.
    pub origin: OriginId,
}

/// An IAM group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// `arn:aws:iam::A:group/PATH/NAME`; where only its name is known, none.
    pub arn: Option<String>,
    /// The name without the path.
    pub name: String,
    /// Its policies.
    pub grants: Grants,
    /// The last source that has it.
    pub origin: OriginId,
}

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// `arn:aws:iam::A:role/PATH/NAME`.
    pub arn: String,
    /// The name without the path.
    pub name: String,
    /// `AROA...`.
    pub id: Option<String>,
    /// The trust policy.
    pub trust: Attribute<Document>,
    /// Its policies.
    pub grants: Grants,
    /// The ARN of its permissions boundary, if it has one.
    pub boundary: Attribute<Option<String>>,
    /// Its tags.
    pub tags: Attribute<BTreeMap<String, String>>,
    /// The longest session, in seconds: 3600 to 43200.
    pub max_session_duration: Attribute<u32>,
    /// Its resource in Terraform: `module.iam.aws_iam_role.ops`.
    pub address: Option<String>,
    /// The last source that has it.
    pub origin: OriginId,
}

/// A trust policy whose role's account no source has: a policy file, or a role that a plan will make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnplacedRole {
    /// Of a file its name without `.json`, else the role's name.
    pub name: String,
    /// The trust policy.
    pub trust: Attribute<Document>,
    /// The role's resource in Terraform.
    pub address: Option<String>,
    /// The source.
    pub origin: OriginId,
}

/// A managed policy, of AWS or of an account: its default version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// `arn:aws:iam::A:policy/PATH/NAME`.
    pub arn: String,
    /// Its default version.
    pub document: Attribute<Document>,
    /// The last source that has it.
    pub origin: OriginId,
}

impl User {
    /// A user of whom nothing is known but that it is there.
    pub(super) fn bare(arn: &str, origin: OriginId) -> Self {
        Self {
            arn: arn.to_owned(),
            name: last_part(arn),
            id: None,
            grants: Grants::default(),
            groups: Vec::new(),
            boundary: Attribute::NotGiven,
            tags: Attribute::NotGiven,
            mfa_devices: Attribute::NotGiven,
            address: None,
            origin,
        }
    }
}

impl Role {
    /// A role of which nothing is known but that it is there.
    pub(super) fn bare(arn: &str, origin: OriginId) -> Self {
        Self {
            arn: arn.to_owned(),
            name: last_part(arn),
            id: None,
            trust: Attribute::NotGiven,
            grants: Grants::default(),
            boundary: Attribute::NotGiven,
            tags: Attribute::NotGiven,
            max_session_duration: Attribute::NotGiven,
            address: None,
            origin,
        }
    }
}

fn last_part(arn: &str) -> String {
    arn.rsplit(['/', ':']).next().unwrap_or_default().to_owned()
}
