//! Explains an error of STS to the user and suggests what to do.

use std::time::Duration;

use hatbox_core::plan::{Base, Plan, Step};
use hatbox_iam::denial::attempt::{Attempt, CodeSent, FailedCall};
use hatbox_iam::denial::aws_error::AwsError;
use hatbox_iam::denial::diagnose;
use hatbox_iam::denial::known::Known;
use hatbox_iam::denial::known::gather_known;
use hatbox_iam::denial::report::render_report;
use hatbox_types::duration::render_duration;
use hatbox_types::text::page::Page;
use hatbox_types::text::shell::quote_word;
use jiff::Timestamp;

use super::attempt::{Circumstances, attempt_of_step};
use super::mfa::CodeSource;
use super::plan::Planned;
use super::step::Sent;
use super::surroundings::{paths_of, resolve_surroundings};
use crate::aws::client::ServiceSettings;
use crate::aws::sts_error::{ErrorResponse, NetworkProblem, StsError, StsProblem};
use crate::errors::{ExplainedError, Failure, FailureKind};
use crate::files::trust_sources::{AT_ONCE, load_trust_sources};
use crate::world::World;

/// A clock difference above this is reported.
const CLOCK_TOLERANCE: Duration = Duration::from_mins(1);

/// A call that failed, with everything known about it.
#[derive(Clone, Copy)]
struct Denied<'a> {
    planned: &'a Planned,
    step: &'a Step,
    sent: &'a Sent,
    error: &'a StsError,
}

/// Builds the failure for the user from what is already known; makes no call.
pub(super) fn failure_of(planned: &Planned, step: &Step, sent: &Sent, error: &StsError) -> Failure {
    let denied = Denied { planned, step, sent, error };
    let failure = match &error.problem {
        StsProblem::AwsError(answer) => denied.explain(answer),
        problem => add_hints_of_network(denied.undiagnosed(), problem, &sent.settings, sent.code),
    };
    // Other processes do not have the code of this process's flag, and may succeed with their own.
    if sent.code == Some(CodeSource::Flag) { failure } else { failure.shared() }
}

impl Denied<'_> {
    fn explain(self, answer: &ErrorResponse) -> Failure {
        let Self { planned, error, .. } = self;
        let call = self.attempt(answer).map(|attempt| FailedCall {
            code: answer.code.clone(),
            message: answer.message.clone(),
            attempt,
        });
        let now = planned.world.clock.now();
        let report = call.as_ref().and_then(|call| {
            let known = known_of(&planned.world, &answer.meaning, &call.attempt);
            render_report(call, &diagnose(&answer.meaning, &call.attempt, &known, now))
        });
        let (mut failure, explanation) = match report {
            Some(report) => {
                (Failure::new(FailureKind::Failed, report.headline).caused_by(error), report.page)
            }
            None => (add_hints(self.undiagnosed(), &answer.meaning, &planned.plan), Page::default()),
        };
        failure.aws_error = call.map(|call| Box::new(ExplainedError { call, explanation }));
        failure
    }

    fn attempt(self, answer: &ErrorResponse) -> Option<Attempt> {
        let Self { planned, sent, .. } = self;
        let Planned { world, files, request, plan, .. } = planned;
        let seconds_since = |then: Timestamp, now: Timestamp| now.as_second() - then.as_second();
        let circumstances = Circumstances {
            at: sent.at.as_second(),
            session_age: sent.source_at.map(|at| seconds_since(at, sent.at).max(0)),
            code: match sent.code {
                None => CodeSent::No,
                Some(CodeSource::Flag) => CodeSent::Flag,
                Some(CodeSource::Process) => CodeSent::Process,
                Some(CodeSource::Seed) => CodeSent::Seed,
                Some(CodeSource::Person) => CodeSent::Person,
            },
            session_name: sent.request.session_name().map(str::to_owned),
            region: sent.settings.region.clone(),
            endpoint: sent.settings.endpoint.as_ref().map(|url| url.as_str().to_owned()),
            clock_ahead: answer.date.map(|date| seconds_since(date, world.clock.now())),
            around: resolve_surroundings(&world.environment, files, request, plan),
        };
        let paths = paths_of(files);
        let render_origin = |origin: &_| hatbox_core::plan::explain::render_origin(origin, &paths);
        attempt_of_step(plan, sent.index, circumstances, &render_origin)
    }

    /// A failure that only names the call.
    fn undiagnosed(self) -> Failure {
        let headline = match self.step {
            Step::GetSessionToken(step) => {
                format!("could not get a session for `{}` (GetSessionToken)", step.profile)
            }
            Step::GetFederationToken(step) => {
                format!("could not get a session for `{}` (GetFederationToken)", step.profile)
            }
            Step::AssumeRole(step) => {
                format!("could not assume the role of profile `{}` ({})", step.profile, step.role.value)
            }
        };
        Failure::new(FailureKind::Failed, headline).caused_by(self.error)
    }
}

