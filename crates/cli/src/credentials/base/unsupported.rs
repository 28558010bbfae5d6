//! The bases that this version knows and shows, and cannot get credentials from.

use hatbox_core::plan::Base;
use hatbox_types::text::shell::quote_word;

use crate::errors::{Failure, FailureKind};

/// Why there are none, and the way out.
pub(super) fn failure_of(base: &Base) -> Failure {
    let (what, profile) = (base.not_supported().unwrap_or("these keys"), base.profile());
    let word = quote_word(profile.as_str());
    Failure::new(
        FailureKind::Failed,
        format!("profile `{profile}` gets its credentials from {what}, and this version cannot do that yet"),
    )
    .hint(format!("store an access key for it, which is then used instead: hatbox add {word}"))
}
