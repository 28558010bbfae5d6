//! The state of a sign-in, as shown to the user.

use std::time::Duration;

use hatbox_types::duration::render_duration;
use hatbox_types::text::page::Style;
use jiff::Timestamp;

use super::saved::SavedToken;

#[derive(Debug)]
pub(crate) enum SignInState {
    /// The token is valid.
    SignedIn(SavedToken),
    /// The token has expired, and the next command will refresh it if Identity Center still allows that.
    Renewable(SavedToken),
    /// The token has expired, or there is none.
    SignedOut,
    /// Unknown, as the store is locked.
    Unknown,
}

impl SignInState {
    pub(super) fn of_saved(saved: Option<SavedToken>, now: Timestamp) -> Self {
        match saved {
            Some(saved) if saved.token.expires_at > now => Self::SignedIn(saved),
            Some(saved) if saved.token.refresh.as_ref().is_some_and(|by| by.client.expires_at > now) => {
                Self::Renewable(saved)
            }
            _ => Self::SignedOut,
        }
    }

    /// Describes the state.
    pub(crate) fn render(&self, now: Timestamp) -> (String, Style) {
        match self {
            Self::SignedIn(saved) => {
                let left = Duration::try_from(saved.token.expires_at.duration_since(now)).unwrap_or_default();
                let left = render_duration(Duration::from_secs(left.as_secs()));
                let then = if saved.token.refresh.is_some() { ", then renewed" } else { "" };
                (format!("signed in for {left}{then}"), Style::Good)
            }
            Self::Renewable(_) => ("expired, renewed at the next use".to_owned(), Style::Plain),
            Self::SignedOut => ("signed out".to_owned(), Style::Warning),
            Self::Unknown => ("not known: the store is locked".to_owned(), Style::Warning),
        }
    }

    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::SignedIn(_) => "signed-in",
            Self::Renewable(_) => "renewable",
            Self::SignedOut => "signed-out",
            Self::Unknown => "locked",
        }
    }
}
