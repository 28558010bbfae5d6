//! Plain-text keys from a file or the environment, which the plan itself contains.

use hatbox_core::config::profile::{Origin, Sourced, StaticKeys};
use hatbox_types::duration::render_duration;
use hatbox_types::name::ProfileName;
use hatbox_types::secret::SessionCredentials;
use jiff::Timestamp;
use std::time::Duration;

use crate::aws::client::Signer;
use crate::credentials::plan::Planned;
use crate::errors::{Failure, FailureKind};

/// Returns a signer for `keys`, or an error if the program that wrote them recorded an expiry that has passed.
pub(super) fn signer_of(
    planned: &Planned,
    profile: &ProfileName,
    keys: &Sourced<StaticKeys>,
) -> Result<Signer, Failure> {
    let StaticKeys { key, session_token, expires_at } = &keys.value;
    if let Some(expires_at) = expires_at.filter(|end| *end <= planned.world.clock.now()) {
        return Err(expired(planned, profile, &keys.origin, expires_at));
    }
    let key = key.clone();
    Ok(match (session_token.clone(), *expires_at) {
        (None, _) => Signer::Key(key),
        (Some(session_token), None) => Signer::Found { key, session_token },
        (Some(session_token), Some(expires_at)) => Signer::Session(SessionCredentials {
            access_key_id: key.id,
            secret_access_key: key.secret,
            session_token,
            expires_at,
        }),
    })
}

fn expired(planned: &Planned, profile: &ProfileName, origin: &Origin, at: Timestamp) -> Failure {
    let ago = Duration::try_from(planned.world.clock.now().duration_since(at)).unwrap_or_default();
    // Rounded to whole minutes from one minute on.
    let ago = match ago.as_secs() {
        seconds if seconds < 60 => seconds,
        seconds => seconds - seconds % 60,
    };
    let ago = render_duration(Duration::from_secs(ago));
    let text = format!("the access key of profile `{profile}` expired {ago} ago, at {at}");
    let failure = Failure::new(FailureKind::Failed, text);
    match origin.place() {
        Some(place) => failure
            .at(planned.files.shown_place(place))
            .hint("get a new one with the program that wrote it, or remove its lines"),
        None => failure.hint("get new credentials into the environment"),
    }
}
