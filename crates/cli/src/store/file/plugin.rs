//! Wraps that use an age plugin: a YubiKey, a TPM, a FIDO2 key, the Secure Enclave.
//!
//! A plugin is the program `age-plugin-NAME` on PATH. It runs in a separate thread that sends its messages and
//! questions to the main thread. So the user is prompted in the usual way, and a plugin that hangs can be abandoned.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use age::secrecy::SecretString as AgeSecret;
use hatbox_types::secret::SecretString;
use hatbox_types::text::printable_start;
use zeroize::Zeroizing;

use super::identity::{Identity, decrypt_with, encrypt_to};
use super::names::WrapName;
use super::wraps::NewWrap;
use crate::store::asker::{Asker, PassphraseError, PluginMessage};
use crate::sys::shell::{PROGRAM_ENDINGS, is_program};
use crate::sys::signals::Held;

/// Limit in characters of a plugin's text.
const TEXT_LIMIT: usize = 400;

/// Why a plugin failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PluginError {
    /// The text contains no plugin identity.
    #[error("it holds no identity of an age plugin (`AGE-PLUGIN-...`)")]
    NoIdentity,
    /// The program was not found.
    #[error("`age-plugin-{0}` is not on PATH")]
    Missing(String),
    /// The first program of this name on PATH is found by a relative entry, such as the working directory.
    #[error("`age-plugin-{0}` is found by an entry of PATH that is not absolute, and is not run")]
    Relative(String),
    /// It failed, with this message.
    #[error("the age plugin failed: {0}")]
    Failed(String),
    /// It took too long.
    #[error("`age-plugin-{0}` did not answer in time")]
    Silent(String),
    /// The user could not be asked, or did not answer.
    #[error(transparent)]
    Person(PassphraseError),
}

/// A plugin's own identity, which names the plugin and the key on its device.
pub(crate) struct PluginIdentity(age::plugin::Identity);

impl PluginIdentity {
    /// Parses the first identity in an identity file, as `age-plugin-NAME` prints it.
    pub(crate) fn parse(text: &str) -> Result<Self, PluginError> {
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with("AGE-PLUGIN-"));
        lines
            .map(age::plugin::Identity::from_str)
            .find_map(Result::ok)
            .map(Self)
            .ok_or(PluginError::NoIdentity)
    }

    pub(crate) fn plugin(&self) -> &str {
        self.0.plugin()
    }
}

/// Wraps the store's identity with a plugin.
pub(super) fn wrap(
    identity: &Identity,
    name: WrapName,
    plugin: &PluginIdentity,
    asker: &mut dyn Asker,
    patience: Duration,
) -> Result<NewWrap, PluginError> {
    let PluginIdentity(own) = plugin;
    let (theirs, plain) = (own.clone(), Zeroizing::new(identity.expose().to_vec()));
    let sealed = run(own.plugin(), asker, patience, move |callbacks| {
        let plugin = theirs.plugin().to_owned();
        let recipient = age::plugin::RecipientPluginV1::new(&plugin, &[], &[theirs], callbacks)
            .map_err(|_| PluginError::Missing(plugin.clone()))?;
        encrypt_to(&recipient, &plain).map_err(|error| match error {
            age::EncryptError::Plugin(errors) => failed(&plugin, &errors),
            _ => failed(&plugin, &[""; 0]),
        })
    })?;
    Ok(NewWrap { name, sealed, plugin: Some(own.to_string()) })
}

/// Opens a wrap with a plugin.
pub(super) fn unwrap(
    plugin: &PluginIdentity,
    sealed: Vec<u8>,
    asker: &mut dyn Asker,
    patience: Duration,
) -> Result<Zeroizing<Vec<u8>>, PluginError> {
    let PluginIdentity(own) = plugin;
    let theirs = own.clone();
    run(own.plugin(), asker, patience, move |callbacks| {
        let plugin = theirs.plugin().to_owned();
        let identity = age::plugin::IdentityPluginV1::new(&plugin, &[theirs], callbacks)
            .map_err(|_| PluginError::Missing(plugin.clone()))?;
        decrypt_with(&identity, &sealed).map_err(|error| match error {
            age::DecryptError::Plugin(errors) => failed(&plugin, &errors),
            _ => failed(&plugin, &[""; 0]),
        })
    })
}

