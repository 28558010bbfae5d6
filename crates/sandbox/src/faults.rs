//! Faults that tests request, and how often each one is still pending.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error_response::ErrorResponse;
use crate::service::Service;

/// A fault that a test requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many times it happens; `None` to repeat it until the faults are cleared.
    pub times: Option<u32>,
    /// The only action that it applies to, such as `AssumeRole`; `None` for all.
    pub action: Option<String>,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The call is performed, but the response is delayed by this many milliseconds.
    DelayMillis(u64),
    /// Returns 503 ServiceUnavailable instead of performing the call (sign-in and Identity Center: 500 server_error).
    Unavailable,
    /// Returns 400 Throttling instead of performing the call (S3: 503 SlowDown; sign-in: 429; Identity Center:
    /// SlowDownException; its portal: 429).
    Throttling,
    /// Returns 403 AccessDenied with this message instead of performing the call, for errors whose cause the sandbox
    /// does not model, such as policies of an organization.
    AccessDenied(String),
    /// Returns 403 InvalidClientTokenId instead of performing the call, as when a new key has not propagated yet.
    KeyNotKnownYet,
    /// Closes the connection instead of performing the call.
    DropConnection,
    /// Performs the call, but closes the connection instead of sending the response.
    DropAnswer,
    /// New credentials last for this many seconds, and report that expiry.
    ShortLifeSeconds(i64),
    /// MFA devices count as out of sync: their codes cannot be validated.
    DeviceOutOfSync,
    /// Identity providers cannot be reached: their tokens cannot be verified.
    IdentityProviderDown,
    /// Identity providers can be reached, but reject their tokens.
    IdentityProviderRejects,
    /// The portal of Identity Center returns 429 for calls beyond this many per second. A call within the limit does
    /// not use up the fault.
    CallsPerSecond(u32),
}

impl Fault {
    /// Returns a fault that happens once, to the first call of any kind.
    pub fn once(kind: FaultKind) -> Self {
        Self { kind, times: Some(1), action: None }
    }
}

/// The faults that are still pending.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    due: Vec<Fault>,
    /// When the calls of the last second were made that count towards [`FaultKind::CallsPerSecond`].
    recent: VecDeque<Instant>,
}

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
        self.due.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.due.clear();
        self.recent.clear();
    }

    pub(crate) fn due(&self) -> &[Fault] {
        &self.due
    }

    /// Uses up the faults that apply to a call as a whole.
    pub(crate) fn take_injected(&mut self, service: Service, action: &str) -> Injected {
        let mut injected = Injected::default();
        let Self { due, recent } = self;
        take(due, action, |kind| {
            match kind {
                FaultKind::DelayMillis(millis) => injected.delay += Duration::from_millis(*millis),
                FaultKind::Unavailable => injected.error_response = Some(unavailable(service)),
                FaultKind::Throttling => injected.error_response = Some(throttled(service)),
                FaultKind::AccessDenied(text) => injected.error_response = Some(denied(service, text)),
                FaultKind::KeyNotKnownYet => {
                    let text = "The security token included in the request is invalid.";
                    injected.error_response = Some(ErrorResponse::new(403, "InvalidClientTokenId", text));
                }
                FaultKind::DropConnection => injected.is_dropped_before = true,
                FaultKind::DropAnswer => injected.is_dropped_after = true,
                FaultKind::CallsPerSecond(limit) => {
                    if service != Service::Sso || is_let_through(recent, *limit) {
                        return false;
                    }
                    injected.error_response = Some(throttled(service));
                }
                FaultKind::ShortLifeSeconds(_)
                | FaultKind::DeviceOutOfSync
                | FaultKind::IdentityProviderDown
                | FaultKind::IdentityProviderRejects => return false,
            }
            true
        });
        injected
    }

    /// Returns the lifetime in seconds that overrides that of new credentials.
    pub(crate) fn take_short_life(&mut self, action: &str) -> Option<i64> {
        let mut found = None;
        take(&mut self.due, action, |kind| match kind {
            FaultKind::ShortLifeSeconds(seconds) if found.is_none() => {
                found = Some(*seconds);
                true
            }
            _ => false,
        });
        found
    }

    /// Returns whether `wanted`, which affects one step of a call, is pending for this call.
    pub(crate) fn take_one(&mut self, action: &str, wanted: &FaultKind) -> bool {
        let mut is_due = false;
        take(&mut self.due, action, |kind| {
            let is_it = kind == wanted;
            is_due |= is_it;
            is_it
        });
        is_due
    }
}

fn take(due: &mut Vec<Fault>, action: &str, mut is_used: impl FnMut(&FaultKind) -> bool) {
    for fault in due.iter_mut() {
        let is_meant = fault.action.as_ref().is_none_or(|meant| meant == action);
        if is_meant && fault.times != Some(0) && is_used(&fault.kind) {
            fault.times = fault.times.map(|times| times - 1);
        }
    }
    due.retain(|fault| fault.times != Some(0));
}

/// Returns whether another call is within the limit, and counts it if so. Rejected calls do not count.
fn is_let_through(recent: &mut VecDeque<Instant>, limit: u32) -> bool {
    let now = Instant::now();
    recent.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
    let is_within = recent.len() < usize::try_from(limit).unwrap_or(usize::MAX);
    if is_within {
        recent.push_back(now);
    }
    is_within
}

fn unavailable(service: Service) -> ErrorResponse {
    match service {
        Service::SignIn => ErrorResponse::new(500, "server_error", "Internal server error"),
        Service::SsoOidc => ErrorResponse::new(500, "InternalServerException", "Internal server error"),
        _ => ErrorResponse::new(503, "ServiceUnavailable", "Service is unable to handle request."),
    }
}

fn throttled(service: Service) -> ErrorResponse {
    match service {
        Service::S3 => ErrorResponse::new(503, "SlowDown", "Please reduce your request rate."),
        Service::Sts | Service::Iam => ErrorResponse::new(400, "Throttling", "Rate exceeded"),
        Service::SignIn | Service::Console => ErrorResponse::new(429, "rate_exceeded", "Rate exceeded"),
        Service::SsoOidc => ErrorResponse::new(400, "SlowDownException", "Slow down"),
        Service::Sso => ErrorResponse::new(429, "TooManyRequestsException", "Rate exceeded"),
        Service::Metadata => ErrorResponse::new(429, "TooManyRequests", "Rate exceeded"),
    }
}

fn denied(service: Service, text: &str) -> ErrorResponse {
    match service {
        Service::SsoOidc => ErrorResponse::new(400, "AccessDeniedException", text),
        Service::Sso => ErrorResponse::new(403, "ForbiddenException", text),
        Service::Sts
        | Service::Iam
        | Service::S3
        | Service::SignIn
        | Service::Console
        | Service::Metadata => ErrorResponse::denied(text),
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
    fn a_rate_limit_counts_the_calls_to_the_portal_and_stays() {
        let mut faults = Faults::default();
        faults.add(Fault { kind: FaultKind::CallsPerSecond(2), times: None, action: None });
        let mut refused = |service| faults.take_injected(service, "ListAccounts").error_response;
        assert!((0..5).all(|_| refused(Service::Sts).is_none()));
        let statuses: Vec<_> = (0..4).map(|_| refused(Service::Sso).map(|refusal| refusal.status)).collect();
        assert_eq!(statuses, [None, None, Some(429), Some(429)]);
        assert_eq!(faults.due().len(), 1);
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
