//! A request to be judged: who asks for what, under which conditions.

use std::collections::BTreeMap;

use super::arn::Arn;
use super::condition_keys::{is_known, is_of_provider};
use hatbox_types::name::AccountId;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// An IAM user, by ARN, signing with access keys or with a GetSessionToken session.
    User {
        /// `arn:aws:iam::A:user/PATH/NAME`.
        arn: String,
    },
    /// A session of a role.
    RoleSession {
        /// `arn:aws:sts::A:assumed-role/NAME/SESSION`; `None` when any session of the role is meant.
        session_arn: Option<String>,
        /// `arn:aws:iam::A:role/PATH/NAME`.
        role_arn: String,
    },
    /// An AWS service, by its principal: `ec2.amazonaws.com`.
    Service(String),
    /// A web identity or SAML provider, by ARN or host.
    Federated(String),
    /// The root user of an account.
    Root(AccountId),
    /// No one in particular: the request is not signed.
    Anonymous,
}

impl Caller {
    /// The account that the caller belongs to; `None` for services, providers and the unsigned.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::User { arn } | Self::RoleSession { role_arn: arn, .. } => {
                Arn::parse(arn).map(|arn| arn.account)
            }
            Self::Root(account) => Some(account.as_str()),
            Self::Service(_) | Self::Federated(_) | Self::Anonymous => None,
        }
    }

    /// The partition, where the caller's ARN has it.
    pub(super) fn partition(&self) -> Option<&str> {
        match self {
            Self::User { arn } | Self::RoleSession { role_arn: arn, .. } => {
                Arn::parse(arn).map(|arn| arn.partition)
            }
            Self::Root(_) | Self::Service(_) | Self::Federated(_) | Self::Anonymous => None,
        }
    }

    /// Whether it is a session of a service-linked role, which no organization policy limits.
    pub(super) fn is_service_linked(&self) -> bool {
        let Self::RoleSession { role_arn, .. } = self else { return false };
        Arn::parse(role_arn).is_some_and(|arn| arn.resource.starts_with("role/aws-service-role/"))
    }

    /// How messages call it.
    pub(super) fn label(&self) -> String {
        match self {
            Self::User { arn } => arn.clone(),
            Self::RoleSession { session_arn, role_arn } => {
                session_arn.clone().unwrap_or_else(|| format!("a session of {role_arn}"))
            }
            Self::Service(name) | Self::Federated(name) => name.clone(),
            Self::Root(account) => format!("the root user of {account}"),
            Self::Anonymous => "an unsigned request".to_owned(),
        }
    }
}

/// The condition keys of a request. Names are matched without regard to case; a key may have many values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Lower-cased name to values. A key without values counts as absent.
    pub values: BTreeMap<String, Vec<String>>,
    /// Whether a key that is not here is known to be absent (`false`: unknown).
    pub is_complete: bool,
    /// Lower-cased beginnings of keys that are known to be absent unless they are in `values`:
    /// `aws:principaltag/` of a user whose tags are known.
    pub absent: Vec<String>,
    /// Which keys the request can have at all; any other is absent.
    pub possible: PossibleKeys,
}

/// Which condition keys a request can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PossibleKeys {
    /// Any.
    #[default]
    Any,
    /// Those of a call to STS.
    OfSts,
    /// Those of a call to STS by a caller who never had a token of an identity provider.
    OfStsWithoutToken,
}

impl PossibleKeys {
    fn has(self, lower: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OfSts => is_known(lower),
            Self::OfStsWithoutToken => is_known(lower) && !is_of_provider(lower),
        }
    }
}

/// What a context says about one key.
pub(super) enum Lookup<'a> {
    Values(&'a [String]),
    Absent,
    Unknown,
}

impl Context {
    /// A context in which every key that is not given is absent.
    pub fn complete<N: AsRef<str>, V: Into<String>>(keys: impl IntoIterator<Item = (N, Vec<V>)>) -> Self {
        Self { is_complete: true, ..Self::partial(keys) }
    }

    /// A context in which a key that is not given may be there or not.
    pub fn partial<N: AsRef<str>, V: Into<String>>(keys: impl IntoIterator<Item = (N, Vec<V>)>) -> Self {
        let mut context = Self::default();
        for (name, values) in keys {
            context.set(name.as_ref(), values);
        }
        context
    }

    /// Gives the key `name` these values, in the place of any before. No values: known to be absent.
    pub fn set<V: Into<String>>(&mut self, name: &str, values: impl IntoIterator<Item = V>) {
        self.values.insert(name.to_lowercase(), values.into_iter().map(Into::into).collect());
    }

    pub(super) fn find(&self, name: &str) -> Lookup<'_> {
        self.find_lower(&name.to_lowercase())
    }

    /// The same by the lower-cased name.
    pub(super) fn find_lower(&self, lower: &str) -> Lookup<'_> {
        match self.values.get(lower) {
            Some(values) if values.is_empty() => Lookup::Absent,
            Some(values) => Lookup::Values(values),
            None if self.is_complete || self.absent.iter().any(|start| lower.starts_with(start)) => {
                Lookup::Absent
            }
            None if !self.possible.has(lower) => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks.
    pub caller: Caller,
    /// `sts:AssumeRole`, `s3:GetObject`, ...
    pub action: String,
    /// Actions that must be allowed as well: `sts:TagSession`, `sts:SetSourceIdentity`.
    pub also_actions: Vec<String>,
    /// The ARN asked for.
    pub resource: String,
    /// The account that owns it.
    pub resource_account: AccountId,
    /// The condition keys.
    pub context: Context,
}

impl Request {
    /// Whether caller and resource belong to one account.
    pub(super) fn is_same_account(&self) -> bool {
        self.caller.account() == Some(self.resource_account.as_str())
    }
}
