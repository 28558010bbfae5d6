//! Who called what, with which identity, allowed or not, and why. Holds no secret.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::sync::mpsc::Sender;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::error_response::ErrorResponse;
use crate::http::Params;
use crate::rules::{Rule, Shown, shown_by};
use crate::service::Service;
use crate::sigv4::Caller;
use crate::world::{Home, SessionKind, World};

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The call's number, from 1, since the server started.
    pub number: u64,
    /// When, by the sandbox's clock.
    pub at: Timestamp,
    /// `sts`, `iam`, `s3`, `signin`, `sso` or `sso-oidc`.
    pub service: String,
    /// `AssumeRole`, `GetObject`, ...
    pub action: String,
    /// ARN of who called, or subject and issuer of a token, or the user that signed in; `None` when nothing told that holds.
    pub caller: Option<String>,
    /// The last four characters of the access key id, behind `****`.
    pub key: Option<String>,
    /// What the caller signed with.
    pub signed_with: SignedWith,
    /// What was asked for, by ARN.
    pub resource: Option<String>,
    /// `aws:MultiFactorAuthPresent` as the policies saw it; `None` when it was absent.
    pub mfa_present: Option<bool>,
    /// The HTTP status; 0 when the connection was dropped instead.
    pub status: u16,
    /// The error code, when it was refused.
    pub error: Option<String>,
    /// The error's text, as the caller got it.
    pub message: Option<String>,
    /// Why, in words, the most telling first.
    pub because: Vec<String>,
    /// How long the credentials last that were given, in seconds.
    pub granted_seconds: Option<i64>,
    /// The parameters as sent; `present` is in the place of a secret value.
    pub parameters: BTreeMap<String, String>,
}

/// What a call was signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignedWith {
    /// Nothing, or nothing that holds.
    Nothing,
    /// A user's access key.
    AccessKey,
    /// Credentials of GetSessionToken.
    SessionToken,
    /// Credentials of AssumeRole, or of a call that puts a role on in another way.
    Role,
    /// Credentials of GetFederationToken.
    FederationToken,
    /// Credentials of AssumeRoot.
    RootSession,
    /// Credentials of `aws login`.
    LoginSession,
    /// Nothing, but the token of an identity provider was good.
    WebIdentity,
    /// Nothing, but a token of Identity Center, or what becomes one, was good.
    SsoToken,
}

impl LogEntry {
    /// Whether the call was carried out.
    pub fn is_allowed(&self) -> bool {
        (200..400).contains(&self.status)
    }

    /// The entry of a call to `action`, whose parameters keep `rules`.
    pub(crate) fn begin(
        at: Timestamp,
        service: Service,
        action: &str,
        params: &Params,
        rules: &[Rule],
    ) -> Self {
        Self {
            number: 0,
            at,
            service: service.name().to_owned(),
            action: action.to_owned(),
            caller: None,
            key: None,
            signed_with: SignedWith::Nothing,
            resource: None,
            mfa_present: None,
            status: 0,
            error: None,
            message: None,
            because: Vec::new(),
            granted_seconds: None,
            parameters: params.iter().filter_map(|(name, value)| shown(name, value, rules)).collect(),
        }
    }

    /// Notes why the call was refused. `params` and `rules` are those that the entry began with.
    pub(crate) fn note_error(&mut self, error_response: ErrorResponse, params: &Params, rules: &[Rule]) {
        self.error = Some(error_response.code);
        self.message = Some(without_hidden(error_response.message, params, rules));
        self.because.extend(error_response.because);
    }

    pub(crate) fn note_caller(&mut self, world: &World, caller: &Caller) {
        self.caller = Some(caller.principal.arn(world));
        self.key = Some(masked(&caller.key_id));
        self.signed_with = match caller.session.as_ref().map(|session| session.kind) {
            None => SignedWith::AccessKey,
            Some(SessionKind::AssumeRole) => SignedWith::Role,
            Some(SessionKind::GetSessionToken { .. }) => SignedWith::SessionToken,
            Some(SessionKind::GetFederationToken) => SignedWith::FederationToken,
            Some(SessionKind::AssumeRoot) => SignedWith::RootSession,
            Some(SessionKind::Login) => SignedWith::LoginSession,
        };
    }
}

