//! All causes weighed: which it is, which it may be, which it is not.

use jiff::Timestamp;

use super::access_denied::PolicyType;
use super::attempt::{Attempt, RoleVariable};
use super::aws_error::AwsError;
use super::cause::{Assessment, Cause, EITHER_SIDE, Evidence, Fix, WeighedCause};
use super::causes::weigh;
use super::known::Known;
use super::view::View;
use hatbox_types::text::phrases::render_role_of_environment;

/// The most causes that are offered besides the first.
const MAX_OTHERS: usize = 3;
/// What weighs less than this only `why` shows.
const WORTH_SHOWING: u8 = 35;

/// Why a call failed, as far as is known.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// `alice may not assume prod-admin`
    pub headline: String,
    /// The layer that AWS named, in words, where that alone is no cause.
    pub named_layer: Option<String>,
    /// That a variable of the environment gave the role, in words, and how to do without it.
    pub role_of_environment: Option<(String, Fix)>,
    /// The same of other parts of the call.
    pub parts_of_environment: Vec<(String, Fix)>,
    /// What was found of each cause: the causes first, by weight, then the rest by number.
    pub causes: Vec<WeighedCause>,
    /// Whether AWS may have meant one side or the other, and did not say.
    pub is_bare: bool,
}

/// Weighs all causes of an error. Pure and quick: nothing is called.
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
    /// What it is, or most likely is.
    pub fn first(&self) -> Option<&WeighedCause> {
        self.causes.first().filter(|weighed| matches!(weighed.assessment, Assessment::Cause(_)))
    }

    /// Whether something speaks for the first cause: AWS, what was seen, or what was sent. Else it is one side or
    /// the other, and no one can tell.
    pub fn is_explained(&self) -> bool {
        self.first().is_some_and(|first| {
            first.assessment != Assessment::Cause(Evidence::Likely) || first.weight > EITHER_SIDE
        })
    }

    /// What it may be instead, the likeliest first.
    pub fn others(&self) -> impl Iterator<Item = &WeighedCause> {
        // A role that does not exist denies all callers, and AWS has named the layer already.
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

/// A trust policy that denies has its own reason, which AWS does not name.
fn named_layer(view: &View<'_>) -> Option<String> {
    let reason = view.reason().filter(|reason| reason.layer == PolicyType::Trust)?;
    Some(if reason.is_explicit {
        format!("the trust policy of {} denies it explicitly", view.whom)
    } else {
        format!("the trust policy of {} does not allow it", view.whom)
    })
}

/// Whoever has forgotten the variable looks for the cause in the profile.
fn role_of_environment(attempt: &Attempt) -> Option<(String, Fix)> {
    let RoleVariable { name, replaced } = attempt.role_of_environment.as_ref()?;
    let text = render_role_of_environment(name, &attempt.step_profile, replaced.as_deref());
    Some((text, Fix::Command(format!("unset {name}"))))
}

/// Variables that give what the profile did not ask for, or in the place of what it asked for.
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
