//! A blocking client for the control paths of a running sandbox. It connects to loopback only.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::wire::{
    AccountOrder, AssignmentOrder, CodeShown, Denial, PREFIX, Revoked, ServerNote, SignInDone, SignInOrder,
    Status, TOKEN_HEADER, TokenMinted, TokenOrder,
};
use crate::encoding::render_percent;
use crate::error::Error;
use crate::faults::Fault;
use crate::log::LogEntry;
use crate::sso::Consent;
use crate::world::{Home, KeyStatus, LoginState};

const TIMEOUT: Duration = Duration::from_secs(5);

/// A running sandbox, found by its directory.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    pid: u32,
    id: String,
    token: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({}, process {})", self.address, self.pid)
    }
}

impl Client {
    /// Finds the sandbox that runs in `directory`.
    ///
    /// # Errors
    /// If no sandbox runs there, or its files cannot be read.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let not_running = || Error::NotRunning { directory: directory.to_owned() };
        if !directory.is_dir() {
            return Err(not_running());
        }
        let home = Home::open(directory)?;
        let note = home.load("server.json")?.filter(|_| home.is_locked()).ok_or_else(not_running)?;
        let path = home.path("server.json");
        let note: ServerNote =
            serde_json::from_slice(&note).map_err(|source| Error::Parse { path, source })?;
        let token = home.load("control-token")?.ok_or_else(not_running)?;
        Ok(Self {
            address: note.address,
            pid: note.pid,
            id: note.id,
            token: String::from_utf8_lossy(&token).trim().to_owned(),
        })
    }

    /// Returns the address that the sandbox listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of the sandbox, as for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the process id of the server.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns the sandbox's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the status of the sandbox.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn status(&self) -> Result<Status, Error> {
        self.ask("GET", "status", None)
    }

    /// Returns the calls with numbers above `after`.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn log(&self, after: u64) -> Result<Vec<LogEntry>, Error> {
        self.ask("GET", &format!("log?after={after}"), None)
    }

    /// Returns the current code of the MFA device `serial`.
    ///
    /// # Errors
    /// If it does not answer, or there is no such device.
    pub fn code(&self, serial: &str) -> Result<CodeShown, Error> {
        self.ask("GET", &format!("code?serial={}", render_percent(serial.as_bytes())), None)
    }

    /// Returns the encoded authorization message of the denied call `number`. DecodeAuthorizationMessage accepts it
    /// while this server runs.
    ///
    /// # Errors
    /// If it does not answer, or no call with this number was denied by policies.
    pub fn encoded_denial(&self, number: u64) -> Result<String, Error> {
        let denial: Denial = self.ask("GET", &format!("denial?number={number}"), None)?;
        Ok(denial.encoded_message)
    }

    /// Returns a token signed by an identity provider of the world.
    ///
    /// # Errors
    /// If it does not answer, no such provider signs tokens here, or the lifetime exceeds a century.
    pub fn mint_token(&self, order: &TokenOrder) -> Result<String, Error> {
        let minted: TokenMinted = self.ask("POST", "token", Some(&json!(order)))?;
        Ok(minted.token)
    }

    /// Answers a page of Identity Center or of `aws login` as its user would in a browser. `page` is the URL of an
    /// authorize request or of a device's page, or the code that a device shows.
    ///
    /// # Errors
    /// If it does not answer, or nothing is waiting for this answer.
    pub fn sign_in(&self, page: &str, consent: Consent) -> Result<SignInDone, Error> {
        self.ask("POST", "sign-in", Some(&json!(SignInOrder { page: page.to_owned(), consent })))
    }

    /// Revokes the sign-ins of Identity Center, or only their access tokens.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn revoke(&self, revoked: Revoked) -> Result<(), Error> {
        self.send("POST", "revoke", &json!(revoked))
    }

    /// Adds `accounts` accounts, in each of which the user of Identity Center has `roles` roles.
    ///
    /// # Errors
    /// If it does not answer, or there are more than 5000 accounts or 50 roles in each.
    pub fn add_sso_accounts(&self, accounts: u32, roles: u32) -> Result<(), Error> {
        self.send("POST", "accounts", &json!(AccountOrder { accounts, roles }))
    }

    /// Assigns a permission set to the user of Identity Center.
    ///
    /// # Errors
    /// If it does not answer, or there is no such permission set.
    pub fn assign(&self, account: &str, permission_set: &str) -> Result<(), Error> {
        self.set_assignment(account, permission_set, true)
    }

    /// Removes the assignment of a permission set from the user of Identity Center.
    ///
    /// # Errors
    /// If it does not answer, or there is no such permission set.
    pub fn unassign(&self, account: &str, permission_set: &str) -> Result<(), Error> {
        self.set_assignment(account, permission_set, false)
    }

    fn set_assignment(&self, account: &str, permission_set: &str, is_assigned: bool) -> Result<(), Error> {
        let (account, permission_set) = (account.to_owned(), permission_set.to_owned());
        self.send("POST", "assignment", &json!(AssignmentOrder { account, permission_set, is_assigned }))
    }

    /// Sets how many seconds the sandbox's clock is ahead of the system clock.
    ///
    /// # Errors
    /// If it does not answer, or the offset exceeds a century either way.
    pub fn set_clock_offset(&self, seconds: i64) -> Result<(), Error> {
        self.send("POST", "clock", &json!({ "offset_seconds": seconds }))
    }

    /// Advances the sandbox's clock by `seconds`; a negative value moves it back.
    ///
    /// # Errors
    /// If it does not answer, or the clock would differ from the system clock by more than a century.
    pub fn advance_clock(&self, seconds: i64) -> Result<(), Error> {
        self.send("POST", "clock", &json!({ "advance_seconds": seconds }))
    }

    /// Adds a fault.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn add_fault(&self, fault: &Fault) -> Result<(), Error> {
        self.send("POST", "fault", &json!(fault))
    }

    /// Removes all faults.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn clear_faults(&self) -> Result<(), Error> {
        self.send("DELETE", "fault", &json!({}))
    }

    /// Activates or deactivates an access key.
    ///
    /// # Errors
    /// If it does not answer, or there is no such key.
    pub fn set_key_status(&self, access_key_id: &str, status: KeyStatus) -> Result<(), Error> {
        self.send("POST", "key", &json!({ "access_key_id": access_key_id, "status": status }))
    }

    /// Sets the state of all existing `aws login` sessions.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn set_login_states(&self, state: LoginState) -> Result<(), Error> {
        self.send("POST", "logins", &json!({ "state": state }))
    }

    /// Asks the sandbox to stop. It may still be shutting down when this returns.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn stop(&self) -> Result<(), Error> {
        self.send("POST", "stop", &json!({}))
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Result<(), Error> {
        self.ask::<Value>(method, path, Some(body)).map(|_| ())
    }

    fn ask<T: DeserializeOwned>(&self, method: &str, path: &str, body: Option<&Value>) -> Result<T, Error> {
        let body = body.map(ToString::to_string).unwrap_or_default();
        let request = format!(
            "{method} {PREFIX}{path} HTTP/1.1\r\nHost: {}\r\n{TOKEN_HEADER}: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            self.token,
            body.len()
        );
        let answer =
            self.exchange(&request).map_err(|source| Error::Ask { address: self.address, source })?;
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        if status != 200 {
            return Err(Error::Refused { status, text: body.to_owned() });
        }
        serde_json::from_str(body).map_err(Error::Answer)
    }

    fn exchange(&self, request: &str) -> std::io::Result<Vec<u8>> {
        if !self.address.ip().is_loopback() {
            return Err(std::io::Error::other("not a loopback address"));
        }
        let mut stream = TcpStream::connect_timeout(&self.address, TIMEOUT)?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.write_all(request.as_bytes())?;
        let deadline = Instant::now() + TIMEOUT;
        let mut answer = Vec::new();
        let mut buffer = [0; 16 * 1024];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(std::io::ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left))?;
            let length = stream.read(&mut buffer)?;
            if length == 0 {
                return Ok(answer);
            }
            answer.extend_from_slice(buffer.get(..length).unwrap_or_default());
        }
    }
}
