//! Causes on the role's side: the trust policy, a role that does not exist, deleted principals, conditions that only
//! AWS can evaluate.

use crate::denial::access_denied::PolicyType;
use crate::denial::cause::{Cause, EITHER_SIDE, Evidence, Fix, WeighedCause};
use crate::denial::view::{View, last_part};
use crate::denial::what_if::Trusting;
use crate::policy::answer::Answer;
use hatbox_types::text::suggest::nearest_name;

pub(super) fn not_trusted(view: &View<'_>) -> WeighedCause {
    let cause = Cause::NotTrusted;
    let whom = &view.whom;
    let who = &view.who;
    let ask = || {
        Fix::Words(format!("ask whoever manages {whom} to trust {}", view.caller.as_deref().unwrap_or(who)))
    };
    let said = view.reason().filter(|reason| reason.layer == PolicyType::Trust);
    match &view.trust {
        Some((trust, origin))
            if !trust.is_named && !trust.deleted.is_empty() && trust.accounts.is_empty() =>
        {
            return WeighedCause::open(
                cause,
                format!("it names only users and roles that were deleted ({origin})"),
            );
        }
        Some((trust, origin)) if !trust.is_named && trust.answer == Answer::No => {
            let text = format!("{whom} {}{} ({origin})", trusted(trust), here(view));
            return WeighedCause::computed(cause, text).fix(ask()).weigh(92);
        }
        Some((trust, origin))
            if trust.answer == Answer::No && trust.lacks.is_empty() && trust.others.is_empty() =>
        {
            return WeighedCause::computed(
                cause,
                format!("the trust policy of {whom} refuses {who} ({origin})"),
            )
            .fix(ask());
        }
        Some((trust, origin)) if said.is_none() => {
            let text = if trust.answer == Answer::Yes { "lets" } else { "names" };
            let rest = if trust.answer == Answer::Yes { " in" } else { "" };
            return WeighedCause::ruled_out(
                cause,
                Evidence::Computed,
                format!("{whom} {text} {who}{rest} ({origin})"),
            );
        }
        _ => {}
    }
    match said {
        // AWS names the policy, not the statement in it, so any evidence for a specific condition ranks higher.
        Some(reason) => {
            let does = if reason.is_explicit { "explicitly denies" } else { "does not allow" };
            WeighedCause::said(cause, format!("the trust policy of {whom} {does} what {who} asked for"))
                .fix(ask())
                .weigh(48)
        }
        None if !view.may_be_trust() => WeighedCause::open(
            cause,
            "AWS named another policy type; the role's trust policy may deny it as well",
        ),
        None => {
            let weight = if view.is_open_to_all() { EITHER_SIDE } else { EITHER_SIDE - 1 };
            WeighedCause::likely(cause, weight, format!("{whom} does not trust {who}")).fix(ask())
        }
    }
}

fn trusted(trust: &Trusting) -> String {
    match trust.accounts.as_slice() {
        [] => "trusts no account".to_owned(),
        [one] => format!("trusts {one}"),
        [first, rest @ ..] if rest.len() < 3 => format!("trusts {first}, {}", rest.join(", ")),
        [first, rest @ ..] => format!("trusts {first} and {} other accounts", rest.len()),
    }
}

fn here(view: &View<'_>) -> String {
    match (&view.trust, view.caller_account()) {
        (Some((trust, _)), Some(account)) if trust.accounts.iter().any(|trusted| trusted == account) => {
            format!(", and of that account not {}", view.who)
        }
        (_, Some(account)) => format!(", you are in {account}"),
        (_, None) => String::new(),
    }
}

