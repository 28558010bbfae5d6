//! Everything that the checks of causes use, computed once.

use jiff::Timestamp;

use super::access_denied::{Denial, PolicyType, Reason};
use super::attempt::{Attempt, CodeSent, SignedBy};
use super::aws_error::AwsError;
use super::known::Known;
use super::what_if::{Call, Lack, Trusting};
use crate::policy::answer::Answer;
use crate::policy::arn::Arn;
use crate::policy::evaluate::{Caller, Decision, DenyKind};

/// The input for the checks of causes.
pub(super) struct View<'a> {
    pub(super) aws_error: &'a AwsError,
    pub(super) attempt: &'a Attempt,
    pub(super) known: &'a Known,
    pub(super) now: Timestamp,
    /// The caller as shown: the name of a user or role, or a description.
    pub(super) who: String,
    /// The caller's ARN, according to AWS.
    pub(super) caller: Option<String>,
    /// The role's name.
    pub(super) whom: String,
    /// The evaluation of the role's trust policy, with its source.
    pub(super) trust: Option<(Trusting, &'a str)>,
    /// The evaluation of the caller's own policies, with their source.
    pub(super) own: Option<(Decision, &'a str)>,
}

impl<'a> View<'a> {
    pub(super) fn new(
        aws_error: &'a AwsError,
        attempt: &'a Attempt,
        known: &'a Known,
        now: Timestamp,
    ) -> Self {
        let denial = match aws_error {
            AwsError::NotAuthorized(denial) => Some(denial.as_ref()),
            _ => None,
        };
        let printed_caller = denial.and_then(|denial| denial.caller.clone());
        let caller = printed_caller.or_else(|| known.caller.as_ref().map(|fact| fact.value.clone()));
        let mut view = Self {
            aws_error,
            attempt,
            known,
            now,
            who: who(caller.as_deref(), attempt),
            caller,
            whom: attempt.role.as_deref().map(last_part).unwrap_or_default().to_owned(),
            trust: None,
            own: None,
        };
        if let (Some(caller), Some(role)) = (view.policy_caller(), &attempt.role) {
            let call = Call { attempt, caller, role, now };
            let known_role = known.role.as_ref();
            view.trust =
                known_role.and_then(|fact| Some((call.ask_trust(&fact.value)?, fact.origin.as_str())));
            // A trust policy that denies the call says nothing about the caller's own policies.
            let is_denying = view.trust.as_ref().is_some_and(|(trust, _)| trust.answer == Answer::No);
            let trust = known_role.and_then(|fact| fact.value.trust.as_ref()).filter(|_| !is_denying);
            view.own = known.policies.as_ref().and_then(|fact| {
                let own = &fact.value;
                let decision = call.ask_own(&own.identity, own.boundary.as_ref(), trust)?;
                // A missing policy could allow what the others do not, or deny what they allow.
                let is_certain =
                    !own.is_partial || matches!(decision, Decision::Deny { kind: DenyKind::Explicit, .. });
                is_certain.then_some((decision, fact.origin.as_str()))
            });
        }
        view
    }

    /// Returns the caller in the evaluator's type.
    fn policy_caller(&self) -> Option<Caller> {
        let text = self.caller.as_deref()?;
        let arn = Arn::parse(text)?;
        if arn.resource.starts_with("user/") {
            return Some(Caller::User { arn: text.to_owned() });
        }
        let session = arn.resource.strip_prefix("assumed-role/")?;
        let name = session.split('/').next()?;
        let role_arn = match &self.attempt.signer {
            SignedBy::Role { arn: Some(role) } if last_part(role) == name => role.clone(),
            _ => format!("arn:{}:iam::{}:role/{name}", arn.partition, arn.account),
        };
        Some(Caller::RoleSession { session_arn: Some(text.to_owned()), role_arn })
    }

    pub(super) fn denial(&self) -> Option<&'a Denial> {
        match self.aws_error {
            AwsError::NotAuthorized(denial) => Some(denial),
            _ => None,
        }
    }

    /// Returns the layer that AWS names.
    pub(super) fn reason(&self) -> Option<&'a Reason> {
        self.denial()?.reason.as_ref()
    }

    /// Whether the trust policy may have denied the call: AWS named it, or named no layer.
    pub(super) fn may_be_trust(&self) -> bool {
        self.is_about_role() && self.reason().is_none_or(|reason| reason.layer == PolicyType::Trust)
    }

    /// Whether AssumeRole itself was denied, rather than one of the additional actions.
    pub(super) fn is_about_role(&self) -> bool {
        self.attempt.role.is_some()
            && self.denial().is_some_and(|denial| {
                denial.action.as_deref().is_none_or(|action| action.eq_ignore_ascii_case("sts:AssumeRole"))
            })
    }

    /// Whether AWS denied this action, which is sent along with AssumeRole.
    pub(super) fn is_about(&self, action: &str) -> bool {
        self.denial()
            .and_then(|denial| denial.action.as_deref())
            .is_some_and(|named| named.eq_ignore_ascii_case(action))
    }

    /// Whether the call had MFA: by its own code, or by the session that signed it.
    pub(super) fn has_mfa(&self) -> bool {
        self.attempt.code != CodeSent::No
            || matches!(self.attempt.signer, SignedBy::SessionToken { serial: Some(_), .. })
    }

    /// Whether nothing shows which side denies the call or whether MFA is missing: AWS named no layer, the trust policy
    /// is unknown, and there is no sign of an MFA device.
    pub(super) fn is_open_to_all(&self) -> bool {
        let has_device = !self.attempt.around.devices.is_empty()
            || self.attempt.serial.is_some()
            || self.known.devices.as_ref().is_some_and(|devices| !devices.value.is_empty());
        self.is_about_role()
            && self.reason().is_none()
            && self.trust.is_none()
            && !has_device
            && !self.has_mfa()
    }

    pub(super) fn is_chained(&self) -> bool {
        matches!(self.attempt.signer, SignedBy::Role { .. })
    }

    /// Returns the source of the trust policy if it denies the call because this is missing.
    pub(super) fn lacks(&self, lack: Lack) -> Option<&'a str> {
        let (trust, origin) = self.trust.as_ref()?;
        (trust.answer == Answer::No && trust.lacks.contains(&lack)).then_some(*origin)
    }

    /// Returns the source of the trust policy if it does not deny the call because of this.
    pub(super) fn does_not_lack(&self, lack: Lack) -> Option<&'a str> {
        let (trust, origin) = self.trust.as_ref()?;
        let is_lacking = match &trust.answer {
            Answer::Yes => false,
            Answer::No => trust.lacks.contains(&lack),
            Answer::Unknown(_) => lack.decides(&trust.answer),
        };
        (!is_lacking).then_some(*origin)
    }

    /// Returns the account of an ARN.
    pub(super) fn account_of(arn: Option<&str>) -> Option<&str> {
        arn.and_then(Arn::parse).map(|arn| arn.account).filter(|account| !account.is_empty())
    }

    pub(super) fn caller_account(&self) -> Option<&str> {
        Self::account_of(self.caller.as_deref())
    }

    pub(super) fn role_account(&self) -> Option<&'a str> {
        Self::account_of(self.attempt.role.as_deref())
    }

    /// Returns the name of the calling IAM user, if the caller is one.
    pub(super) fn user(&self) -> Option<&str> {
        let arn = Arn::parse(self.caller.as_deref()?)?;
        arn.resource.strip_prefix("user/").map(last_part)
    }

    /// Returns the config section of the failed call: `profile NAME`.
    pub(super) fn section(&self) -> String {
        Attempt::section(&self.attempt.step_profile)
    }

    /// Returns a fix that adds a line to the section of the failed call.
    pub(super) fn setting(&self, line: impl Into<String>) -> super::Fix {
        super::Fix::Setting {
            line: line.into(),
            file: self.attempt.around.config.clone(),
            section: self.section(),
        }
    }
}

/// Returns the text after the last slash.
pub(super) fn last_part(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

fn who(caller: Option<&str>, attempt: &Attempt) -> String {
    let arn = caller.and_then(Arn::parse);
    let named = arn.and_then(|arn| {
        let mut parts = arn.resource.split('/');
        match parts.next()? {
            "user" => parts.next_back(),
            "assumed-role" => parts.next(),
            _ => None,
        }
    });
    match (named, &attempt.signer) {
        (Some(name), _) => name.to_owned(),
        (None, SignedBy::Role { arn: Some(role) }) => last_part(role).to_owned(),
        (None, _) => format!("the key of `{}`", attempt.base.profile),
    }
}
