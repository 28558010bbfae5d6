//! Checks each cause: one function for each.

mod call;
mod identity;
mod mfa;
mod policies;
mod trust;

use super::aws_error::AwsError;
use super::cause::{Cause, Evidence, WeighedCause};
use super::view::View;

/// Checks whether `cause` applies.
pub(super) fn weigh(cause: Cause, view: &View<'_>) -> WeighedCause {
    if !is_reached(cause, view.aws_error) {
        return WeighedCause::open(cause, "not checked: AWS rejected the call earlier");
    }
    match cause {
        Cause::NoCode => mfa::no_code(view),
        Cause::WrongSerial => mfa::wrong_serial(view),
        Cause::WrongCode => mfa::wrong_code(view),
        Cause::OnlyPasskey => mfa::only_passkey(view),
        Cause::ChainedWithoutMfa => mfa::chained_without_mfa(view),
        Cause::OldMfa => mfa::old_mfa(view),
        Cause::OwnPolicies => policies::own_policies(view),
        Cause::Organization => policies::organization(view),
        Cause::Boundary => policies::boundary(view),
        Cause::NotTrusted => trust::not_trusted(view),
        Cause::RoleName => trust::role_name(view),
        Cause::DeletedPrincipal => trust::deleted_principal(view),
        Cause::Condition => trust::condition(view),
        Cause::ExternalId => call::external_id(view),
        Cause::SessionName => call::session_name(view),
        Cause::SourceIdentity => call::source_identity(view),
        Cause::SessionTags => call::session_tags(view),
        Cause::Duration => call::duration(view),
        Cause::WrongIdentity => identity::wrong_identity(view),
        Cause::RegionOrNew => identity::region_or_new(view),
    }
}

/// Whether AWS evaluated this part of the call before it returned the error.
fn is_reached(cause: Cause, aws_error: &AwsError) -> bool {
    match aws_error {
        AwsError::NotAuthorized(_) => true,
        AwsError::WrongCode => cause == Cause::WrongCode,
        AwsError::WrongDevice => matches!(cause, Cause::WrongSerial | Cause::OnlyPasskey),
        AwsError::UnknownKey | AwsError::Expired => cause == Cause::WrongIdentity,
        AwsError::OverRoleMaximum | AwsError::OverChainMaximum => cause == Cause::Duration,
        AwsError::RegionDisabled => cause == Cause::RegionOrNew,
        _ => false,
    }
}

/// Rules out a cause for which AWS has a specific message, but returned another.
fn not_said(cause: Cause, text: &str) -> WeighedCause {
    WeighedCause::ruled_out(cause, Evidence::AwsSaid, text)
}

/// Renders seconds as a duration: `1h`, `12h`, `1h30m`.
fn render_seconds(seconds: u64) -> String {
    hatbox_types::duration::render_duration(std::time::Duration::from_secs(seconds))
}
