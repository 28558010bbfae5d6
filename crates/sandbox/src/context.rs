//! The state of one call: the world, the time, the caller and its log entry.

use hyper::body::Bytes;
use jiff::Timestamp;

use crate::authorize::{Ask, CodeGiven, Keys, authorize, caller_keys};
use crate::denial::DenialKey;
use crate::error_response::ErrorResponse;
use crate::faults::Faults;
use crate::http::{Params, Received, Reply};
use crate::log::LogEntry;
use crate::service::Service;
use crate::sigv4::{Caller, Dialect, Verified, verify};
use crate::world::{Home, LastUsed, World};
use crate::xml::Xml;

/// The state of one call.
pub(crate) struct RequestContext<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) home: &'a Home,
    pub(crate) faults: &'a mut Faults,
    pub(crate) denials: &'a DenialKey,
    pub(crate) now: Timestamp,
    pub(crate) request: &'a Received,
    pub(crate) service: Service,
    /// The parameters from host, path, query and form.
    pub(crate) params: &'a Params,
    /// The body without chunk framing; empty until the signature is verified.
    pub(crate) payload: Bytes,
    pub(crate) entry: &'a mut LogEntry,
    pub(crate) request_id: &'a str,
}

impl RequestContext<'_> {
    /// Verifies the signature, records the caller, and removes the framing of the payload.
    pub(crate) fn verify(&mut self) -> Result<Caller, ErrorResponse> {
        let Verified { caller, payload } =
            verify(self.world, self.request, Dialect::of(self.service), self.now)?;
        self.payload = payload;
        self.entry.note_caller(self.world, &caller);
        // Saved with the next change of the world.
        if let Some(key) = self.world.find_key_mut(&caller.key_id) {
            let service = self.entry.service.clone();
            key.last_used = Some(LastUsed { at: self.now, service, region: caller.region.clone() });
        }
        Ok(caller)
    }

    /// Renders a response of the query protocol: `ActionResponse` around `ActionResult`, whose content `result` writes.
    pub(crate) fn render(&self, result: impl FnOnce(&mut Xml)) -> Reply {
        self.render_response(|xml, action| {
            xml.nest(&format!("{action}Result"), result);
        })
    }

    /// Renders the response of an action without a result.
    pub(crate) fn render_nothing(&self) -> Reply {
        self.render_response(|_, _| {})
    }

    fn render_response(&self, inner: impl FnOnce(&mut Xml, &str)) -> Reply {
        let action = &self.entry.action;
        let mut xml = Xml::document();
        xml.nest_ns(&format!("{action}Response"), self.service.namespace(), |xml| {
            inner(xml, action);
            xml.nest("ResponseMetadata", |xml| {
                xml.element("RequestId", self.request_id);
            });
        });
        Reply::xml(200, "text/xml", xml.finish())
    }

    /// Returns the condition keys of the caller, and records them in the log entry.
    pub(crate) fn keys(&mut self, caller: &Caller, code: CodeGiven) -> Keys {
        let keys = caller_keys(self.world, caller, code, self.now);
        let mfa = keys.get("aws:multifactorauthpresent").and_then(|values| values.first());
        self.entry.mfa_present = mfa.map(|value| value == "true");
        keys
    }

    /// Evaluates the policies, and records the reasons in the log entry.
    pub(crate) fn authorize(&mut self, caller: &Caller, ask: &Ask, quote: &str) -> Result<(), ErrorResponse> {
        self.entry.resource = Some(ask.resource.to_owned());
        let keys = self.keys(caller, CodeGiven::No);
        let judgement = authorize(self.world, caller, &keys, ask, quote)?;
        self.entry.because.extend(judgement.because);
        Ok(())
    }
}