fn failed(plugin: &str, errors: &[impl Display]) -> PluginError {
    let said = errors.iter().map(|error| shown(&error.to_string()));
    let said: Vec<_> = said.filter(|text| !text.is_empty()).collect();
    PluginError::Failed(match said.as_slice() {
        [] => format!("`age-plugin-{plugin}` could not use its key"),
        said => said.join("; "),
    })
}

/// Renders a plugin's text as one printable line. Line breaks become spaces, and the direction marks that the `age`
/// crate puts around quoted text are removed.
fn shown(text: &str) -> String {
    let text = text.trim().replace(['\n', '\t'], " ").replace(['\u{2068}', '\u{2069}'], "");
    printable_start(&text, TEXT_LIMIT)
}

/// A message from the plugin's thread.
enum Message<T> {
    Plugin(PluginMessage, Sender<Option<SecretString>>),
    Ends(Result<T, PluginError>),
}

/// Runs `work` in a thread and forwards the plugin's messages until it ends.
fn run<T: Send + 'static>(
    plugin: &str,
    asker: &mut dyn Asker,
    patience: Duration,
    work: impl FnOnce(Callbacks<T>) -> Result<T, PluginError> + Send + 'static,
) -> Result<T, PluginError> {
    check_place(plugin)?;
    let (sender, receiver) = channel();
    let callbacks = Callbacks { plugin: plugin.to_owned(), to: sender.clone() };
    // The main thread must receive signals, as it restores the terminal first.
    let held = Held::new();
    std::thread::spawn(move || sender.send(Message::Ends(work(callbacks))).ok());
    drop(held);
    listen(plugin, &receiver, asker, patience)
}

/// Security: age runs the first program of this name on PATH, even from a relative entry, such as the working
/// directory.
fn check_place(plugin: &str) -> Result<(), PluginError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has_it = |directory: &PathBuf| {
        PROGRAM_ENDINGS.iter().any(|end| is_program(&directory.join(format!("age-plugin-{plugin}{end}"))))
    };
    match std::env::split_paths(&path).find(has_it) {
        Some(directory) if !directory.is_absolute() => Err(PluginError::Relative(plugin.to_owned())),
        _ => Ok(()),
    }
}

fn listen<T>(
    plugin: &str,
    receiver: &Receiver<Message<T>>,
    asker: &mut dyn Asker,
    patience: Duration,
) -> Result<T, PluginError> {
    let mut end = Instant::now() + patience;
    loop {
        match receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Message::Ends(result)) => return result,
            Ok(Message::Plugin(message, answer)) => {
                let given = asker.plugin(&message).map_err(PluginError::Person)?;
                // The plugin may have ended meanwhile; its result comes next.
                answer.send(given).ok();
                end = Instant::now() + patience;
            }
            Err(RecvTimeoutError::Timeout) => return Err(PluginError::Silent(plugin.to_owned())),
            Err(RecvTimeoutError::Disconnected) => return Err(failed(plugin, &[""; 0])),
        }
    }
}

/// Sends the plugin's messages to the main thread.
struct Callbacks<T> {
    plugin: String,
    to: Sender<Message<T>>,
}

impl<T> Clone for Callbacks<T> {
    fn clone(&self) -> Self {
        Self { plugin: self.plugin.clone(), to: self.to.clone() }
    }
}

impl<T> Callbacks<T> {
    fn say(&self, make: impl FnOnce(String, String) -> PluginMessage, text: &str) -> Option<SecretString> {
        let (sender, receiver) = channel();
        let what = make(self.plugin.clone(), shown(text));
        self.to.send(Message::Plugin(what, sender)).ok()?;
        receiver.recv().ok()?
    }
}

impl<T: Send + 'static> age::Callbacks for Callbacks<T> {
    fn display_message(&self, message: &str) {
        self.say(|plugin, text| PluginMessage::Message { plugin, text }, message);
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let text = format!("{message} [y: {yes}, n: {}] ", no.unwrap_or("no"));
        let answer = self.say(|plugin, text| PluginMessage::Line { plugin, text }, &text)?;
        Some(matches!(answer.expose().trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    fn request_public_string(&self, description: &str) -> Option<String> {
        let answer = self.say(|plugin, text| PluginMessage::Line { plugin, text }, description)?;
        Some(answer.expose().to_owned())
    }

    fn request_passphrase(&self, description: &str) -> Option<AgeSecret> {
        let answer = self.say(|plugin, text| PluginMessage::Secret { plugin, text }, description)?;
        Some(AgeSecret::from(answer.expose().to_owned()))
    }
}
