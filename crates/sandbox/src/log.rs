//! The log of calls: who called what, with which identity, whether it was allowed, and why. It contains no secrets.

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
    /// The call's number, counted from 1 since the server started.
    pub number: u64,
    /// When the call was made, by the sandbox's clock.
    pub at: Timestamp,
    /// `sts`, `iam`, `s3`, `signin`, `sso` or `sso-oidc`.
    pub service: String,
    /// The action, such as `AssumeRole` or `GetObject`.
    pub action: String,
    /// The ARN of the caller, the subject and issuer of a token, or the user that signed in; `None` without valid
    /// credentials.
    pub caller: Option<String>,
    /// The last four characters of the access key id, after `****`.
    pub key: Option<String>,
    /// The kind of credentials that authenticated the call.
    pub signed_with: SignedWith,
    /// The ARN of the requested resource.
    pub resource: Option<String>,
    /// `aws:MultiFactorAuthPresent` as the policies saw it; `None` when it was absent.
    pub mfa_present: Option<bool>,
    /// The HTTP status; 0 if the connection was dropped instead.
    pub status: u16,
    /// The error code, if the call was refused.
    pub error: Option<String>,
    /// The error message, as the caller received it.
    pub message: Option<String>,
    /// The reasons, the most useful one first.
    pub because: Vec<String>,
    /// The lifetime in seconds of the credentials that the call returned.
    pub granted_seconds: Option<i64>,
    /// The parameters as sent; a secret value is replaced by `present`.
    pub parameters: BTreeMap<String, String>,
}

/// The kind of credentials that authenticated a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignedWith {
    /// No valid credentials.
    Nothing,
    /// A user's access key.
    AccessKey,
    /// Credentials of GetSessionToken.
    SessionToken,
    /// Credentials of AssumeRole, or of another call that assumes a role.
    Role,
    /// Credentials of GetFederationToken.
    FederationToken,
    /// Credentials of AssumeRoot.
    RootSession,
    /// Credentials of `aws login`.
    LoginSession,
    /// No signature, but a valid token of an identity provider.
    WebIdentity,
    /// No signature, but a valid token of Identity Center, or a code that can be exchanged for one.
    SsoToken,
}

impl LogEntry {
    /// Returns whether the call was allowed and performed.
    pub fn is_allowed(&self) -> bool {
        (200..400).contains(&self.status)
    }

    /// Creates the entry of a call to `action`. `rules` are those of its parameters.
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

    /// Records why the call was refused. `params` and `rules` must be those that the entry was created with.
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

/// Renders a parameter for the log; `None` for parameters that only belong to the signature.
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

/// Removes the values that the log hides from an error message, which may quote them.
fn without_hidden(message: String, params: &Params, rules: &[Rule]) -> String {
    let hidden = params.iter().filter(|(name, _)| shown_by(rules, name) == Shown::Hidden);
    let hidden = hidden.filter(|(name, value)| !value.is_empty() && !["Action", "Version"].contains(name));
    hidden.fold(message, |message, (_, value)| message.replace(&format!("'{value}'"), "'[redacted]'"))
}

/// The calls since the server started, also written to `log.jsonl`, one per line.
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

    /// Sends each new call to `calls` too.
    pub(crate) fn report_to(&mut self, calls: Sender<LogEntry>) {
        self.calls = Some(calls);
    }

    /// Adds a call. If the disk is full, the line in the file is lost but the call is not.
    pub(crate) fn add(&mut self, mut entry: LogEntry) {
        entry.number = self.entries.len() as u64 + 1;
        if let Ok(mut line) = serde_json::to_vec(&entry) {
            line.push(b'\n');
            if let Err(error) = self.file.write_all(&line) {
                entry.because.push(format!("log.jsonl was not written: {error}"));
            }
        }
        if let Some(calls) = &self.calls {
            // The receiver may be gone.
            calls.send(entry.clone()).ok();
        }
        self.entries.push(entry);
    }

    /// Returns the calls with numbers above `after`.
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
