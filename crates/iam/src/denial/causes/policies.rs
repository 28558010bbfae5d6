//! Causes on the caller's side: own policies, SCPs and RCPs, permissions boundary and session policy.

use crate::denial::access_denied::{PolicyType, Reason};
use crate::denial::cause::{Cause, EITHER_SIDE, Evidence, Fix, WeighedCause};
use crate::denial::view::View;
use crate::policy::answer::names_of;
use crate::policy::evaluate::{Decision, DenyKind, Layer};

/// `s` or `'s`.
fn of(name: &str) -> String {
    format!("{name}'s own policies")
}

fn named<'v>(view: &View<'v>, layers: &[PolicyType]) -> Option<&'v Reason> {
    view.reason().filter(|reason| layers.contains(&reason.layer))
}

fn in_policy(reason: &Reason) -> String {
    reason.policy.as_ref().map(|policy| format!(" ({policy})")).unwrap_or_default()
}

pub(super) fn own_policies(view: &View<'_>) -> WeighedCause {
    let cause = Cause::OwnPolicies;
    let action = view.denial().and_then(|denial| denial.action.as_deref()).unwrap_or("sts:AssumeRole");
    let own = of(&view.who);
    let role = view.attempt.role.as_deref().unwrap_or("*");
    let statement = || Fix::Statement {
        belongs: format!("a policy of {}", view.who),
        json: format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{role}"}}"#),
    };
    if let Some(reason) = named(view, &[PolicyType::Identity]) {
        if reason.is_explicit {
            return WeighedCause::said(
                cause,
                format!("an explicit deny in {own} forbids {action}{}", in_policy(reason)),
            )
            .fix(Fix::Words("have the deny changed, or meet its condition (often: MFA)".to_owned()));
        }
        return WeighedCause::said(cause, format!("{own} do not allow {action} on {role}")).fix(statement());
    }
    match &view.own {
        Some((Decision::Deny { layer: Layer::Identity, kind }, origin)) => match kind {
            DenyKind::Implicit => WeighedCause::computed(
                cause,
                format!("{own} do not allow {action} on {} ({origin})", view.whom),
            )
            .fix(statement())
            .weigh(88),
            DenyKind::Explicit => {
                WeighedCause::computed(cause, format!("an explicit deny in {own} denies it ({origin})"))
                    .weigh(88)
            }
        },
        Some((Decision::Allow | Decision::Deny { layer: Layer::Boundary | Layer::Session, .. }, origin)) => {
            WeighedCause::ruled_out(cause, Evidence::Computed, format!("{own} allow it ({origin})"))
        }
        Some((Decision::Unknown { depends_on }, origin)) => WeighedCause::open(
            cause,
            format!("{own} depend on {} ({origin})", names_of(depends_on).join(", ")),
        ),
        _ if view.reason().is_some() => {
            WeighedCause::open(cause, format!("AWS named another policy type; {own} may deny it as well"))
        }
        _ if !view.is_about_role() => WeighedCause::open(cause, format!("{own} are not known")),
        _ => {
            let weight = if view.is_open_to_all() { EITHER_SIDE - 1 } else { EITHER_SIDE };
            WeighedCause::likely(cause, weight, format!("{own} do not allow it")).fix(statement())
        }
    }
}

pub(super) fn organization(view: &View<'_>) -> WeighedCause {
    let cause = Cause::Organization;
    match named(view, &[PolicyType::ServiceControl, PolicyType::ResourceControl]) {
        Some(reason) => {
            let name = if reason.layer == PolicyType::ServiceControl {
                "service control policy"
            } else {
                "resource control policy"
            };
            WeighedCause::said(cause, format!("your organization denies it by a {name}{}", in_policy(reason)))
                .fix(Fix::Words("only an administrator of the organization can change that".to_owned()))
        }
        None => WeighedCause::open(cause, "the organization's policies are not known here"),
    }
}

pub(super) fn boundary(view: &View<'_>) -> WeighedCause {
    let cause = Cause::Boundary;
    let action = view.denial().and_then(|denial| denial.action.as_deref()).unwrap_or("sts:AssumeRole");
    let widen = || Fix::Words("have it widened by whoever manages boundaries".to_owned());
    if let Some(reason) = named(view, &[PolicyType::Boundary, PolicyType::Session]) {
        let (what, fix) = match reason.layer {
            PolicyType::Boundary => ("a permissions boundary on", widen()),
            _ => (
                "the session policy of",
                Fix::Words("obtain the source's session without that policy".to_owned()),
            ),
        };
        let does = if reason.is_explicit { "denies" } else { "leaves out" };
        return WeighedCause::said(
            cause,
            format!("{what} {} {does} {action}{}", view.who, in_policy(reason)),
        )
        .fix(fix);
    }
    match &view.own {
        Some((Decision::Deny { layer: Layer::Boundary, .. }, origin)) => WeighedCause::computed(
            cause,
            format!("a permissions boundary on {} leaves out {action} ({origin})", view.who),
        )
        .fix(widen())
        .weigh(88),
        Some((Decision::Allow, origin)) => WeighedCause::ruled_out(
            cause,
            Evidence::Computed,
            format!("no permissions boundary limits it ({origin})"),
        ),
        _ => match &view.known.policies {
            Some(own) if own.value.boundary.is_none() && !own.value.is_partial => {
                let text = format!("{} has no permissions boundary ({})", view.who, own.origin);
                WeighedCause::ruled_out(cause, Evidence::Computed, text)
            }
            _ => WeighedCause::open(
                cause,
                format!("whether {} has a permissions boundary is not known", view.who),
            ),
        },
    }
}