/// Loads the account files that the settings name, if they can explain the error.
fn known_of(world: &World, aws_error: &AwsError, attempt: &Attempt) -> Known {
    let caller = match aws_error {
        AwsError::NotAuthorized(denial) => denial.caller.as_deref(),
        // The role's maximum.
        AwsError::OverRoleMaximum => None,
        _ => return Known::default(),
    };
    match load_trust_sources(world, AT_ONCE) {
        Some(accounts) => {
            let now = world.clock.now();
            gather_known(&accounts, attempt.role.as_deref(), caller, now)
        }
        None => Known::default(),
    }
}

/// Adds hints for an error that has nothing to do with permissions.
fn add_hints(failure: Failure, aws_error: &AwsError, plan: &Plan) -> Failure {
    match aws_error {
        AwsError::WrongSecret => match &plan.base {
            Base::StoredKey { profile, .. } => failure.hint(format!(
                "the secret does not belong to this access key id; store both again: hatbox add {}",
                quote_word(profile.as_str())
            )),
            _ => failure.hint("the secret does not belong to this access key id"),
        },
        AwsError::ClockSkew(seconds) => {
            let direction = if *seconds > 0 { "ahead" } else { "behind" };
            failure
                .hint(format!(
                    "this machine's clock is {} s {direction}; AWS allows 15 minutes",
                    seconds.abs()
                ))
                .hint("set the clock, for instance: sudo timedatectl set-ntp true")
        }
        AwsError::Root => {
            failure.hint("the root user cannot assume roles: make an IAM user, and store its access key")
        }
        AwsError::SessionCannot => {
            failure.hint("GetSessionToken accepts only long-lived keys; use --no-session with temporary ones")
        }
        AwsError::NotAuthorized(_) if matches!(plan.steps.as_slice(), [Step::GetFederationToken(_)]) => {
            failure.hint("the user needs the permission sts:GetFederationToken")
        }
        AwsError::Throttled => failure.hint("AWS received too many requests; try again in a moment"),
        _ => failure,
    }
}

/// Adds hints for an STS endpoint that did not answer.
pub(super) fn add_hints_of_network(
    failure: Failure,
    problem: &StsProblem,
    settings: &ServiceSettings,
    code: Option<CodeSource>,
) -> Failure {
    match problem {
        StsProblem::Network(NetworkProblem::NoAnswer) if code.is_some() => {
            failure.hint("try again with the next MFA code: this one may have been used")
        }
        StsProblem::Network(problem) => {
            failure.hints(problem.hint("STS", settings.endpoint.as_ref(), settings.ca_bundle.as_deref()))
        }
        StsProblem::Expired { clock_ahead } => match clock_ahead.and_then(render_clock) {
            Some(clock) => failure.hint(hint_at_clock(&clock)),
            None => failure,
        },
        StsProblem::AwsError(_) | StsProblem::Other => failure,
    }
}

/// The hint for a clock that [`render_clock`] reports.
pub(crate) fn hint_at_clock(clock: &str) -> String {
    format!("{clock}; set it, for instance: sudo timedatectl set-ntp true")
}

/// Describes how far this machine's clock is off, if that is far enough to matter.
pub(crate) fn render_clock(seconds_ahead: i64) -> Option<String> {
    let off = Duration::from_secs(seconds_ahead.unsigned_abs());
    let direction = if seconds_ahead > 0 { "ahead of" } else { "behind" };
    (off > CLOCK_TOLERANCE)
        .then(|| format!("this machine's clock is {} {direction} the endpoint's", render_duration(off)))
}
