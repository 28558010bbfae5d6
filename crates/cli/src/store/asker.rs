//! What a backend asks while it is opened or changed, and the answers that it may get.

use hatbox_types::secret::SecretString;

/// Asks a person, or a source in the person's place, on behalf of a backend.
pub(crate) trait Asker {
    /// The passphrase of the store. Asked again after a wrong one, until the answer is an error.
    fn passphrase(&mut self, what: PassphraseFor) -> Result<SecretString, PassphraseError>;

    /// Whether the backend may let another program ask a person, by a prompt of that program's.
    fn may_prompt(&mut self, prompt: OwnPrompt) -> Result<(), PassphraseError>;

    /// What an age plugin says or asks. `None` answers a message.
    #[cfg(feature = "plugins")]
    fn plugin(&mut self, message: &PluginMessage) -> Result<Option<SecretString>, PassphraseError>;

    /// Tells the user what the backend found on the way.
    #[cfg_attr(
        not(feature = "file"),
        expect(dead_code, reason = "only the encrypted files have something to say")
    )]
    fn warn(&mut self, text: &str);
}

/// What a passphrase is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PassphraseFor {
    /// Opening what is there. `attempt` is 1 the first time.
    Opening {
        /// Which try this is.
        attempt: u32,
    },
    /// Creating: a person is asked twice.
    Creating,
    /// A new one for a store that is there: a person is asked twice.
    Changing,
}

/// A prompt that is not hatbox's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnPrompt {
    /// A program's: GnuPG's pinentry.
    Program,
    /// A window of the desktop.
    Desktop,
    /// What an age plugin wants, a touch or a PIN, where a passphrase opens the store too.
    #[cfg(feature = "plugins")]
    PluginOrPassphrase,
    /// The same where nothing else opens the store.
    #[cfg(feature = "plugins")]
    PluginAlone,
}

/// A message of an age plugin. Its texts are printable.
#[cfg(feature = "plugins")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PluginMessage {
    /// Something to read, without an answer: `touch your key`.
    Message { plugin: String, text: String },
    /// It asks for a line that may be seen.
    Line { plugin: String, text: String },
    /// It asks for a secret: a PIN.
    Secret { plugin: String, text: String },
}

/// Why no passphrase could be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassphraseError {
    /// There is no way to ask a person now.
    #[error("the store is locked, and there is no way to ask for its passphrase")]
    CannotAsk,
    /// The desktop's keyring is locked, and there is no desktop on which a person could be asked.
    #[error("it is locked, and there is no desktop to ask for its password")]
    NoDesktop,
    /// The person pressed Ctrl-C.
    #[error("cancelled")]
    Cancelled,
    /// There was no answer in time.
    #[error("the passphrase was not entered in time")]
    TimedOut,
    /// Another process took the question over.
    #[error("answered elsewhere")]
    AnsweredElsewhere,
    /// Its source failed: the command, the descriptor, ...
    #[error("{what}")]
    Source {
        /// What happened, in words; never the passphrase.
        what: String,
    },
    /// It is empty.
    #[error("the passphrase from {0} is empty")]
    Empty(String),
    /// There is no more to try.
    #[error("the passphrase is wrong")]
    Wrong,
    /// The backend asked by a prompt of its own, and was refused.
    #[error("{what}")]
    Refused {
        /// What happened, in words.
        what: String,
    },
}
