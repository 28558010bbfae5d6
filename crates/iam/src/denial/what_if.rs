//! Evaluates a role's trust policy for the call as it was made, and for variants of it.
//!
//! If the trust policy denies the call, everything that the call may have lacked is added. What cannot be removed again
//! without another denial is a cause.

use jiff::Timestamp;

use super::attempt::{Attempt, CodeSent, SignedBy};
use super::known::Role;
use crate::assume::context::{KnownCall, Named, Sent};
use crate::assume::credentials::Credentials;
use crate::policy::answer::{Answer, Fact};
use crate::policy::arn::Arn;
use crate::policy::document::{Effect, Policy, Statement};
use crate::policy::evaluate::{Caller, Context, Decision, Layers, Request, evaluate};
use crate::policy::principal::PrincipalKind;
use hatbox_types::name::AccountId;

/// Something that a call may have lacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lack {
    /// MFA.
    Mfa,
    /// Recent MFA.
    RecentMfa,
    /// The right external ID.
    ExternalId,
    /// The right session name.
    SessionName,
    /// A source identity.
    SourceIdentity,
    /// Session tags.
    Tags,
}

impl Lack {
    /// Whether the answer depends on a condition on the matching keys.
    pub(super) fn decides(self, answer: &Answer) -> bool {
        answer.facts().iter().any(|fact| matches!(fact, Fact::Key(key) if self.is_about(key)))
    }

    fn is_about(self, key: &str) -> bool {
        let key = key.to_ascii_lowercase();
        match self {
            Self::Mfa | Self::RecentMfa => key.starts_with("aws:multifactorauth"),
            Self::ExternalId => key == "sts:externalid",
            Self::SessionName => key == "sts:rolesessionname",
            Self::SourceIdentity => key.ends_with(":sourceidentity"),
            Self::Tags => key.starts_with("aws:requesttag/") || key == "aws:tagkeys",
        }
    }
}

/// The evaluation of a trust policy for a call, and what the call lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trusting {
    /// The answer for the call as it was made.
    pub(super) answer: Answer,
    /// What the call lacks; empty if nothing that a caller can add helps.
    pub(super) lacks: Vec<Lack>,
    /// Whether the policy names the caller, ignoring conditions.
    pub(super) is_named: bool,
    /// The names of the session tags that the policy requires.
    pub(super) tags: Vec<String>,
    /// The accounts that it trusts, or in which it trusts a user or role.
    pub(super) accounts: Vec<String>,
    /// The unique ids of deleted users and roles in the policy.
    pub(super) deleted: Vec<String>,
    /// Conditions that hatbox cannot evaluate, with their keys and values.
    pub(super) others: Vec<(String, Vec<String>)>,
    /// The maximum age of the MFA in seconds, as written in the policy.
    pub(super) max_age: Option<i64>,
}

/// The call as IAM evaluates it.
pub(super) struct Call<'a> {
    pub(super) attempt: &'a Attempt,
    pub(super) caller: Caller,
    pub(super) role: &'a str,
    pub(super) now: Timestamp,
}

