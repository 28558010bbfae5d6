//! One request from end to end: which service and call, faults, the work, the log, the saved world.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::Sender;
use std::time::Duration;

use jiff::Timestamp;

use crate::control::{Faults, Injected};
use crate::denial::DenialKey;
use crate::encoding::render_hex;
use crate::error::Error;
use crate::http::{Params, Received, Reply};
use crate::log::{Log, LogEntry};
use crate::refusal::Refusal;
use crate::turn::Turn;
use crate::world::{Home, World, load_world};
use crate::{clock, iam, mint, s3, sts};

/// A sandbox that is being served.
pub(crate) struct Sandbox {
    pub(crate) world: World,
    pub(crate) home: Home,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    pub(crate) control_token: String,
    pub(crate) denials: DenialKey,
    _lock: File,
}

/// What the server does with a request.
pub(crate) enum Outcome {
    /// Sends this, so much later.
    Reply(Reply, Duration),
    /// Closes the connection, so much later.
    Drop(Duration),
}

/// The service and call of a request.
enum Route {
    Query { service: &'static str, namespace: &'static str },
    S3(s3::Target),
    Unknown(Refusal),
}

impl Sandbox {
    /// Opens a sandbox directory for serving; a new one gets the demo world and a control token.
    pub(crate) fn open(directory: &Path) -> Result<Self, Error> {
        let home = Home::open(directory)?;
        let lock = home.lock()?;
        let world = if let Some(world) = load_world(directory)? {
            world
        } else {
            let world = World::demo(directory)?;
            home.save_world(&world)?;
            world
        };
        home.remove_dead_bytes(&world)?;
        let control_token = render_hex(&mint::mint_bytes::<32>()?);
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

    /// Sends every call to `calls` from now on.
    pub(crate) fn report_calls(&mut self, calls: Sender<LogEntry>) {
        self.log.report_to(calls);
    }

    /// The time, by the sandbox's clock.
    pub(crate) fn now(&self) -> Timestamp {
        clock::now(self.world.clock_offset_seconds)
    }

    /// Saves the world.
    pub(crate) fn save(&self) -> Result<(), Error> {
        self.home.save_world(&self.world)
    }

    /// Saves the world after a call to `service`. Bytes go only once nothing on disk refers to them.
    fn save_after(&self, service: &str) -> Result<(), Error> {
        self.save()?;
        if service == "s3" { self.home.remove_dead_bytes(&self.world) } else { Ok(()) }
    }

    /// Carries out a request to one of the services.
    pub(crate) fn answer(&mut self, request: &Received) -> Outcome {
        let now = self.now();
        let request_id = mint::mint_request_id().unwrap_or_default();
        let mut params = request.query_params();
        if request.is_form() {
            params = params.and(Params::parse(&String::from_utf8_lossy(&request.body)));
        }
        let route = route(request, &params);
        let (service, action) = match &route {
            Route::Query { service, .. } => (*service, params.get("Action").unwrap_or_default().to_owned()),
            Route::S3(target) => ("s3", target.operation().to_owned()),
            Route::Unknown(_) => ("sts", params.get("Action").unwrap_or_default().to_owned()),
        };
        let mut entry = LogEntry::begin(now, service, &action, &params);
        let Injected { delay, refusal, is_dropped_before, is_dropped_after } =
            self.faults.take_injected(service, &action);
        if is_dropped_before {
            entry.because.push("a fault was asked for: connection dropped".to_owned());
            self.log.add(entry);
            return Outcome::Drop(delay);
        }
        let mut turn = Turn {
            world: &mut self.world,
            home: &self.home,
            faults: &mut self.faults,
            denials: &self.denials,
            now,
            request,
            params: &params,
            entry: &mut entry,
            request_id: &request_id,
        };
        let done = match (&route, refusal) {
            (_, Some(refusal)) => Err(refusal.because("a fault was asked for")),
            (Route::Query { service: "iam", .. }, None) => iam::perform(&mut turn),
            (Route::Query { .. }, None) => sts::perform(&mut turn),
            (Route::S3(target), None) => s3::perform(&mut turn, target),
            (Route::Unknown(refusal), None) => Err(refusal.clone()),
        };
        let done =
            if is_read(&action) { done } else { self.save_after(service).map_err(Refusal::from).and(done) };
        let reply = done.unwrap_or_else(|refusal| {
            let reply = match &route {
                Route::Query { namespace, .. } => refusal.render_query(namespace, &request_id),
                Route::Unknown(_) => refusal.render_query(sts::NAMESPACE, &request_id),
                Route::S3(_) => refusal.render_s3(&request.path, &request_id),
            };
            entry.error = Some(refusal.code);
            entry.message = Some(without_secrets(refusal.message, &params));
            entry.because.extend(refusal.because);
            reply
        });
        let reply = match route {
            Route::S3(_) => reply.with("x-amz-request-id", request_id.clone()).with("x-amz-id-2", request_id),
            _ => reply.with("x-amzn-requestid", request_id),
        };
        let reply = reply.with("date", clock::render_http(now));
        entry.status = if is_dropped_after { 0 } else { reply.status };
        self.log.add(entry);
        if is_dropped_after { Outcome::Drop(delay) } else { Outcome::Reply(reply, delay) }
    }
}

/// Calls that change nothing. Anything else is followed by saving the world, also when it is refused:
/// an MFA code may have been used up.
fn is_read(action: &str) -> bool {
    ["Get", "List", "Head"].iter().any(|verb| action.starts_with(verb))
        && !matches!(action, "GetSessionToken" | "GetFederationToken")
}

fn route(request: &Received, params: &Params) -> Route {
    if request.path != "/" || !(request.is_form() || params.has("Action")) {
        return Route::S3(s3::Target::parse(request));
    }
    match (params.get("Version"), params.get("Action")) {
        (Some(sts::VERSION), Some(_)) => Route::Query { service: "sts", namespace: sts::NAMESPACE },
        (Some(iam::VERSION), Some(_)) => Route::Query { service: "iam", namespace: iam::NAMESPACE },
        (_, None) => Route::Unknown(Refusal::new(
            400,
            "MissingAction",
            "The request must contain the parameter Action",
        )),
        (version, Some(action)) => {
            let version = version.unwrap_or_default();
            Route::Unknown(Refusal::new(
                400,
                "InvalidAction",
                format!("Could not find operation {action} for version {version}"),
            ))
        }
    }
}

/// Error texts repeat what was sent; the log must not, where that is a secret.
fn without_secrets(message: String, params: &Params) -> String {
    const SECRET: [&str; 7] = [
        "TokenCode",
        "AuthenticationCode1",
        "AuthenticationCode2",
        "WebIdentityToken",
        "SAMLAssertion",
        "TradeInToken",
        "EncodedMessage",
    ];
    let secrets = SECRET.iter().filter_map(|name| params.get(name)).filter(|value| !value.is_empty());
    secrets.fold(message, |message, secret| message.replace(&format!("'{secret}'"), "'[redacted]'"))
}
