//! A request to evaluate: caller, action, resource and condition keys.

use std::collections::BTreeMap;

use super::arn::Arn;
use super::condition_keys::{is_known, is_of_provider};
use hatbox_types::name::AccountId;

/// The caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// An IAM user that signs with an access key or with a session from GetSessionToken.
    User {
        /// `arn:aws:iam::A:user/PATH/NAME`.
        arn: String,
    },
    /// A session of a role.
    RoleSession {
        /// `arn:aws:sts::A:assumed-role/NAME/SESSION`; `None` for any session of the role.
        session_arn: Option<String>,
        /// `arn:aws:iam::A:role/PATH/NAME`.
        role_arn: String,
    },
    /// An AWS service, by its service principal: `ec2.amazonaws.com`.
    Service(String),
    /// A web identity provider or SAML provider, by ARN or host.
    Federated(String),
    /// The root user of an account.
    Root(AccountId),
    /// The request is not signed.
    Anonymous,
}

impl Caller {
    /// Returns the caller's account; `None` for services, identity providers and anonymous callers.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::User { arn } | Self::RoleSession { role_arn: arn, .. } => {
                Arn::parse(arn).map(|arn| arn.account)
            }
            Self::Root(account) => Some(account.as_str()),
            Self::Service(_) | Self::Federated(_) | Self::Anonymous => None,
        }
    }

    /// Returns the partition of the caller's ARN, if it has one.
    pub(super) fn partition(&self) -> Option<&str> {
        match self {
            Self::User { arn } | Self::RoleSession { role_arn: arn, .. } => {
                Arn::parse(arn).map(|arn| arn.partition)
            }
            Self::Root(_) | Self::Service(_) | Self::Federated(_) | Self::Anonymous => None,
        }
    }

    /// Whether the caller is a session of a service-linked role, which SCPs and RCPs do not limit.
    pub(super) fn is_service_linked(&self) -> bool {
        let Self::RoleSession { role_arn, .. } = self else { return false };
        Arn::parse(role_arn).is_some_and(|arn| arn.resource.starts_with("role/aws-service-role/"))
    }

    /// Renders the caller for messages.
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

/// The condition keys of a request. Names are case-insensitive; a key may have several values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Values by lower-case key name. A key without values counts as absent.
    pub values: BTreeMap<String, Vec<String>>,
    /// Whether a key that is not in `values` is absent; `false` if it is unknown.
    pub is_complete: bool,
    /// Lower-case prefixes of keys that are absent unless they are in `values`: `aws:principaltag/` for a user whose
    /// tags are known.
    pub absent: Vec<String>,
    /// The keys that the request can have; any other key is absent.
    pub possible: PossibleKeys,
}

/// The condition keys that a request can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PossibleKeys {
    /// Any key.
    #[default]
    Any,
    /// The keys of a call to STS.
    OfSts,
    /// The keys of a call to STS by a caller that never had a token of an identity provider.
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

/// What a context knows about one key.
pub(super) enum Lookup<'a> {
    Values(&'a [String]),
    Absent,
    Unknown,
}

impl Context {
    /// Creates a context in which all other keys are absent.
    pub fn complete<N: AsRef<str>, V: Into<String>>(keys: impl IntoIterator<Item = (N, Vec<V>)>) -> Self {
        Self { is_complete: true, ..Self::partial(keys) }
    }

    /// Creates a context in which all other keys are unknown.
    pub fn partial<N: AsRef<str>, V: Into<String>>(keys: impl IntoIterator<Item = (N, Vec<V>)>) -> Self {
        let mut context = Self::default();
        for (name, values) in keys {
            context.set(name.as_ref(), values);
        }
        context
    }

    /// Sets the values of the key `name`, replacing earlier ones. Without values, the key is known to be absent.
    pub fn set<V: Into<String>>(&mut self, name: &str, values: impl IntoIterator<Item = V>) {
        self.values.insert(name.to_lowercase(), values.into_iter().map(Into::into).collect());
    }

    pub(super) fn find(&self, name: &str) -> Lookup<'_> {
        self.find_lower(&name.to_lowercase())
    }

    /// Looks up a key by its lower-case name.
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

/// A request to evaluate.
#[derive(Debug, Clone)]
pub struct Request {
    /// The caller.
    pub caller: Caller,
    /// The action, such as `sts:AssumeRole`.
    pub action: String,
    /// Further actions that must be allowed too: `sts:TagSession`, `sts:SetSourceIdentity`.
    pub also_actions: Vec<String>,
    /// The ARN of the resource.
    pub resource: String,
    /// The account that owns the resource.
    pub resource_account: AccountId,
    /// The condition keys of the request.
    pub context: Context,
}

impl Request {
    /// Whether caller and resource belong to the same account.
    pub(super) fn is_same_account(&self) -> bool {
        self.caller.account() == Some(self.resource_account.as_str())
    }
}
