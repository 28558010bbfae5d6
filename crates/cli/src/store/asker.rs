//! What a backend asks while it is opened or changed, and the possible answers.

use hatbox_types::secret::SecretString;

/// Asks a person, or a source that answers for the person, on behalf of a backend.
pub(crate) trait Asker {
    /// Returns the passphrase of the store. Called again after a wrong passphrase, until it returns an error.
    fn passphrase(&mut self, what: PassphraseFor) -> Result<SecretString, PassphraseError>;

    /// Checks whether the backend may start another program that prompts the user itself.
    fn may_prompt(&mut self, prompt: OwnPrompt) -> Result<(), PassphraseError>;

    /// Shows a message of an age plugin, or returns the answer to its question. `None` acknowledges a message.
    #[cfg(feature = "plugins")]
    fn plugin(&mut self, message: &PluginMessage) -> Result<Option<SecretString>, PassphraseError>;

    /// Warns the user about something that the backend found.
    #[cfg_attr(
        not(feature = "file"),
        expect(dead_code, reason = "only the encrypted files have something to say")
    )]
    fn warn(&mut self, text: &str);
}

/// What a passphrase is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PassphraseFor {
    /// Opening an existing store.
    Opening {
        /// Counts from 1.
        attempt: u32,
    },
    /// Creating a store: a person enters it twice.
    Creating,
    /// Replacing the passphrase of an existing store: a person enters it twice.
    Changing,
}

/// A prompt that another program shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnPrompt {
    /// A prompt of a program, such as GnuPG's pinentry.
    Program,
    /// A window of the desktop.
    Desktop,
    /// An age plugin asks for a touch or a PIN, and a passphrase opens the store too.
    #[cfg(feature = "plugins")]
    PluginOrPassphrase,
    /// An age plugin asks for a touch or a PIN, and nothing else opens the store.
    #[cfg(feature = "plugins")]
    PluginAlone,
}

/// A message of an age plugin. Its texts are printable.
#[cfg(feature = "plugins")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PluginMessage {
    /// Text to show, such as `touch your key`. Needs no answer.
    Message { plugin: String, text: String },
    /// Asks for a line that may be shown while it is typed.
    Line { plugin: String, text: String },
    /// Asks for a secret, such as a PIN.
    Secret { plugin: String, text: String },
}

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassphraseError {
    /// No way to ask a person.
    #[error("the store is locked, and there is no way to ask for its passphrase")]
    CannotAsk,
    /// The desktop's keyring is locked, and there is no desktop to show a prompt on.
    #[error("it is locked, and there is no desktop to ask for its password")]
    NoDesktop,
    /// The user pressed Ctrl-C.
    #[error("cancelled")]
    Cancelled,
    /// The user did not answer in time.
    #[error("the passphrase was not entered in time")]
    TimedOut,
    /// Another process took over the question.
    #[error("answered elsewhere")]
    AnsweredElsewhere,
    /// The source of the passphrase failed, such as the command or the file descriptor.
    #[error("{what}")]
    Source {
        /// What happened; never the passphrase.
        what: String,
    },
    /// The passphrase is empty. Names its source.
    #[error("the passphrase from {0} is empty")]
    Empty(String),
    /// The passphrase is wrong, and there are no more attempts.
    #[error("the passphrase is wrong")]
    Wrong,
    /// The backend's own prompt was declined.
    #[error("{what}")]
    Refused {
        /// What happened.
        what: String,
    },
}