pub(super) fn role_name(view: &View<'_>) -> WeighedCause {
    let cause = Cause::RoleName;
    let Some(role) = view.attempt.role.as_deref() else {
        return WeighedCause::ruled_out(cause, Evidence::Computed, "no role was asked for");
    };
    // The variable overrides any setting in the profile.
    let setting = |arn: &str| match &view.attempt.role_of_environment {
        Some(variable) => Fix::Command(format!("export {}={arn}", variable.name)),
        None => view.setting(format!("role_arn = {arn}")),
    };
    if let Some(roles) = &view.known.roles {
        let origin = &roles.origin;
        if roles.value.iter().any(|arn| arn == role) {
            return WeighedCause::ruled_out(cause, Evidence::Computed, format!("the role exists ({origin})"));
        }
        let nearest = nearest_name(role, roles.value.iter().map(String::as_str));
        let text = match nearest {
            Some(near) => format!(
                "there is no role `{}` ({origin}); there is `{}`",
                shown(role, near),
                shown(near, role)
            ),
            None => format!(
                "there is no role `{}` in {} ({origin})",
                view.whom,
                view.role_account().unwrap_or_default()
            ),
        };
        let weighed = WeighedCause::computed(cause, text).weigh(96);
        return nearest.map_or_else(|| weighed.clone(), |near| weighed.clone().fix(setting(near)));
    }
    if let Some(role) = &view.known.role {
        return WeighedCause::ruled_out(
            cause,
            Evidence::Computed,
            format!("the role exists ({})", role.origin),
        );
    }
    if view.reason().is_some() || !view.is_about_role() {
        return WeighedCause::open(cause, "not compared: AWS named a policy type");
    }
    let others = &view.attempt.around.roles;
    if let Some((profile, _)) = others.iter().find(|(_, arn)| arn == role) {
        return WeighedCause::ruled_out(cause, Evidence::Likely, format!("`{profile}` names the same role"));
    }
    let same_account = others.iter().filter(|(_, arn)| View::account_of(Some(arn)) == view.role_account());
    let in_account: Vec<_> = same_account.collect();
    let near = nearest_name(&view.whom, in_account.iter().map(|(_, arn)| last_part(arn)));
    if let Some((profile, arn)) =
        near.and_then(|near| in_account.iter().find(|(_, arn)| last_part(arn) == near))
    {
        let is_case = last_part(arn).eq_ignore_ascii_case(&view.whom);
        let text = format!(
            "`{profile}` names `{}`, which is nearly the same; AWS denies a role that does not exist in the \
             same words",
            shown(arn, role)
        );
        return WeighedCause::likely(cause, if is_case { 84 } else { 40 }, text).fix(setting(arn));
    }
    WeighedCause::open(cause, "AWS does not say whether a role exists; no other profile names a similar one")
}

/// Returns the role's name, or the full ARN if the names are equal.
fn shown<'t>(arn: &'t str, other: &str) -> &'t str {
    let name = last_part(arn);
    if name == last_part(other) { arn } else { name }
}

pub(super) fn deleted_principal(view: &View<'_>) -> WeighedCause {
    let cause = Cause::DeletedPrincipal;
    let Some((trust, origin)) = &view.trust else {
        return WeighedCause::open(cause, "the role's trust policy is not known");
    };
    let Some(first) = trust.deleted.first() else {
        return WeighedCause::ruled_out(
            cause,
            Evidence::Computed,
            format!("it names no one who was deleted ({origin})"),
        );
    };
    let kind = if first.starts_with("AROA") { "role" } else { "user" };
    let text = format!("the trust policy of {} names a deleted {kind} ({first}; {origin})", view.whom);
    if trust.is_named {
        return WeighedCause::ruled_out(cause, Evidence::Computed, format!("{text}, but also {}", view.who));
    }
    let weighed = WeighedCause::computed(cause, text).weigh(97);
    match &view.caller {
        Some(arn) => weighed.fix(Fix::Words(format!("save the trust policy again with the ARN: {arn}"))),
        None => weighed.fix(Fix::Words("save the trust policy again with the ARN".to_owned())),
    }
}

pub(super) fn condition(view: &View<'_>) -> WeighedCause {
    let cause = Cause::Condition;
    if view.reason().is_some_and(|reason| reason.layer == PolicyType::VpcEndpoint) {
        return WeighedCause::said(
            cause,
            "the policy of the VPC endpoint that the call went through does not allow it",
        )
        .fix(Fix::Words("call from elsewhere, or have that policy changed".to_owned()));
    }
    let Some((trust, origin)) = &view.trust else {
        return WeighedCause::open(cause, "the role's trust policy is not known");
    };
    if trust.answer == Answer::Yes || !trust.is_named {
        return WeighedCause::ruled_out(
            cause,
            Evidence::Computed,
            format!("no condition keeps {} out ({origin})", view.who),
        );
    }
    let Some((key, values)) = trust.others.first() else {
        return WeighedCause::ruled_out(
            cause,
            Evidence::Computed,
            format!("it has no condition on address, time, organization, tag or network ({origin})"),
        );
    };
    let shown: Vec<_> = values.iter().take(3).map(String::as_str).collect();
    let allowed = shown.join(", ");
    let lower = key.to_ascii_lowercase();
    let text = match lower.as_str() {
        "aws:sourceip" => {
            format!("allowed only from {allowed} ({origin}); hatbox does not know your address")
        }
        "aws:currenttime" | "aws:epochtime" => {
            format!("allowed only at certain times: {key} {allowed} ({origin})")
        }
        _ => format!("allowed only with {key} {allowed} ({origin}); hatbox does not know yours"),
    };
    match &trust.answer {
        Answer::Unknown(_) => WeighedCause::likely(cause, 87, text),
        // If nothing that the caller can add helps, this condition is the cause.
        _ if trust.lacks.is_empty() => WeighedCause::computed(cause, text),
        _ => WeighedCause::open(cause, text),
    }
}
