//! Errors of metadata services that return no credentials.

use std::error::Error;

use hatbox_core::config::profile::Origin;

use crate::aws::endpoint::EndpointError;
use crate::credentials::plan::Planned;
use crate::errors::{Failure, FailureKind};

/// What all failures of one service have in common.
pub(super) struct MachineFailure<'a> {
    pub(super) planned: &'a Planned,
    /// Where the profile asks for this service.
    pub(super) origin: &'a Origin,
    pub(super) headline: String,
}

impl MachineFailure<'_> {
    pub(super) fn of_error(&self, error: &dyn Error) -> Failure {
        self.headed(FailureKind::Failed).caused_by(error)
    }

    pub(super) fn of_text(&self, kind: FailureKind, text: &str) -> Failure {
        let mut failure = self.headed(kind);
        failure.causes.push(text.to_owned());
        failure
    }

    /// The failure for an endpoint URL that must not be called.
    pub(super) fn of_endpoint(&self, error: &EndpointError) -> Failure {
        self.headed(FailureKind::Refused)
            .caused_by(error)
            .hint("plain http is used to this machine and to AWS's own addresses on it; elsewhere, use https")
    }

    fn headed(&self, kind: FailureKind) -> Failure {
        let failure = Failure::new(kind, self.headline.as_str());
        match self.origin.place() {
            Some(place) => failure.at(self.planned.files.shown_place(place)),
            None => failure,
        }
    }
}
