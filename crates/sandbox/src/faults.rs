//! Faults that a test asks for, and how often each is still due.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error_response::ErrorResponse;
use crate::service::Service;

/// A fault asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// How often; `None` until the faults are cleared.
    pub times: Option<u32>,
    /// The only action that it happens to: `AssumeRole`; `None` for all.
    pub action: Option<String>,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The answer comes so much later. The call is carried out.
    DelayMillis(u64),
    /// 503 ServiceUnavailable instead of the call.
    Unavailable,
    /// 400 Throttling instead of the call (S3: 503 SlowDown, sign-in: 429).
    Throttling,
    /// 403 AccessDenied with this text instead of the call: an error because of what a sandbox does not have, such as the
    /// policies of an organization.
    AccessDenied(String),
    /// The connection is closed instead of the call.
    DropConnection,
    /// The call is carried out, and the connection closed instead of the answer.
    DropAnswer,
    /// New credentials last so many seconds, and say so.
    ShortLifeSeconds(i64),
    /// MFA devices count as out of sync: no code of theirs can be validated.
    DeviceOutOfSync,
    /// Identity providers cannot be reached: no token of theirs can be verified.
    IdentityProviderDown,
    /// Identity providers are reached, and say that a token of theirs is not to be believed.
    IdentityProviderRejects,
}

impl Fault {
    /// A fault that happens once, to whichever call comes first.
    pub fn once(kind: FaultKind) -> Self {
        Self { kind, times: Some(1), action: None }
    }
}

/// Faults that are still due.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

/// What happens to one call.
#[derive(Debug, Default)]
pub(crate) struct Injected {
    pub(crate) delay: Duration,
    pub(crate) error_response: Option<ErrorResponse>,
    pub(crate) is_dropped_before: bool,
    pub(crate) is_dropped_after: bool,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn due(&self) -> &[Fault] {
        &self.0
    }

    /// Uses up those that happen to a call as a whole.
    pub(crate) fn take_injected(&mut self, service: Service, action: &str) -> Injected {
        let mut injected = Injected::default();
        self.take(action, |kind| {
            match kind {
                FaultKind::DelayMillis(millis) => injected.delay += Duration::from_millis(*millis),
                FaultKind::Unavailable if service == Service::SignIn => {
                    injected.error_response =
                        Some(ErrorResponse::new(500, "server_error", "Internal server error"));
                }
                FaultKind::Unavailable => {
                    injected.error_response = Some(ErrorResponse::new(
                        503,
                        "ServiceUnavailable",
                        "Service is unable to handle request.",
                    ));
                }
                FaultKind::Throttling if service == Service::S3 => {
                    injected.error_response =
                        Some(ErrorResponse::new(503, "SlowDown", "Please reduce your request rate."));
                }
                FaultKind::Throttling if service == Service::SignIn => {
                    injected.error_response = Some(ErrorResponse::new(429, "rate_exceeded", "Rate exceeded"));
                }
                FaultKind::Throttling => {
                    injected.error_response = Some(ErrorResponse::new(400, "Throttling", "Rate exceeded"));
                }
                FaultKind::AccessDenied(text) => injected.error_response = Some(ErrorResponse::denied(text)),
                FaultKind::DropConnection => injected.is_dropped_before = true,
                FaultKind::DropAnswer => injected.is_dropped_after = true,
                FaultKind::ShortLifeSeconds(_)
                | FaultKind::DeviceOutOfSync
                | FaultKind::IdentityProviderDown
                | FaultKind::IdentityProviderRejects => return false,
            }
            true
        });
        injected
    }

    /// The life that new credentials get instead of their own.
    pub(crate) fn take_short_life(&mut self, action: &str) -> Option<i64> {
        let mut found = None;
        self.take(action, |kind| match kind {
            FaultKind::ShortLifeSeconds(seconds) if found.is_none() => {
                found = Some(*seconds);
                true
            }
            _ => false,
        });
        found
    }

    /// Whether `wanted`, which happens at one step of a call, is due for this call.
    pub(crate) fn take_one(&mut self, action: &str, wanted: &FaultKind) -> bool {
        let mut is_due = false;
        self.take(action, |kind| {
            let is_it = kind == wanted;
            is_due |= is_it;
            is_it
        });
        is_due
    }

    fn take(&mut self, action: &str, mut is_used: impl FnMut(&FaultKind) -> bool) {
        for fault in &mut self.0 {
            let is_meant = fault.action.as_ref().is_none_or(|meant| meant == action);
            if is_meant && fault.times != Some(0) && is_used(&fault.kind) {
                fault.times = fault.times.map(|times| times - 1);
            }
        }
        self.0.retain(|fault| fault.times != Some(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_fault_happens_so_often_and_to_its_action_only() {
        let mut faults = Faults::default();
        faults.add(Fault { kind: FaultKind::Throttling, times: Some(2), action: Some("AssumeRole".into()) });
        assert!(faults.take_injected(Service::Sts, "GetCallerIdentity").error_response.is_none());
        for _ in 0..2 {
            assert_eq!(
                faults.take_injected(Service::Sts, "AssumeRole").error_response.unwrap().code,
                "Throttling"
            );
        }
        assert!(faults.take_injected(Service::Sts, "AssumeRole").error_response.is_none());
        assert!(faults.due().is_empty());
    }

    #[test]
    fn a_short_life_is_kept_for_the_call_that_gives_credentials() {
        let mut faults = Faults::default();
        faults.add(Fault::once(FaultKind::ShortLifeSeconds(30)));
        assert!(faults.take_injected(Service::S3, "ListBuckets").error_response.is_none());
        assert_eq!(faults.take_short_life("AssumeRole"), Some(30));
        assert_eq!(faults.take_short_life("AssumeRole"), None);
    }
}