impl Call<'_> {
    /// Evaluates the trust policy of `role`.
    pub(super) fn ask_trust(&self, role: &Role) -> Option<Trusting> {
        let policy = role.trust.as_ref()?;
        let answer = self.judge(policy, &[])?;
        let mut bare = policy.clone();
        for statement in &mut bare.statements {
            statement.conditions.clear();
        }
        bare.statements.retain(|statement| statement.effect == Effect::Allow);
        let is_named = self.judge(&bare, &[]).is_some_and(|answer| answer != Answer::No);
        let lacks = if answer == Answer::No { self.find_lacks(policy) } else { Vec::new() };
        Some(Trusting {
            answer,
            lacks,
            is_named,
            tags: tag_keys(policy),
            accounts: trusted_accounts(policy),
            deleted: deleted_principals(policy),
            others: other_conditions(policy),
            max_age: max_age(policy),
        })
    }

    /// Returns a minimal set of additions after which the policy no longer denies the call.
    fn find_lacks(&self, policy: &Policy) -> Vec<Lack> {
        let mut lacks = self.possible_lacks();
        let helps = |lacks: &[Lack]| self.judge(policy, lacks).is_some_and(|answer| answer != Answer::No);
        if !helps(&lacks) {
            return Vec::new();
        }
        for lack in lacks.clone() {
            let without: Vec<_> = lacks.iter().copied().filter(|other| *other != lack).collect();
            if helps(&without) {
                lacks = without;
            }
        }
        lacks
    }

    fn possible_lacks(&self) -> Vec<Lack> {
        let is_recent = self.attempt.code != CodeSent::No;
        let mfa = match &self.attempt.signer {
            _ if is_recent => None,
            SignedBy::SessionToken { serial: Some(_), .. } => Some(Lack::RecentMfa),
            _ => Some(Lack::Mfa),
        };
        // The least likely first, as they are the first to be removed again.
        let others = [Lack::Tags, Lack::SourceIdentity, Lack::SessionName, Lack::ExternalId];
        others.into_iter().chain(mfa).collect()
    }

    fn judge(&self, trust: &Policy, lacks: &[Lack]) -> Option<Answer> {
        let everything = Policy::parse(
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
        )
        .ok()?;
        let layers = Layers { trust: Some(trust.clone()), identity: vec![everything], ..Layers::default() };
        Some(evaluate(&self.request(Some(trust), lacks)?, &layers).decision.into())
    }

    /// Evaluates which of the caller's own layers denies the call.
    pub(super) fn ask_own(
        &self,
        identity: &[Policy],
        boundary: Option<&Vec<Policy>>,
        trust: Option<&Policy>,
    ) -> Option<Decision> {
        let account = self.caller.account()?;
        // If the trust policy is unknown, use one that trusts the account, which requires an Allow in the caller's own
        // policies.
        let whole = Policy::parse(&format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Principal":{{"AWS":"{account}"}}}}}}"#
        ));
        let layers = Layers {
            trust: trust.cloned().or(whole.ok()),
            identity: identity.to_vec(),
            boundary: boundary.cloned(),
            ..Layers::default()
        };
        Some(evaluate(&self.request(trust, &[])?, &layers).decision)
    }

    fn request(&self, trust: Option<&Policy>, lacks: &[Lack]) -> Option<Request> {
        Some(Request {
            caller: self.caller.clone(),
            action: "sts:AssumeRole".to_owned(),
            also_actions: Vec::new(),
            resource: self.role.to_owned(),
            resource_account: AccountId::parse(Arn::parse(self.role)?.account).ok()?,
            context: self.context(trust, lacks),
        })
    }

    /// Returns the known condition keys of the call; all other keys are unknown.
    fn context(&self, trust: Option<&Policy>, lacks: &[Lack]) -> Context {
        let attempt = self.attempt;
        let has = |lack| lacks.contains(&lack);
        let (credentials, age) = attempt.signer.credentials();
        let (caller, named, sent) = (&self.caller, Named::InFull, Sent::Anything);
        let now = self.now;
        let mut context =
            KnownCall { caller, named, credentials: Some(credentials), age, sent, now }.context();
        if attempt.code != CodeSent::No || has(Lack::Mfa) || has(Lack::RecentMfa) {
            Credentials::AccessKeysWithMfa.set_mfa(&mut context, None);
        }
        context.set("aws:RequestedRegion", [attempt.region.as_str()]);
        if attempt.endpoint.as_ref().is_some_and(|url| url.starts_with("http://")) {
            context.set("aws:SecureTransport", ["false"]);
        }
        let user = user_name(&self.caller);
        let statements = || trust.iter().flat_map(|policy| &policy.statements);
        let wanted = |key: &str| -> Vec<String> {
            let all: Vec<_> = conditions_on(statements(), key)
                .flatten()
                .map(|value| fill(value, user.as_deref()))
                .collect();
            all
        };
        let mut text = |lack, key: &str, given: Option<Vec<String>>| {
            match given {
                _ if lacks.contains(&lack) => {
                    let mut values = wanted(key);
                    if values.is_empty() {
                        values.push("any".to_owned());
                    }
                    // Several values: one of them matches, whichever condition applies.
                    context.set(key, values);
                }
                Some(values) => context.set(key, values),
                None => {}
            }
        };
        // A sent external ID is not stored, so it is unknown whether it was the right one.
        let external_id = (!attempt.has_external_id).then(Vec::new);
        text(Lack::ExternalId, "sts:ExternalId", external_id);
        text(
            Lack::SessionName,
            "sts:RoleSessionName",
            Some(attempt.session_name.clone().into_iter().collect()),
        );
        let identity = attempt.source_identity.clone().or(attempt.inherited_source_identity.clone());
        text(Lack::SourceIdentity, "sts:SourceIdentity", Some(identity.clone().into_iter().collect()));
        if identity.is_none() || attempt.inherited_source_identity.is_some() {
            let carried = attempt.inherited_source_identity.clone();
            text(Lack::SourceIdentity, "aws:SourceIdentity", Some(carried.into_iter().collect()));
        }
        let sent: Vec<_> = attempt.tags.iter().chain(&attempt.inherited_tags).collect();
        if let Some(policy) = trust {
            for name in tag_keys(policy) {
                let is_sent = sent.iter().any(|tag| tag.eq_ignore_ascii_case(&name));
                let key = format!("aws:RequestTag/{name}");
                text(Lack::Tags, &key, (!is_sent).then(Vec::new));
            }
        }
        let all = sent.iter().map(|tag| (*tag).clone()).collect();
        text(Lack::Tags, "aws:TagKeys", Some(all));
        context
    }
}

