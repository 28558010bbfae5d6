//! Causes in the other parameters of the call: external ID, session name, source identity, tags, duration.

use super::{not_said, render_seconds};
use crate::denial::attempt::SignedBy;
use crate::denial::aws_error::AwsError;
use crate::denial::cause::{Cause, Evidence, Fix, WeighedCause};
use crate::denial::view::View;
use crate::denial::what_if::Lack;

pub(super) fn external_id(view: &View<'_>) -> WeighedCause {
    let cause = Cause::ExternalId;
    let section = view.section();
    // Security: do not show the expected external ID, which belongs to a third party.
    let ask = || {
        Fix::Words(format!(
            "set external_id in {}, [{section}], to what the role's owner gave you",
            view.attempt.around.config
        ))
    };
    if let Some(origin) = view.lacks(Lack::ExternalId) {
        return WeighedCause::computed(
            cause,
            format!("the role requires an external ID ({origin}); [{section}] has none"),
        )
        .fix(ask());
    }
    let is_asked = view.trust.as_ref().is_some_and(|(trust, _)| Lack::ExternalId.decides(&trust.answer));
    if let (true, Some((_, origin))) = (is_asked, &view.trust) {
        return WeighedCause::likely(
            cause,
            89,
            format!("the role requires an external ID ({origin}), and the one of [{section}] may be another"),
        )
        .fix(ask());
    }
    if let Some(origin) = view.does_not_lack(Lack::ExternalId) {
        return WeighedCause::ruled_out(
            cause,
            Evidence::Computed,
            format!("the external ID is not why the role denies it ({origin})"),
        );
    }
    if !view.may_be_trust() {
        return WeighedCause::open(cause, "AWS named another policy type");
    }
    let is_foreign = view.caller_account().is_some_and(|account| view.role_account() != Some(account));
    match (view.attempt.has_external_id, is_foreign) {
        (true, _) => WeighedCause::likely(
            cause,
            47,
            format!("the external ID of [{section}] may not be the one that the role requires"),
        )
        .fix(ask()),
        (false, true) => WeighedCause::likely(
            cause,
            30,
            format!("the role may require an external ID, and [{section}] has none"),
        )
        .fix(ask()),
        (false, false) => WeighedCause::ruled_out(
            cause,
            Evidence::Likely,
            "roles rarely require an external ID from their own account",
        ),
    }
}

pub(super) fn session_name(view: &View<'_>) -> WeighedCause {
    let cause = Cause::SessionName;
    let name = view.attempt.session_name.as_deref().unwrap_or_default();
    let sent = format!("`{}`", if view.attempt.is_session_name_fixed { name } else { "hatbox-PROFILE-TIME" });
    let fix = |weighed: WeighedCause| match view.user() {
        Some(user) => weighed.fix(view.setting(format!("role_session_name = {user}"))),
        None => weighed,
    };
    if let Some(origin) = view.lacks(Lack::SessionName) {
        return fix(WeighedCause::computed(
            cause,
            format!("the role requires another session name than {sent} ({origin})"),
        ));
    }
    if let Some(origin) = view.does_not_lack(Lack::SessionName) {
        return WeighedCause::ruled_out(
            cause,
            Evidence::Computed,
            format!("the session name is not why the role denies it ({origin})"),
        );
    }
    if !view.may_be_trust() {
        return WeighedCause::open(cause, "AWS named another policy type");
    }
    if view.user() == Some(name) {
        return WeighedCause::ruled_out(cause, Evidence::Likely, "the session is named after the user");
    }
    fix(WeighedCause::likely(
        cause,
        20,
        format!("the role may require the user's name as session name; {sent} was sent"),
    ))
}

pub(super) fn source_identity(view: &View<'_>) -> WeighedCause {
    let cause = Cause::SourceIdentity;
    let attempt = view.attempt;
    if view.is_about("sts:SetSourceIdentity") {
        return match (&attempt.inherited_source_identity, &attempt.source_identity) {
            (Some(_), _) => WeighedCause::said(
                cause,
                format!(
                    "the source's session has a source identity, and {} is not authorized to perform \
                     sts:SetSourceIdentity on {}",
                    view.who, view.whom
                ),
            )
            .fix(Fix::Words(format!(
                "allow sts:SetSourceIdentity in the trust policy of {} and in the policies of {}",
                view.whom, view.who
            ))),
            _ => WeighedCause::said(
                cause,
                format!(
                    "the request has a source identity, and {} is not authorized to perform \
                     sts:SetSourceIdentity on {}",
                    view.who, view.whom
                ),
            )
            .fix(leave_out(view, "source_identity", "--source-identity", "AWS_SOURCE_IDENTITY"))
            .fix(Fix::Words(format!(
                "or allow sts:SetSourceIdentity in the trust policy of {} and in the policies of {}",
                view.whom, view.who
            ))),
        };
    }
    if let Some(origin) = view.lacks(Lack::SourceIdentity) {
        let weighed = WeighedCause::computed(
            cause,
            format!(
                "the role requires a source identity ({origin}); [{}] has none that fits",
                view.section()
            ),
        );
        return match view.user() {
            Some(user) => weighed.fix(view.setting(format!("source_identity = {user}"))),
            None => weighed,
        };
    }
    if let Some(origin) = view.does_not_lack(Lack::SourceIdentity) {
        return WeighedCause::ruled_out(
            cause,
            Evidence::Computed,
            format!("the source identity is not why the role denies it ({origin})"),
        );
    }
    match (&attempt.source_identity, &attempt.inherited_source_identity) {
        (None, None) => {
            WeighedCause::open(cause, "none was sent, and whether the role requires one is not known")
        }
        _ => WeighedCause::ruled_out(
            cause,
            Evidence::AwsSaid,
            "AWS would name sts:SetSourceIdentity if it were denied",
        ),
    }
}