fn masked(key_id: &str) -> String {
    format!("****{}", key_id.get(key_id.len().saturating_sub(4)..).unwrap_or_default())
}

/// A parameter as the log shows it; `None` for those that only sign.
fn shown(name: &str, value: &str, rules: &[Rule]) -> Option<(String, String)> {
    if name.starts_with("X-Amz-") {
        return None;
    }
    let value = match shown_by(rules, name) {
        _ if ["Action", "Version"].contains(&name) => value.to_owned(),
        Shown::Plain => value.to_owned(),
        Shown::Masked => masked(value),
        Shown::Hidden => "present".to_owned(),
    };
    Some((name.to_owned(), value))
}

/// An error's text, which may quote what was sent, without the values that the log hides.
fn without_hidden(message: String, params: &Params, rules: &[Rule]) -> String {
    let hidden = params.iter().filter(|(name, _)| shown_by(rules, name) == Shown::Hidden);
    let hidden = hidden.filter(|(name, value)| !value.is_empty() && !["Action", "Version"].contains(name));
    hidden.fold(message, |message, (_, value)| message.replace(&format!("'{value}'"), "'[redacted]'"))
}

/// The calls since the server started, also written to `log.jsonl` line by line.
#[derive(Debug)]
pub(crate) struct Log {
    entries: Vec<LogEntry>,
    file: File,
    calls: Option<Sender<LogEntry>>,
}

impl Log {
    /// Opens the log of a sandbox directory.
    pub(crate) fn open(home: &Home) -> Result<Self, Error> {
        Ok(Self { entries: Vec::new(), file: home.open_append("log.jsonl")?, calls: None })
    }

    /// Also sends each call to `calls`.
    pub(crate) fn report_to(&mut self, calls: Sender<LogEntry>) {
        self.calls = Some(calls);
    }

    /// Adds a call. A full disk loses the line on disk, not the call.
    pub(crate) fn add(&mut self, mut entry: LogEntry) {
        entry.number = self.entries.len() as u64 + 1;
        if let Ok(mut line) = serde_json::to_vec(&entry) {
            line.push(b'\n');
            if let Err(error) = self.file.write_all(&line) {
                entry.because.push(format!("log.jsonl was not written: {error}"));
            }
        }
        if let Some(calls) = &self.calls {
            // Whoever watches may have gone.
            calls.send(entry.clone()).ok();
        }
        self.entries.push(entry);
    }

    /// The calls with numbers above `after`.
    pub(crate) fn after(&self, after: u64) -> &[LogEntry] {
        let start = usize::try_from(after).unwrap_or(usize::MAX).min(self.entries.len());
        self.entries.get(start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Kind, optional};

    #[test]
    fn only_values_known_to_be_harmless_are_shown() {
        let params = Params::parse(
            "Action=AssumeRole&TokenCode=123456&SerialNumber=GAHT12345&Tags.member.1.Key=a&New=canary\
             &AccessKeyId=AKIAIOSFODNN7EXAMPLE&X-Amz-Security-Token=canary&AuthenticationCode1=123456",
        );
        let text = Kind::Text(0, 100, None);
        let rules = [
            optional("TokenCode", text).secret(),
            optional("SerialNumber", text),
            optional("Tags", Kind::List(9, &[])),
            optional("AccessKeyId", text).masked(),
        ];
        let mut entry = LogEntry::begin(Timestamp::UNIX_EPOCH, Service::Sts, "AssumeRole", &params, &rules);
        entry.note_error(ErrorResponse::validation("'123456' and 'canary' for 'GAHT12345'"), &params, &rules);
        let text = serde_json::to_string(&entry).unwrap();
        for secret in ["123456", "canary", "AKIAIOSFODNN7"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert_eq!(entry.message.as_deref(), Some("'[redacted]' and '[redacted]' for 'GAHT12345'"));
        assert_eq!(entry.parameters["TokenCode"], "present");
        assert_eq!(entry.parameters["SerialNumber"], "GAHT12345");
        assert_eq!(entry.parameters["Tags.member.1.Key"], "a");
        assert_eq!(entry.parameters["AccessKeyId"], "****MPLE");
    }
}
