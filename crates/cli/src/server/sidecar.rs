//! The process beside a command: hatbox itself becomes the command, so the server runs in another process, which
//! watches the command and ends with it.
//!
//! | | the process that becomes the command | the sidecar |
//! |---|---|---|
//! | 1 | starts the sidecar | obtains the credentials, asking on the terminal if needed |
//! | 2 | waits | serves, and reports the address (a [`Message`]) |
//! | 3 | becomes the command | leaves the terminal, and renews |
//! | 4 | ends | ends |

use hatbox_core::handover::{ServerAddress, ServerHandover};
use hatbox_types::name::{ProfileName, Region};
#[cfg(unix)]
use serde::{Deserialize, Serialize};

use crate::errors::{Failure, FailureKind};

/// In bytes. No message is longer.
#[cfg(unix)]
const MOST_BYTES: u64 = 64 << 10;

/// A message from the sidecar to the process that becomes the command.
#[cfg(unix)]
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Message {
    /// The server is ready.
    Ready(Ready),
    /// The sidecar has failed and printed why; with the kind of failure.
    Failed(String),
}

/// The values for the command's environment.
#[derive(Debug)]
#[cfg_attr(unix, derive(Serialize, Deserialize))]
pub(crate) struct Ready {
    profile: String,
    /// The URL for clients. Without a token file, it is that of instance metadata.
    uri: String,
    token_file: Option<String>,
    account: Option<String>,
    region: Option<String>,
    endpoint_url: Option<String>,
    config_file: Option<String>,
    credentials_file: Option<String>,
}

impl Ready {
    /// Collects the values from what is handed over.
    pub(crate) fn new(handover: ServerHandover<'_>) -> Self {
        let (uri, token_file) = match handover.address {
            ServerAddress::Container { uri, token_file } => (uri, Some(token_file)),
            ServerAddress::Metadata { endpoint } => (endpoint, None),
        };
        Self {
            profile: handover.profile.to_string(),
            uri: uri.to_owned(),
            token_file: token_file.map(str::to_owned),
            account: handover.account.map(str::to_owned),
            region: handover.region.map(|region| region.as_str().to_owned()),
            endpoint_url: handover.endpoint_url.map(str::to_owned),
            config_file: handover.config_file.map(str::to_owned),
            credentials_file: handover.credentials_file.map(str::to_owned),
        }
    }

    /// The profile that the user named.
    pub(crate) fn profile(&self) -> &str {
        &self.profile
    }

    /// Calls `with` with what is handed over.
    pub(crate) fn with_handover<T>(&self, with: impl FnOnce(ServerHandover<'_>) -> T) -> Result<T, Failure> {
        let broken = || Failure::new(FailureKind::Failed, "the credential server sent an invalid message");
        let profile = ProfileName::parse(&self.profile).map_err(|_| broken())?;
        let region = self.region.as_deref().map(Region::parse).transpose().map_err(|_| broken())?;
        Ok(with(ServerHandover {
            profile: &profile,
            address: match &self.token_file {
                Some(token_file) => ServerAddress::Container { uri: &self.uri, token_file },
                None => ServerAddress::Metadata { endpoint: &self.uri },
            },
            account: self.account.as_deref(),
            region: region.as_ref(),
            endpoint_url: self.endpoint_url.as_deref(),
            config_file: self.config_file.as_deref(),
            credentials_file: self.credentials_file.as_deref(),
        }))
    }
}

/// Writes a message as one line.
#[cfg(unix)]
pub(crate) fn send(mut stream: impl std::io::Write, message: &Message) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// Reads the only message; `None` if the sidecar ended without one. A program that it started may still hold its
/// stdout.
#[cfg(unix)]
pub(crate) fn receive(stream: impl std::io::Read) -> Option<Message> {
    let mut text = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stream.take(MOST_BYTES)), &mut text).ok()?;
    serde_json::from_str(&text).ok()
}
