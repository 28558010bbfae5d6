//! Causes in the credentials, the region, and newly created roles.

use crate::denial::attempt::{SignedBy, StartKind};
use crate::denial::aws_error::AwsError;
use crate::denial::cause::{Cause, Evidence, Fix, WeighedCause};
use crate::denial::view::View;
use crate::policy::arn::Arn;
use hatbox_types::text::shell::quote_word;

/// How long IAM may take to propagate a change, in seconds.
const SPREADING: i64 = 60;

pub(super) fn wrong_identity(view: &View<'_>) -> WeighedCause {
    let cause = Cause::WrongIdentity;
    let base = &view.attempt.base;
    let profile = &base.profile;
    let word = quote_word(profile);
    let key = base.key.as_ref().map(|key| format!(" {key}")).unwrap_or_default();
    match view.aws_error {
        AwsError::UnknownKey => {
            return match (base.kind, &view.attempt.signer) {
                (_, SignedBy::SessionToken { .. } | SignedBy::Role { .. }) => {
                    WeighedCause::said(cause, "the source's session is not valid (any more)")
                        .fix(Fix::Command(format!("hatbox exec --fresh {} -- ...", quote_word(&view.attempt.profile))))
                }
                (StartKind::Stored, _) => WeighedCause::said(cause, format!("the access key{key} stored for `{profile}` is unknown to AWS, or was made inactive"))
                    .fix(Fix::Command(format!("hatbox add {word}     stores another"))),
                (StartKind::Environment, _) => WeighedCause::said(cause, format!("AWS_ACCESS_KEY_ID{key} of the environment is unknown to AWS, was made inactive, or came with another key's AWS_SESSION_TOKEN"))
                    .fix(Fix::Words("set all three variables again, from one source".to_owned())),
                _ => WeighedCause::said(cause, format!("the access key{key} of `{profile}` is unknown to AWS, was made inactive, or came with another key's session token"))
                    .fix(Fix::Command(format!("hatbox add {word}     stores another"))),
            };
        }
        AwsError::Expired => {
            return match base.kind {
                StartKind::Environment => WeighedCause::said(cause, "the temporary credentials in the \
                                                                     environment have expired")
                    .fix(Fix::Words("obtain new ones, or unset AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN".to_owned())),
                StartKind::File => WeighedCause::said(cause, format!("the temporary credentials of \
                                                                      `{profile}` in the file have expired"))
                    .fix(Fix::Words("write new ones there".to_owned())),
                _ => WeighedCause::said(cause, "the source's session has expired")
                    .fix(Fix::Command(format!("hatbox exec --fresh {} -- ...", quote_word(&view.attempt.profile)))),
            };
        }
        _ => {}
    }
    let Some(caller) = view.caller.as_deref() else {
        return WeighedCause::open(cause, "AWS did not say who made the call");
    };
    // The config names one user, but another one signed the call.
    let expected = view.attempt.around.devices.iter().find_map(|(of, serial)| {
        let device = Arn::parse(serial)?;
        let name = device.resource.strip_prefix("mfa/").or_else(|| device.resource.strip_prefix("user/"))?;
        Some((of, device.account.to_owned(), name.to_owned()))
    });
    let user = view.user();
    if let (Some((of, account, name)), Some(user)) = (&expected, user) {
        let is_other_account = view.caller_account() != Some(account);
        if is_other_account || (user != name && base.kind == StartKind::Environment) {
            let source = match base.kind {
                StartKind::Environment => format!("AWS_ACCESS_KEY_ID{key} in your environment"),
                _ => format!("the access key{key} of `{profile}`"),
            };
            let text = format!(
                "{source} belongs to {user} (account {}); `{of}` names a device of {name} (account {account})",
                view.caller_account().unwrap_or_default()
            );
            let weighed = WeighedCause::likely(cause, 86, text);
            return match base.kind {
                StartKind::Environment => weighed.fix(Fix::Command(
                    "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN".to_owned(),
                )),
                _ => weighed.fix(Fix::Command(format!("hatbox add {word}     stores another key"))),
            };
        }
    }
    let by = if view.denial().is_some_and(|denial| denial.caller.is_some()) {
        Evidence::AwsSaid
    } else {
        Evidence::Computed
    };
    let unused = view.attempt.around.variables.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    let besides = if unused.is_empty() || base.kind == StartKind::Environment {
        String::new()
    } else {
        format!("; {} of the environment was not used", unused.join(", "))
    };
    WeighedCause::ruled_out(
        cause,
        by,
        format!("{caller} made the call, with {}{besides}", render_start(view)),
    )
}

fn render_start(view: &View<'_>) -> String {
    let base = &view.attempt.base;
    let key = base.key.as_ref().map(|key| format!(" {key}")).unwrap_or_default();
    match base.kind {
        StartKind::Stored => format!("the key{key} stored for `{}`", base.profile),
        StartKind::File => format!("the key{key} of `{}` in a file", base.profile),
        StartKind::Environment => format!("the key{key} of the environment"),
        StartKind::Other => format!("what `{}` names", base.profile),
    }
}

pub(super) fn region_or_new(view: &View<'_>) -> WeighedCause {
    let cause = Cause::RegionOrNew;
    if *view.aws_error == AwsError::RegionDisabled {
        return WeighedCause::said(
            cause,
            format!("the region {} is not enabled in the account", view.attempt.region),
        )
        .fix(Fix::Command(format!(
            "hatbox exec --region us-east-1 {} -- ...",
            quote_word(&view.attempt.profile)
        )))
        .fix(Fix::Words("or have STS activated in that region".to_owned()));
    }
    let created =
        view.known.role.as_ref().and_then(|role| Some((role.value.created_at?, role.origin.as_str())));
    let Some((created, origin)) = created else {
        return WeighedCause::open(
            cause,
            "the region is enabled; whether the role is seconds old is not known",
        );
    };
    let age = view.attempt.at - created.as_second();
    if (0..SPREADING).contains(&age) {
        return WeighedCause::computed(
            cause,
            format!("the role was {age} s old ({origin}), and IAM needs some seconds"),
        )
        .fix(Fix::Command(format!("hatbox exec {} -- ...     once more", quote_word(&view.attempt.profile))))
        .weigh(93);
    }
    WeighedCause::ruled_out(
        cause,
        Evidence::Computed,
        format!("the region is enabled, and the role is not new ({origin})"),
    )
}
