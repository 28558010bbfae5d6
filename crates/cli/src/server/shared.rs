//! What all connections of a server share.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use jiff::Timestamp;

use super::events::Events;
use super::identity::Identity;
use super::places::Places;
use super::protocol::Protocol;
use super::request::Rules;
use crate::world::clock::Clock;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) rules: Rules,
    pub(super) protocol: Protocol,
    pub(super) identities: Vec<Arc<Identity>>,
    pub(super) clock: Clock,
    pub(super) events: Events,
    pub(super) places: Rc<Places>,
}

impl Shared {
    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the identity at `path`, if the token is right.
    pub(super) fn find(&self, path: &str, token: &[u8]) -> Option<&Identity> {
        self.identities.iter().map(|identity| &**identity).find(|identity| identity.admits(path, token))
    }

    /// Completes when an identity changes after this call.
    pub(super) fn changed(&self) -> impl Future<Output = ()> {
        self.events.changed.notified()
    }

    pub(super) fn wake_if_due(&self, identity: &Identity) {
        if identity.is_due(self.clock.now()) {
            self.events.wake.wake();
        }
    }

    pub(super) fn places(&self) -> &Places {
        &self.places
    }
}
