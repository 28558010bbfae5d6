//! Handles one request from end to end: its action, faults, the call itself, the log, saving the world.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::Sender;
use std::time::Duration;

use hyper::body::Bytes;
use jiff::Timestamp;

use crate::context::RequestContext;
use crate::denial::DenialKey;
use crate::dispatch::{perform, route};
use crate::error::Error;
use crate::error_response::ErrorResponse;
use crate::faults::{Faults, Injected};
use crate::http::{Params, Received, Reply};
use crate::log::{Log, LogEntry};
use crate::service::{Protocol, Service};
use crate::world::{Home, World, load_world};
use crate::{clock, console, mint, signin, sso};

/// A sandbox that is served.
pub(crate) struct Sandbox {
    pub(crate) world: World,
    pub(crate) home: Home,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    pub(crate) control_token: String,
    pub(crate) denials: DenialKey,
    _lock: File,
}

/// What the server does with a request after a delay.
pub(crate) enum Delivery {
    /// Sends the reply after the delay.
    Reply(Reply, Duration),
    /// Closes the connection after the delay.
    Drop(Duration),
}

impl Sandbox {
    /// Opens a sandbox directory to serve it; a new directory gets the demo world and a control token.
    pub(crate) fn open(directory: &Path) -> Result<Self, Error> {
        let home = Home::open(directory)?;
        let lock = home.lock()?;
        let world = if let Some(mut world) = load_world(directory)? {
            world.add_missing_parts()?;
            world
        } else {
            let world = World::demo(directory)?;
            home.save_world(&world)?;
            world
        };
        home.remove_dead_bytes(&world)?;
        let control_token = hex::encode(mint::mint_bytes::<32>()?);
        home.save("control-token", control_token.as_bytes())?;
        let log = Log::open(&home)?;
        Ok(Self {
            world,
            home,
            faults: Faults::default(),
            log,
            control_token,
            denials: DenialKey::mint()?,
            _lock: lock,
        })
    }

    /// Sends all further calls to `calls`.
    pub(crate) fn report_calls(&mut self, calls: Sender<LogEntry>) {
        self.log.report_to(calls);
    }

    /// Returns the time of the sandbox's clock.
    pub(crate) fn now(&self) -> Timestamp {
        clock::now(self.world.clock_offset_seconds)
    }

    /// Saves the world.
    pub(crate) fn save(&self) -> Result<(), Error> {
        self.home.save_world(&self.world)
    }

    /// Saves the world after a call to `service`. Object bytes are deleted only after the saved world no longer refers
    /// to them.
    fn save_after(&self, service: Service) -> Result<(), Error> {
        self.save()?;
        if service == Service::S3 { self.home.remove_dead_bytes(&self.world) } else { Ok(()) }
    }

    /// Handles a request to one of the services.
    pub(crate) fn answer(&mut self, request: &Received) -> Delivery {
        let now = self.now();
        let request_id = mint::mint_request_id().unwrap_or_default();
        let mut sent = request.query_params();
        if request.is_form() {
            sent = sent.and(Params::parse(&String::from_utf8_lossy(&request.body)));
        }
        let route = route(request, &sent);
        let (service, rules) = (route.service, route.rules());
        if service.protocol() == Protocol::Json && !request.is_form() {
            sent = sent.and(Params::parse_json(&request.body));
        }
        let mut entry = LogEntry::begin(now, service, &route.name, &sent, rules);
        let Injected { delay, error_response, is_dropped_before, is_dropped_after } =
            self.faults.take_injected(service, &route.name);
        if is_dropped_before {
            entry.because.push("a fault was asked for: connection dropped".to_owned());
            self.log.add(entry);
            return Delivery::Drop(delay);
        }
        let params = route.bound.clone().and(sent.clone());
        let mut context = RequestContext {
            world: &mut self.world,
            home: &self.home,
            faults: &mut self.faults,
            denials: &self.denials,
            now,
            request,
            service,
            params: &params,
            payload: Bytes::new(),
            entry: &mut entry,
            request_id: &request_id,
        };
        let done = match error_response {
            Some(error_response) => Err(error_response.because("a fault was asked for")),
            None => perform(&mut context, &route),
        };
        let done = if route.is_write() {
            self.save_after(service).map_err(ErrorResponse::from).and(done)
        } else {
            done
        };
        let reply = done.unwrap_or_else(|error_response| {
            let reply = match service.protocol() {
                Protocol::Query { .. } => error_response.render_query(service.namespace(), &request_id),
                Protocol::S3 => error_response.render_s3(&request.path, &request_id),
                Protocol::Json if service == Service::SignIn => {
                    signin::render_error(&error_response, &route.name)
                }
                Protocol::Json if service == Service::Console => console::render_error(&error_response),
                Protocol::Json if service == Service::Metadata => error_response.render_json(),
                Protocol::Json => sso::render_error(service, &route.name, &error_response),
            };
            entry.note_error(error_response, &sent, rules);
            reply
        });
        let reply = match service.protocol() {
            Protocol::Query { .. } | Protocol::Json => reply.with("x-amzn-requestid", request_id),
            Protocol::S3 => reply.with("x-amz-request-id", request_id.clone()).with("x-amz-id-2", request_id),
        };
        let reply = reply.with("date", clock::render_http(now));
        entry.status = if is_dropped_after { 0 } else { reply.status };
        self.log.add(entry);
        if is_dropped_after { Delivery::Drop(delay) } else { Delivery::Reply(reply, delay) }
    }
}