/// Returns the name of the calling IAM user.
pub(super) fn user_name(caller: &Caller) -> Option<String> {
    let Caller::User { arn } = caller else { return None };
    arn.rsplit('/').next().map(str::to_owned)
}

/// Returns a value that matches, with the variables replaced and letters for wildcards.
fn fill(value: &str, user: Option<&str>) -> String {
    value.replace("${aws:username}", user.unwrap_or_default()).replace(['*', '?'], "x")
}

/// Returns the values of each condition on `key` in an Allow.
fn conditions_on<'p>(
    statements: impl Iterator<Item = &'p Statement>,
    key: &str,
) -> impl Iterator<Item = Vec<&'p str>> {
    statements
        .filter(|statement| statement.effect == Effect::Allow)
        .flat_map(|statement| &statement.conditions)
        .filter(move |condition| condition.key.eq_ignore_ascii_case(key))
        .map(|condition| condition.values.iter().map(|value| value.text.as_str()).collect())
}

fn all_conditions(policy: &Policy) -> impl Iterator<Item = (&str, Vec<String>)> {
    policy.statements.iter().flat_map(|statement| &statement.conditions).map(|condition| {
        (condition.key.as_str(), condition.values.iter().map(|value| value.text.clone()).collect())
    })
}

/// Returns the names of the session tags in conditions.
fn tag_keys(policy: &Policy) -> Vec<String> {
    const PREFIX: &str = "aws:requesttag/";
    let mut names: Vec<String> = all_conditions(policy)
        .filter(|(key, _)| key.to_ascii_lowercase().starts_with(PREFIX))
        .filter_map(|(key, _)| key.get(PREFIX.len()..).map(str::to_owned))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Returns the conditions that only AWS can evaluate.
fn other_conditions(policy: &Policy) -> Vec<(String, Vec<String>)> {
    const NAMES: [&str; 8] = [
        "aws:sourceip",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:vpcsourceip",
        "aws:currenttime",
        "aws:epochtime",
    ];
    all_conditions(policy)
        .filter(|(key, _)| {
            let key = key.to_ascii_lowercase();
            NAMES.contains(&key.as_str()) || key.starts_with("aws:principaltag/")
        })
        .map(|(key, values)| (key.to_owned(), values))
        .collect()
}

fn max_age(policy: &Policy) -> Option<i64> {
    all_conditions(policy)
        .filter(|(key, _)| key.eq_ignore_ascii_case("aws:MultiFactorAuthAge"))
        .flat_map(|(_, values)| values)
        .filter_map(|value| value.trim().parse().ok())
        .min()
}

fn trusted_accounts(policy: &Policy) -> Vec<String> {
    let mut accounts: Vec<String> = principals(policy)
        .filter_map(|(text, kind)| match kind {
            PrincipalKind::Account { account, .. } => Some(account.clone()),
            PrincipalKind::Arn => Arn::parse(text).map(|arn| arn.account.to_owned()),
            _ => None,
        })
        .collect();
    accounts.sort();
    accounts.dedup();
    accounts
}

fn deleted_principals(policy: &Policy) -> Vec<String> {
    principals(policy)
        .filter(|(text, kind)| {
            **kind == PrincipalKind::NoOne && ["AIDA", "AROA"].iter().any(|id| text.starts_with(id))
        })
        .map(|(text, _)| text.to_owned())
        .collect()
}

fn principals(policy: &Policy) -> impl Iterator<Item = (&str, &PrincipalKind)> {
    policy
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Allow)
        .filter_map(|statement| statement.principals.as_ref())
        .flat_map(|element| &element.entries)
        .map(|principal| (principal.text.as_str(), &principal.kind))
}
