//! What a refusal of STS means for the user, and the way out.

use hatbox_core::config::duration::render_duration;
use hatbox_core::plan::{Base, Plan, Step};

use super::mfa::CodeSource;
use crate::aws::client::ServiceSettings;
use crate::aws::endpoint::EndpointUrl;
use crate::aws::sts_error::{StsError, StsProblem};
use crate::report::{Failure, FailureKind};

/// A refused call and what was asked.
pub(super) struct Refused<'a> {
    pub(super) error: &'a StsError,
    pub(super) plan: &'a Plan,
    pub(super) step: &'a Step,
    pub(super) settings: &'a ServiceSettings,
    pub(super) code_source: Option<CodeSource>,
}

/// The failure for the user.
pub(super) fn failure_of(refused: &Refused<'_>) -> Failure {
    let Refused { error, step, code_source, .. } = refused;
    let failure = add_hints(Failure::new(FailureKind::Failed, headline(step)).caused_by(*error), refused);
    // A code of a flag is this process's own; another may have a better one.
    if *code_source == Some(CodeSource::Flag) { failure } else { failure.shared() }
}

fn headline(step: &Step) -> String {
    match step {
        Step::GetSessionToken(step) => format!("got no session for `{}` (GetSessionToken)", step.profile),
        Step::AssumeRole(step) => {
            format!("could not put on the role of `{}`: {} (AssumeRole)", step.profile, step.role.value)
        }
    }
}

fn add_hints(failure: Failure, refused: &Refused<'_>) -> Failure {
    let Refused { error, plan, step, settings, code_source } = refused;
    let profile = step.profile();
    match error.problem {
        StsProblem::WrongCode => match code_source {
            Some(CodeSource::Process) => failure.hint("`mfa_process` printed a code that is wrong or was used already"),
            _ => failure.hint("each code works once; wait for the next one, and check the clock of the device"),
        },
        StsProblem::WrongDevice => {
            let failure = failure.hint(
                "check `mfa_serial`: it must be a device of the user whose key signs, as `aws iam list-mfa-devices` shows it",
            );
            match step.mfa().filter(|mfa| mfa.serial.value.is_user_arn()) {
                Some(mfa) => failure.hint(format!(
                    "`{}` is the user, not a device; probably it is `{}`",
                    mfa.serial.value,
                    mfa.serial.value.as_str().replacen(":user/", ":mfa/", 1)
                )),
                None => failure,
            }
        }
        StsProblem::UnknownKey => match &plan.base {
            Base::StoredKey { profile, .. } => failure.hint(format!(
                "the access key stored for `{profile}` is unknown to AWS, or was made inactive; `hatbox add {profile}` stores another"
            )),
            _ => failure.hint(
                "the access key is unknown to AWS, was made inactive, or came with another key's session token",
            ),
        },
        StsProblem::WrongSecret => match &plan.base {
            Base::StoredKey { profile, .. } => failure.hint(format!(
                "the secret does not belong to this access key id; store both again: hatbox add {profile}"
            )),
            _ => failure.hint("the secret does not belong to this access key id"),
        },
        StsProblem::ClockSkew(seconds) => {
            let direction = if seconds > 0 { "ahead" } else { "behind" };
            failure
                .hint(format!("this machine's clock is {} s {direction}; AWS allows 15 minutes", seconds.abs()))
                .hint("set the clock, for instance: sudo timedatectl set-ntp true")
        }
        StsProblem::Expired => match &plan.base {
            Base::Environment { .. } => failure.hint("the temporary credentials in the environment have ended: obtain new ones"),
            Base::FileKeys { profile, .. } => failure.hint(format!(
                "the temporary credentials of `{profile}` in the file have ended: write new ones there"
            )),
            _ => failure.hint(format!("obtain the source anew: hatbox exec --fresh {profile} -- true")),
        },
        StsProblem::NotAuthorized => not_authorized(failure, refused),
        StsProblem::Root => {
            failure.hint("the root user cannot assume roles: make an IAM user, and store its access key")
        }
        StsProblem::SessionCannot => {
            failure.hint("GetSessionToken takes long-lived keys only; use --no-session with temporary ones")
        }
        StsProblem::OverRoleMaximum => failure.hint(format!(
            "{} were asked for, and the role allows less; ask for less with -d, or have its MaxSessionDuration raised",
            render_duration(step.duration().value)
        )),
        StsProblem::OverChainMaximum => failure.hint("a role assumed from temporary credentials lasts 1h at most: use -d 1h"),
        StsProblem::RegionDisabled => failure.hint(format!(
            "the region {} is not enabled in the account; use another with --region",
            settings.region
        )),
        StsProblem::Throttled => failure.hint("AWS has had too many calls; try again in a moment"),
        StsProblem::Unreachable | StsProblem::TimedOut => match &settings.endpoint {
            Some(endpoint) => failure.hint(format!("is the endpoint {} right, and running?", EndpointUrl::as_str(endpoint))),
            None => failure.hint("check the network, and HTTPS_PROXY if you are behind a proxy"),
        },
        StsProblem::Certificate => failure
            .hint("if a proxy or a company's own authority stands between, set AWS_CA_BUNDLE to its certificates"),
        StsProblem::NotSts => failure.hint("what answered is not STS: check the endpoint, HTTPS_PROXY and NO_PROXY"),
        StsProblem::Invalid | StsProblem::Other => failure,
    }
}

fn not_authorized(failure: Failure, refused: &Refused<'_>) -> Failure {
    let Refused { plan, step, .. } = refused;
    let profile = step.profile();
    let with_mfa = plan.steps.iter().any(|step| step.mfa().is_some());
    let failure = if with_mfa {
        failure
    } else {
        failure.hint(format!(
            "no MFA code was sent; if the role asks for MFA, set `mfa_serial` in `{profile}` and in its source profile"
        ))
    };
    failure.hint("the role's trust policy and your own policies must both allow it; AWS does not say which of them refused")
}
