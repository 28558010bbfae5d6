//! A sandbox for one test, and a client that signs with `aws-sigv4` and sends raw bytes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use hatbox_sandbox::world::{MFA_SERIAL, PEOPLE_ACCOUNT, Role, USER, WORK_ACCOUNT, World, save_world};
use hatbox_sandbox::{Options, Running, start};

pub(crate) const JAN: &str = "arn:aws:iam::111122223333:user/jan";
pub(crate) use hatbox_sandbox::world::{ADMIN_ROLE as ADMIN, AUDITOR_ROLE as AUDITOR};
/// A role with all permissions and sessions of up to 12 hours, which trusts the whole people account.
pub(crate) const OPEN: &str = "arn:aws:iam::111122223333:role/team/open";

/// Keys to sign with.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

/// A request, signed or not, that a test can still modify.
#[derive(Clone)]
pub(crate) struct Raw {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Raw {
    pub(crate) fn header_mut(&mut self, name: &str) -> &mut String {
        &mut self.headers.iter_mut().find(|(n, _)| n == name).unwrap().1
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Returns the text of the first element `name`.
    pub(crate) fn text(&self, name: &str) -> String {
        let start = self.body.split_once(&format!("<{name}>")).map_or("", |(_, rest)| rest);
        let text = start.split_once(&format!("</{name}>")).map_or("", |(text, _)| text);
        text.replace("&quot;", "\"").replace("&lt;", "<").replace("&amp;", "&")
    }

    pub(crate) fn header(&self, name: &str) -> String {
        let line = self.head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
        line.and_then(|line| line.split_once(": ")).map(|(_, value)| value.to_owned()).unwrap_or_default()
    }

    pub(crate) fn keys(&self) -> Keys {
        assert_eq!(self.status, 200, "{}", self.body);
        Keys {
            id: self.text("AccessKeyId"),
            secret: self.text("SecretAccessKey"),
            token: Some(self.text("SessionToken")),
        }
    }

    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str, message: &str) {
        assert_eq!((self.status, self.text("Code").as_str()), (status, code), "{}", self.body);
        assert_eq!(self.text("Message"), message);
    }

    #[track_caller]
    pub(crate) fn ok(&self) -> &Self {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.body);
        self
    }
}

/// A sandbox for a single test.
pub(crate) struct Sandbox {
    pub(crate) running: Option<Running>,
    pub(crate) directory: PathBuf,
    pub(crate) jan: Keys,
    /// How many seconds the client's clock is ahead of the system clock.
    pub(crate) clock: i64,
    _temporary: tempfile::TempDir,
}

pub(crate) fn policy(statement: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)
}

pub(crate) fn role(trust: &str, policies: &[&str]) -> Role {
    let named = policies.iter().enumerate().map(|(i, text)| (format!("p{i}"), policy(text)));
    Role {
        path: "/".to_owned(),
        role_id: "AROAAAAAAAAAAAAAAAAAA".to_owned(),
        created_at: jiff::Timestamp::UNIX_EPOCH,
        trust: policy(trust),
        description: String::new(),
        policies: named.collect(),
        boundary: None,
        max_session_seconds: 43_200,
        tags: std::collections::BTreeMap::new(),
    }
}

