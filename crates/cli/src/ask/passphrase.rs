//! The store's passphrase: from a descriptor, a variable, a file, a command, or the terminal.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hatbox_types::secret::SecretString;
use zeroize::Zeroizing;

use crate::ask::helper::run_helper;
use crate::prompt::{Echo, PromptError, Question};
#[cfg(feature = "plugins")]
use crate::store::asker::PluginMessage;
use crate::store::asker::{Asker, OwnPrompt, PassphraseError, PassphraseFor};
use crate::sys::access::{check_given_secret, open_unblocked};
use crate::sys::descriptor;
use crate::world::World;

const COMMAND_TIMEOUT: Duration = Duration::from_mins(1);
const LIMIT: u64 = 4096;

/// A source of the passphrase that does not need the user.
#[derive(Debug, Clone)]
pub(crate) enum PassphraseSource {
    /// `--passphrase-fd`, `HATBOX_PASSPHRASE_FD`.
    Descriptor(i32),
    /// The variable of this name.
    Variable(&'static str, SecretString),
    /// The file named by `HATBOX_PASSPHRASE_FILE` or by the setting `passphrase_file`.
    File {
        /// The variable or the setting.
        origin: &'static str,
        path: PathBuf,
    },
    /// The command in the setting `passphrase_command`.
    Command(String),
    /// The passphrase that a source returned. Sources are read only once.
    Read {
        /// The name of the source in messages.
        source: String,
        /// The passphrase.
        text: SecretString,
    },
}

impl PassphraseSource {
    /// The name in messages.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Descriptor(number) => format!("descriptor {number}"),
            Self::Variable(name, _) => (*name).to_owned(),
            Self::File { origin, path } => format!("`{}` ({origin})", path.display()),
            Self::Command(_) => "`passphrase_command`".to_owned(),
            Self::Read { source, .. } => source.clone(),
        }
    }
}

/// Whether the user may be asked for the store's passphrase, if no source provides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interaction {
    /// For `list`, `explain` and similar commands.
    Never,
    /// For commands that need the store.
    Allowed,
}

/// How long to wait for the user.
pub(crate) struct Patience<'a> {
    pub(crate) timeout: Duration,
    /// Whether another process has taken over the question.
    pub(crate) is_over: &'a dyn Fn() -> bool,
}

/// Provides the store's passphrase: from a source, or else from the user.
pub(crate) struct PassphraseAsker<'a> {
    world: &'a World,
    source: Option<&'a PassphraseSource>,
    interaction: Interaction,
    patience: Patience<'a>,
    /// The passphrase that the source returned, which is read only once.
    pub(crate) read: Option<PassphraseSource>,
}

impl<'a> PassphraseAsker<'a> {
    pub(crate) fn new(
        world: &'a World,
        source: Option<&'a PassphraseSource>,
        interaction: Interaction,
        patience: Patience<'a>,
    ) -> Self {
        Self { world, source, interaction, patience, read: None }
    }
}

impl Asker for PassphraseAsker<'_> {
    fn passphrase(&mut self, what: PassphraseFor) -> Result<SecretString, PassphraseError> {
        let Some(source) = self.source else {
            return match self.interaction {
                Interaction::Never => Err(PassphraseError::CannotAsk),
                Interaction::Allowed => ask_person(self.world, &self.patience, what),
            };
        };
        // The source would return the same wrong passphrase again.
        if matches!(what, PassphraseFor::Opening { attempt } if attempt > 1) {
            return Err(PassphraseError::Wrong);
        }
        let passphrase = read_source(self.world, source)?;
        if matches!(what, PassphraseFor::Creating | PassphraseFor::Changing) {
            warn_if_short(self.world, &passphrase);
        }
        if matches!(what, PassphraseFor::Opening { .. } | PassphraseFor::Creating) {
            self.read = Some(PassphraseSource::Read { source: source.shown(), text: passphrase.clone() });
        }
        Ok(passphrase)
    }

    fn may_prompt(&mut self, prompt: OwnPrompt) -> Result<(), PassphraseError> {
        if self.interaction == Interaction::Never {
            return Err(PassphraseError::CannotAsk);
        }
        if prompt == OwnPrompt::Desktop && !self.world.environment.has_desktop() {
            return Err(PassphraseError::NoDesktop);
        }
        #[cfg(feature = "plugins")]
        if prompt == OwnPrompt::PluginOrPassphrase && self.source.is_some() {
            // With a passphrase from a source, no security key has to be touched.
            return Err(PassphraseError::CannotAsk);
        }
        Ok(())
    }

    #[cfg(feature = "plugins")]
    fn plugin(&mut self, message: &PluginMessage) -> Result<Option<SecretString>, PassphraseError> {
        let ask = |plugin: &str, text: &str, echo| {
            ask_line(self.world, &self.patience, &format!("age-plugin-{plugin}: {text}: "), echo).map(Some)
        };
        match message {
            PluginMessage::Message { plugin, text } => {
                self.world.prompter().show(&format!("age-plugin-{plugin}: {text}"));
                Ok(None)
            }
            PluginMessage::Line { plugin, text } => ask(plugin, text, Echo::Shown),
            PluginMessage::Secret { plugin, text } => ask(plugin, text, Echo::Hidden),
        }
    }

    fn warn(&mut self, text: &str) {
        self.world.output.warn(text);
    }
}

