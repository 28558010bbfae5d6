//! The sessions of `aws login` in the config, and their states as the files on this machine show them.

use std::time::Duration;

use hatbox_core::login::cache_file::LoginSession;
use hatbox_types::duration::render_duration;
use hatbox_types::name::ProfileName;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::errors::Failure;
use crate::files::aws_config::ConfigFiles;
use crate::files::login_cache::LoginCache;
use crate::world::World;

/// AWS ends a session after 12 hours at most: credentials that expired longer ago cannot be refreshed.
const LIFE: Duration = Duration::from_hours(12);

/// A session of the config.
pub(crate) struct LoginStatus {
    /// The value of `login_session`, usually the ARN of the user.
    pub(crate) session: String,
    /// The profiles that name it.
    pub(crate) profiles: Vec<ProfileName>,
    pub(crate) state: LoginState,
}

pub(crate) enum LoginState {
    /// The credentials in the file are valid until then.
    SignedIn(Timestamp),
    /// The credentials have expired, and the next command will refresh them if AWS still allows that.
    Renewable(Timestamp),
    /// There is no file, or the session has ended.
    SignedOut,
    /// The file cannot be used.
    Unusable(Failure),
}

/// Loads the state of every session in the config, from the files alone.
pub(crate) fn load_login_states(world: &World, files: &ConfigFiles) -> Vec<LoginStatus> {
    let now = world.clock.now();
    let status = |(session, profiles): (String, Vec<ProfileName>)| {
        let state = match LoginCache::of_session(world, &session).load() {
            Ok(Some(file)) => LoginState::of_session(&file.session, now),
            Ok(None) => LoginState::SignedOut,
            Err(failure) => LoginState::Unusable(failure),
        };
        LoginStatus { session, profiles, state }
    };
    files.config.login_sessions().into_iter().map(status).collect()
}

impl LoginState {
    fn of_session(session: &LoginSession, now: Timestamp) -> Self {
        let expires_at = session.credentials.expires_at;
        let passed = Duration::try_from(now.duration_since(expires_at)).unwrap_or_default();
        match () {
            () if expires_at > now => Self::SignedIn(expires_at),
            () if passed < LIFE => Self::Renewable(expires_at),
            () => Self::SignedOut,
        }
    }

    /// Describes the state.
    pub(crate) fn render(&self, now: Timestamp) -> String {
        match self {
            Self::SignedIn(expires_at) => {
                let left = Duration::try_from(expires_at.duration_since(now)).unwrap_or_default();
                let left = render_duration(Duration::from_secs(left.as_secs()));
                format!("signed in for {left}, then renewed")
            }
            Self::Renewable(_) => "expired, renewed at the next use".to_owned(),
            Self::SignedOut => "signed out".to_owned(),
            Self::Unusable(failure) => failure.error.clone(),
        }
    }
}

impl LoginStatus {
    /// Renders the session as JSON, without its credentials.
    pub(crate) fn render_json(&self) -> Value {
        let (state, expires_at) = match &self.state {
            LoginState::SignedIn(at) => ("signed-in", Some(at)),
            LoginState::Renewable(at) => ("renewable", Some(at)),
            LoginState::SignedOut => ("signed-out", None),
            LoginState::Unusable(_) => ("unusable", None),
        };
        json!({
            "session": self.session,
            "profiles": self.profiles.iter().map(ProfileName::as_str).collect::<Vec<_>>(),
            "state": state,
            "expires_at": expires_at.map(Timestamp::to_string),
        })
    }
}
