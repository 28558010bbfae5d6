//! Users, groups, roles and managed policies, and which of their facts are known.

use std::collections::BTreeMap;

use super::document::Document;
use super::origin::OriginId;

/// One fact about a user, a role or an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attribute<T> {
    /// The value is known.
    Known(T),
    /// Terraform will know the value only after apply.
    UntilApply,
    /// No source has it.
    #[default]
    NotGiven,
}

impl<T> Attribute<T> {
    /// Returns the value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(fact) => Some(fact),
            Self::UntilApply | Self::NotGiven => None,
        }
    }

    /// Replaces the value with that of a later source, if that source has one.
    pub(super) fn correct(&mut self, later: Self) {
        if !matches!(later, Self::NotGiven) {
            *self = later;
        }
    }
}

/// Whether a list is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// The list is complete.
    Whole,
    /// There may be more entries that no source has: not managed by Terraform, or in a truncated list.
    #[default]
    Part,
}

/// The policies of a user, a group or a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Inline policies.
    pub inline: Vec<Document>,
    /// ARNs of attached managed policies, whose documents are in [`super::Accounts::policies`].
    pub attached: Vec<String>,
    /// Whether the lists are complete.
    pub extent: Extent,
}

/// An IAM user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// `arn:aws:iam::A:user/PATH/NAME`.
    pub arn: String,
    /// The name without the path.
    pub name: String,
    /// The unique id: `AIDA...`.
    pub id: Option<String>,
    /// The user's own policies, without those of its groups.
    pub grants: Grants,
    /// Names of its groups. `grants.extent` says whether the list is complete.
    pub groups: Vec<String>,
    /// The ARN of its permissions boundary; `Known(None)` if it has none.
    pub boundary: Attribute<Option<String>>,
    /// Its tags.
    pub tags: Attribute<BTreeMap<String, String>>,
    /// Serial numbers of its MFA devices, passkeys included.
    pub mfa_devices: Attribute<Vec<String>>,
    /// Its address in Terraform: `module.iam.aws_iam_user.alice`.
    pub address: Option<String>,
    /// The last source that contains it.
    pub origin: OriginId,
}

/// An IAM group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// `arn:aws:iam::A:group/PATH/NAME`; `None` if only the name is known.
    pub arn: Option<String>,
    /// The name without the path.
    pub name: String,
    /// Its policies.
    pub grants: Grants,
    /// The last source that contains it.
    pub origin: OriginId,
}

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// `arn:aws:iam::A:role/PATH/NAME`.
    pub arn: String,
    /// The name without the path.
    pub name: String,
    /// The unique id: `AROA...`.
    pub id: Option<String>,
    /// The trust policy.
    pub trust: Attribute<Document>,
    /// Its policies.
    pub grants: Grants,
    /// The ARN of its permissions boundary; `Known(None)` if it has none.
    pub boundary: Attribute<Option<String>>,
    /// Its tags.
    pub tags: Attribute<BTreeMap<String, String>>,
    /// The maximum session duration in seconds: 3600 to 43200.
    pub max_session_duration: Attribute<u32>,
    /// Its address in Terraform: `module.iam.aws_iam_role.ops`.
    pub address: Option<String>,
    /// The last source that contains it.
    pub origin: OriginId,
}

/// The trust policy of a role whose account is unknown: a policy file, or a role that a Terraform plan creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnplacedRole {
    /// The role's name; for a policy file, the file name without `.json`.
    pub name: String,
    /// The trust policy.
    pub trust: Attribute<Document>,
    /// The role's address in Terraform.
    pub address: Option<String>,
    /// The source of the trust policy.
    pub origin: OriginId,
}

/// A managed policy, by AWS or by the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// `arn:aws:iam::A:policy/PATH/NAME`.
    pub arn: String,
    /// The default version of the policy.
    pub document: Attribute<Document>,
    /// The last source that contains it.
    pub origin: OriginId,
}

impl User {
    /// Creates a user with nothing known except the ARN.
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
    /// Creates a role with nothing known except the ARN.
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