impl Sandbox {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(edit: impl FnOnce(&mut World)) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path().join("box");
        let mut world = World::demo(&directory).unwrap();
        let people = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap();
        let trust = format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"{PEOPLE_ACCOUNT}"}},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}}"#
        );
        let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        let mut open = role(&trust, &[all]);
        open.path = "/team/".to_owned();
        people.roles.insert("open".to_owned(), open);
        people.users.get_mut(USER).unwrap().policies.insert("all".to_owned(), policy(all));
        edit(&mut world);
        save_world(&directory, &world).unwrap();
        let key = world.access_key(PEOPLE_ACCOUNT, USER).unwrap();
        let jan = Keys { id: key.id.as_str().into(), secret: key.secret.expose().into(), token: None };
        let running = start(&Options { directory: directory.clone(), port: 0 }).unwrap();
        Self { running: Some(running), directory, jan, clock: 0, _temporary: temporary }
    }

    /// Starts a sandbox with an additional role `x` in the work account.
    pub(crate) fn with_role(trust: &str) -> Self {
        Self::start_with(|world| {
            let roles = &mut world.accounts.get_mut(WORK_ACCOUNT).unwrap().roles;
            roles.insert("x".to_owned(), role(trust, &[r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#]));
        })
    }

    pub(crate) fn restart(&mut self) {
        self.running.take().unwrap().stop();
        self.running = Some(start(&Options { directory: self.directory.clone(), port: 0 }).unwrap());
    }

    pub(crate) fn control(&self) -> &hatbox_sandbox::control::Client {
        &self.running.as_ref().unwrap().client
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.as_ref().unwrap().address
    }

    /// Advances the clocks of the sandbox and the client.
    pub(crate) fn advance(&mut self, seconds: i64) {
        self.clock += seconds;
        self.control().advance_clock(seconds).unwrap();
    }

    /// Returns an unused code; advances the clocks if the current one is used.
    pub(crate) fn fresh_code(&mut self) -> String {
        if self.control().code(MFA_SERIAL).unwrap().is_used {
            self.advance(30);
        }
        self.leave_the_edge();
        self.control().code(MFA_SERIAL).unwrap().code
    }

    /// Advances the clocks if the current step is about to end, so that it lasts for the calls of a test.
    pub(crate) fn leave_the_edge(&mut self) {
        if self.control().code(MFA_SERIAL).unwrap().seconds_left < 5 {
            self.advance(5);
        }
    }

    pub(crate) fn time(&self, skew: i64) -> SystemTime {
        let shift = self.clock + skew;
        let by = Duration::from_secs(shift.unsigned_abs());
        if shift < 0 { SystemTime::now() - by } else { SystemTime::now() + by }
    }

    /// Returns a signed request of the query protocol.
    pub(crate) fn query(&self, keys: &Keys, service: &str, params: &[(&str, &str)]) -> Raw {
        let body: Vec<String> =
            params.iter().map(|(n, v)| format!("{}={}", percent(n), percent(v))).collect();
        let raw = Raw {
            method: "POST".to_owned(),
            target: "/".to_owned(),
            headers: vec![
                ("host".to_owned(), self.address().to_string()),
                ("content-type".to_owned(), "application/x-www-form-urlencoded; charset=utf-8".to_owned()),
            ],
            body: body.join("&").into_bytes(),
        };
        self.sign(keys, service, raw, Signing::default())
    }

    /// Calls STS.
    pub(crate) fn sts(&self, keys: &Keys, action: &str, params: &[(&str, &str)]) -> Answer {
        let mut all = vec![("Action", action), ("Version", "2011-06-15")];
        all.extend(params);
        self.send(&self.query(keys, "sts", &all))
    }

    pub(crate) fn iam(&self, keys: &Keys, action: &str, params: &[(&str, &str)]) -> Answer {
        let mut all = vec![("Action", action), ("Version", "2010-05-08")];
        all.extend(params);
        self.send(&self.query(keys, "iam", &all))
    }

    /// Calls AssumeRole with the session name `me` and additional parameters.
    pub(crate) fn assume(&self, keys: &Keys, role: &str, params: &[(&str, &str)]) -> Answer {
        let mut all = vec![("RoleArn", role), ("RoleSessionName", "me")];
        all.extend(params);
        self.sts(keys, "AssumeRole", &all)
    }

    /// Sends an unsigned call.
    pub(crate) fn unsigned(&self, action: &str, params: &[(&str, &str)]) -> Answer {
        let mut all = vec![("Action", action), ("Version", "2011-06-15")];
        all.extend(params);
        let mut raw = self.query(&self.jan, "sts", &all);
        raw.headers.retain(|(name, _)| name == "host" || name == "content-type");
        self.send(&raw)
    }

    pub(crate) fn s3_raw(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Raw {
        let mut all = vec![("host".to_owned(), self.address().to_string())];
        all.extend(headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        Raw { method: method.to_owned(), target: target.to_owned(), headers: all, body: body.to_vec() }
    }

    pub(crate) fn s3(
        &self,
        keys: &Keys,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.send(&self.sign(keys, "s3", self.s3_raw(method, target, headers, body), Signing::default()))
    }

    pub(crate) fn sign(&self, keys: &Keys, service: &str, mut raw: Raw, signing: Signing) -> Raw {
        let credentials =
            Credentials::new(keys.id.clone(), keys.secret.clone(), keys.token.clone(), None, "test");
        let identity = credentials.into();
        let mut settings = SigningSettings::default();
        if service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        if let Some(expires) = signing.expires {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(expires));
            settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(signing.region.unwrap_or("us-east-1"))
            .name(signing.service.unwrap_or(service))
            .time(self.time(signing.skew))
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let url = format!("http://{}{}", self.address(), raw.target);
        let headers: Vec<(String, String)> = raw.headers.clone();
        let body = match signing.precomputed {
            Some(hash) => SignableBody::Precomputed(hash.to_owned()),
            None if signing.expires.is_some() && service == "s3" => SignableBody::UnsignedPayload,
            None => SignableBody::Bytes(&raw.body),
        };
        let pairs = headers.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let request = SignableRequest::new(&raw.method, &url, pairs, body).unwrap();
        let (instructions, _) = sign(request, &params).unwrap().into_parts();
        for (name, value) in instructions.headers() {
            raw.headers.push((name.to_owned(), value.to_owned()));
        }
        for (name, value) in instructions.params() {
            let join = if raw.target.contains('?') { "&" } else { "?" };
            raw.target.extend([join, name, "=", &percent(value)]);
        }
        raw
    }

    pub(crate) fn send(&self, raw: &Raw) -> Answer {
        let bytes = self.send_bytes(raw);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn send_bytes(&self, raw: &Raw) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut head = format!("{} {} HTTP/1.1\r\n", raw.method, raw.target);
        for (name, value) in &raw.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.extend(["content-length: ", &raw.body.len().to_string(), "\r\nconnection: close\r\n\r\n"]);
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&raw.body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }
}

/// Deviations from the usual way to sign a request.
#[derive(Clone, Copy, Default)]
pub(crate) struct Signing<'a> {
    /// How many seconds the client's clock is ahead of the sandbox's.
    pub(crate) skew: i64,
    /// The service in the scope, if it is not the one that is called.
    pub(crate) service: Option<&'a str>,
    /// The region in the scope, if it is not us-east-1.
    pub(crate) region: Option<&'a str>,
    /// The validity in seconds of a presigned URL.
    pub(crate) expires: Option<u64>,
    /// The payload's hash, or the value that replaces it.
    pub(crate) precomputed: Option<&'a str>,
}

pub(crate) fn percent(text: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
