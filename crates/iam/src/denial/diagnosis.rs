//! Checks all causes and ranks them.

use jiff::Timestamp;

use super::access_denied::PolicyType;
use super::attempt::{Attempt, RoleVariable};
use super::aws_error::AwsError;
use super::cause::{Assessment, Cause, EITHER_SIDE, Evidence, Fix, WeighedCause};
use super::causes::weigh;
use super::known::Known;
use super::view::View;
use hatbox_types::text::phrases::render_role_of_environment;

/// The maximum number of causes shown besides the first.
const MAX_OTHERS: usize = 3;
/// Causes with a lower weight are only shown by `why`.
const WORTH_SHOWING: u8 = 35;

/// Why a call failed, as far as known.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// The summary: `alice may not assume prod-admin`
    pub headline: String,
    /// The layer that AWS named, as text, if that alone does not identify the cause.
    pub named_layer: Option<String>,
    /// A note that an environment variable set the role, and how to unset it.
    pub role_of_environment: Option<(String, Fix)>,
    /// Notes that environment variables set other parts of the call, and how to unset them.
    pub parts_of_environment: Vec<(String, Fix)>,
    /// The results for all causes: actual causes first, by weight, then the others, by number.
    pub causes: Vec<WeighedCause>,
    /// Whether AWS gave no reason, so that either side may have denied the call.
    pub is_bare: bool,
}

/// Checks all causes of an error. Pure and fast: makes no calls.
pub fn diagnose(aws_error: &AwsError, attempt: &Attempt, known: &Known, now: Timestamp) -> Diagnosis {
    let view = View::new(aws_error, attempt, known, now);
    let mut causes: Vec<WeighedCause> = Cause::ALL.into_iter().map(|cause| weigh(cause, &view)).collect();
    causes.sort_by_key(|weighed| match weighed.assessment {
        Assessment::Cause(_) => (0, u8::MAX - weighed.weight, weighed.cause.number()),
        Assessment::Open | Assessment::RuledOut(_) => (1, 0, weighed.cause.number()),
    });
    Diagnosis {
        headline: headline(&view),
        named_layer: named_layer(&view),
        role_of_environment: role_of_environment(attempt),
        parts_of_environment: parts_of_environment(attempt),
        causes,
        is_bare: view.is_about_role() && view.reason().is_none(),
    }
}

impl Diagnosis {
    /// Returns the most likely cause, if there is one.
    pub fn first(&self) -> Option<&WeighedCause> {
        self.causes.first().filter(|weighed| matches!(weighed.assessment, Assessment::Cause(_)))
    }

    /// Whether there is evidence for the first cause: from AWS, from policies, or from what was sent. Otherwise either
    /// side may have denied the call.
    pub fn is_explained(&self) -> bool {
        self.first().is_some_and(|first| {
            first.assessment != Assessment::Cause(Evidence::Likely) || first.weight > EITHER_SIDE
        })
    }

    /// Returns the other possible causes, the most likely first.
    pub fn others(&self) -> impl Iterator<Item = &WeighedCause> {
        // A role that does not exist denies all callers, and a layer that AWS named is certain.
        let is_alone = self.first().is_some_and(|first| {
            first.assessment == Assessment::Cause(Evidence::AwsSaid)
                || first.assessment == Assessment::Cause(Evidence::Computed) && first.cause == Cause::RoleName
        });
        self.causes
            .iter()
            .skip(1)
            .filter(|weighed| matches!(weighed.assessment, Assessment::Cause(_)))
            .filter(move |weighed| !is_alone && weighed.weight >= WORTH_SHOWING)
            .filter(|weighed| self.named_layer.is_none() || weighed.cause != Cause::NotTrusted)
            .take(MAX_OTHERS)
    }
}

fn headline(view: &View<'_>) -> String {
    let who = &view.who;
    match (view.aws_error, view.attempt.role.is_some()) {
        (AwsError::NotAuthorized(_), true) => format!("{who} may not assume {}", view.whom),
        (_, true) => format!("{who} did not assume {}", view.whom),
        (_, false) => format!("{who} got no session"),
    }
}

/// Returns the trust policy as the named layer. AWS does not say which statement in it denies the call.
fn named_layer(view: &View<'_>) -> Option<String> {
    let reason = view.reason().filter(|reason| reason.layer == PolicyType::Trust)?;
    Some(if reason.is_explicit {
        format!("the trust policy of {} denies it explicitly", view.whom)
    } else {
        format!("the trust policy of {} does not allow it", view.whom)
    })
}

/// Notes that a variable set the role, as users who forgot the variable search for the cause in the profile.
fn role_of_environment(attempt: &Attempt) -> Option<(String, Fix)> {
    let RoleVariable { name, replaced } = attempt.role_of_environment.as_ref()?;
    let text = render_role_of_environment(name, &attempt.step_profile, replaced.as_deref());
    Some((text, Fix::Command(format!("unset {name}"))))
}

/// Notes the variables that add to or override settings of the profile.
fn parts_of_environment(attempt: &Attempt) -> Vec<(String, Fix)> {
    let part = |name: &str| match name {
        "AWS_MFA_SERIAL" => Some("MFA device"),
        "AWS_SESSION_TAGS" => Some("session tags"),
        "AWS_TRANSITIVE_TAGS" => Some("transitive tags"),
        "AWS_SOURCE_IDENTITY" => Some("source identity"),
        _ => None,
    };
    let note = |name: &String| {
        let text = format!("{name} sets the {} of profile `{}`", part(name)?, attempt.step_profile);
        Some((text, Fix::Command(format!("unset {name}"))))
    };
    attempt.variables.iter().filter_map(note).collect()
}