pub(super) fn session_tags(view: &View<'_>) -> WeighedCause {
    let cause = Cause::SessionTags;
    let attempt = view.attempt;
    if view.is_about("sts:TagSession") {
        let grant = Fix::Words(format!(
            "allow sts:TagSession in the trust policy of {} and in the policies of {}",
            view.whom, view.who
        ));
        if attempt.tags.is_empty() && !attempt.inherited_tags.is_empty() {
            return WeighedCause::said(
                cause,
                format!(
                    "the source's session has transitive session tags ({}), and {} is not authorized to perform \
                     sts:TagSession on {}",
                    attempt.inherited_tags.join(", "),
                    view.who,
                    view.whom
                ),
            )
            .fix(Fix::Words("remove transitive_session_tags from the source profile".to_owned()))
            .fix(Fix::Words(format!("or {}", grant.render())));
        }
        return WeighedCause::said(
            cause,
            format!(
                "the request has session tags ({}), and {} is not authorized to perform sts:TagSession on {}",
                attempt.tags.join(", "),
                view.who,
                view.whom
            ),
        )
        .fix(leave_out(view, "session_tags", "--session-tag", "AWS_SESSION_TAGS"))
        .fix(Fix::Words(format!("or {}", grant.render())));
    }
    if let (Some(origin), Some((trust, _))) = (view.lacks(Lack::Tags), &view.trust) {
        return WeighedCause::computed(
            cause,
            format!("the role requires the session tags {} ({origin})", trust.tags.join(", ")),
        )
        .fix(
            view.setting(format!(
                "session_tags = {}=VALUE",
                trust.tags.first().map_or("NAME", String::as_str)
            )),
        );
    }
    if attempt.tags.is_empty() && attempt.inherited_tags.is_empty() {
        return match view.does_not_lack(Lack::Tags) {
            Some(origin) => WeighedCause::ruled_out(
                cause,
                Evidence::Computed,
                format!("none were sent, and the role requires none ({origin})"),
            ),
            None => {
                WeighedCause::open(cause, "none were sent, and whether the role requires some is not known")
            }
        };
    }
    WeighedCause::ruled_out(cause, Evidence::AwsSaid, "AWS would name sts:TagSession if it were denied")
}

/// Returns how to send the call without a setting, depending on where it was set.
fn leave_out(view: &View<'_>, setting: &str, flag: &str, variable: &str) -> Fix {
    let attempt = view.attempt;
    let has = |names: &[String], name: &str| names.iter().any(|known| known == name);
    Fix::Words(if has(&attempt.flags, flag) {
        format!("run it again without {flag}")
    } else if has(&attempt.variables, variable) {
        format!("unset {variable}")
    } else {
        format!("remove {setting} from {}, [{}]", attempt.around.config, view.section())
    })
}

pub(super) fn duration(view: &View<'_>) -> WeighedCause {
    let cause = Cause::Duration;
    let asked = render_seconds(view.attempt.seconds);
    let from = view.attempt.seconds_from.as_ref().map(|from| format!(" ({from})")).unwrap_or_default();
    // The command that failed may be `exec`, `login` or `export`.
    let again = |length: &str| Fix::Words(format!("run it again with -d {length}"));
    match view.aws_error {
        AwsError::OverRoleMaximum => {
            let max = view
                .known
                .role
                .as_ref()
                .and_then(|role| Some((role.value.max_session?, role.origin.as_str())));
            match max {
                Some((max, origin)) => {
                    let max = render_seconds(max.as_secs());
                    WeighedCause::said(
                        cause,
                        format!("{} allows {max} ({origin}), and you asked for {asked}{from}", view.whom),
                    )
                    .fix(again(&max))
                }
                None => WeighedCause::said(
                    cause,
                    format!("{} allows less than {asked}, which you asked for{from}", view.whom),
                )
                // Every role allows a session of 1 hour.
                .fix(again("1h")),
            }
            .fix(Fix::Words(format!(
                "or have the maximum session duration of {} raised (12h at most)",
                view.whom
            )))
        }
        AwsError::OverChainMaximum => {
            let source = match &view.attempt.signer {
                SignedBy::SessionToken { .. } => "a GetSessionToken session, which counts as chaining,",
                SignedBy::Role { .. } => "another role",
                _ => "temporary credentials",
            };
            WeighedCause::said(
                cause,
                format!("a role assumed from {source} lasts 1h at most, and you asked for {asked}{from}"),
            )
            .fix(again("1h"))
        }
        _ => not_said(cause, "AWS did not complain about the duration"),
    }
}