/// Reads the passphrase from a source.
fn read_source(world: &World, source: &PassphraseSource) -> Result<SecretString, PassphraseError> {
    let failed = |why: String| PassphraseError::Source {
        what: format!("{} returned no passphrase: {why}", source.shown()),
    };
    let bytes = match source {
        PassphraseSource::Variable(_, text) | PassphraseSource::Read { text, .. } => {
            Zeroizing::new(text.expose().as_bytes().to_vec())
        }
        PassphraseSource::Descriptor(number) => {
            read_descriptor(*number).map_err(|error| failed(error.to_string()))?
        }
        PassphraseSource::File { path, .. } => read_file(path).map_err(failed)?,
        PassphraseSource::Command(command) => {
            let environment = world.environment.of_store_programs();
            run_helper("`passphrase_command`".to_owned(), command, &environment, COMMAND_TIMEOUT)
                .map_err(|error| failed(error.to_string()))?
        }
    };
    of_bytes(&bytes).map_err(failed)?.ok_or_else(|| PassphraseError::Empty(source.shown()))
}

fn warn_if_short(world: &World, passphrase: &SecretString) {
    if is_short(passphrase) {
        world.output.warn(&format!(
            "the passphrase has fewer than {SHORT} characters: whoever gets hold of the store's files can guess it"
        ));
    }
}

/// Reads a new passphrase from the descriptor that the user named for it.
#[cfg(feature = "file")]
pub(crate) fn read_new_passphrase(world: &World, number: i32) -> Result<SecretString, PassphraseError> {
    let shown = format!("descriptor {number}");
    let failed =
        |why: String| PassphraseError::Source { what: format!("{shown} returned no passphrase: {why}") };
    let bytes = read_descriptor(number).map_err(|error| failed(error.to_string()))?;
    let passphrase = of_bytes(&bytes).map_err(failed)?.ok_or(PassphraseError::Empty(shown))?;
    warn_if_short(world, &passphrase);
    Ok(passphrase)
}

/// Extracts the passphrase from the output of a source; `None` if it is empty.
fn of_bytes(bytes: &[u8]) -> Result<Option<SecretString>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    // `echo` adds one line end; everything else belongs to the passphrase.
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok((!text.is_empty()).then(|| SecretString::new(text.to_owned())))
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let open = || {
        let file = open_unblocked(path)?;
        file.metadata().map(|about| (file, about))
    };
    let (file, about) = open().map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    check_given_secret(path, &file, &about)?;
    read_all(file).map_err(|error| error.to_string())
}

fn read_descriptor(number: i32) -> std::io::Result<Zeroizing<Vec<u8>>> {
    read_all(descriptor::duplicate(number)?)
}

fn read_all(file: File) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4097));
    file.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        // A truncated passphrase would be a different one.
        return Err(std::io::Error::other("it is longer than 4096 bytes"));
    }
    Ok(bytes)
}

fn ask_line(
    world: &World,
    waiting: &Patience<'_>,
    text: &str,
    echo: Echo,
) -> Result<SecretString, PassphraseError> {
    let question = Question { text, echo, timeout: waiting.timeout, is_over: waiting.is_over };
    world.prompter().ask_line(&question).map_err(|error| match error {
        PromptError::Cancelled => PassphraseError::Cancelled,
        PromptError::NoTerminal => PassphraseError::CannotAsk,
        PromptError::TimedOut(_) => PassphraseError::TimedOut,
        PromptError::AnsweredElsewhere => PassphraseError::AnsweredElsewhere,
        error @ PromptError::Io(_) => PassphraseError::Source { what: error.to_string() },
    })
}

/// In characters. A shorter passphrase can be guessed despite scrypt.
const SHORT: usize = 8;

fn is_short(passphrase: &SecretString) -> bool {
    passphrase.expose().chars().count() < SHORT
}

/// Asks twice for a new passphrase, until both answers are equal.
fn ask_twice(world: &World, waiting: &Patience<'_>) -> Result<SecretString, PassphraseError> {
    let prompter = world.prompter();
    loop {
        let first = ask_line(world, waiting, "New passphrase: ", Echo::Hidden)?;
        if first.expose().is_empty() {
            prompter.reject("The passphrase cannot be empty.");
            continue;
        }
        if is_short(&first) {
            prompter.show(&format!(
                "The passphrase has fewer than {SHORT} characters: anyone with a copy of the store's files can guess it."
            ));
            let answer = ask_line(world, waiting, "Use it anyway? (y|N) ", Echo::Shown)?;
            if !matches!(answer.expose().trim().to_ascii_lowercase().as_str(), "y" | "yes") {
                continue;
            }
        }
        if ask_line(world, waiting, "Repeat the passphrase: ", Echo::Hidden)?.expose() == first.expose() {
            return Ok(first);
        }
        prompter.reject("The passphrases do not match.");
    }
}

fn ask_person(
    world: &World,
    waiting: &Patience<'_>,
    what: PassphraseFor,
) -> Result<SecretString, PassphraseError> {
    let prompter = world.prompter();
    match what {
        PassphraseFor::Opening { attempt } => {
            if attempt > 1 {
                // Longer each time: this slows down guessing, but hardly bothers a user who mistyped.
                let pause = Duration::from_secs(u64::from(attempt - 1));
                prompter.show(&format!("Wrong passphrase. Try again in {} s.", pause.as_secs()));
                std::thread::sleep(pause);
                prompter.forget_input();
            }
            ask_line(world, waiting, "Passphrase of the hatbox store: ", Echo::Hidden)
        }
        PassphraseFor::Creating => {
            prompter.show("Choose a passphrase for the new encrypted store. It cannot be recovered.");
            ask_twice(world, waiting)
        }
        PassphraseFor::Changing => {
            prompter.show("Choose a new passphrase for the hatbox store.");
            ask_twice(world, waiting)
        }
    }
}
