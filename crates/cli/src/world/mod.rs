//! Everything that the program touches, in one value: environment, settings, clock, directories, streams, terminal.
//!
//! Created once by `main`. Its parts are opened when they are first needed, so a command only pays for what it uses.
//! Threads, such as one that renews credentials, keep a clone.

pub(crate) mod clock;
pub(crate) mod dirs;
pub(crate) mod environment;
pub(crate) mod settings;

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;

use crate::aws::endpoint::EndpointUrl;
use crate::errors::Failure;
use crate::output::Output;
use crate::prompt::terminal::Terminal;
use crate::prompt::{NoPrompter, Prompter};
use crate::sys::hardening::Received;

use clock::Clock;
use dirs::Dirs;
use environment::Environment;
use settings::{Settings, load_settings};

/// The outside world of this process. Cheap to clone: all clones share one value.
#[derive(Debug, Clone)]
pub(crate) struct World(Arc<Outside>);

/// What a [`World`] holds.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) environment: Environment,
    pub(crate) dirs: Dirs,
    pub(crate) clock: Clock,
    pub(crate) output: Output,
    /// What to restore for the child.
    pub(crate) received: Received,
    /// The file name under which this program was started.
    pub(crate) own_name: Option<String>,
    /// When this process started.
    pub(crate) started: Timestamp,
    settings: OnceLock<Arc<Settings>>,
    terminal: OnceLock<Option<Terminal>>,
    /// Whether the terminal belongs to another program now.
    has_left_terminal: AtomicBool,
    /// Whether sign-ins open no browser (`exec --stdout`, as in aws-vault).
    is_browser_left_alone: AtomicBool,
    /// The services whose endpoint was printed already.
    announced: Mutex<Vec<&'static str>>,
}

impl Deref for World {
    type Target = Outside;

    fn deref(&self) -> &Outside {
        &self.0
    }
}

impl World {
    pub(crate) fn new(
        environment: Environment,
        output: Output,
        received: Received,
        own_name: Option<String>,
    ) -> Self {
        let dirs = Dirs::of_environment(&environment);
        let clock = Clock::of_environment(&environment);
        let started = clock.now();
        Self(Arc::new(Outside {
            started,
            environment,
            dirs,
            clock,
            output,
            received,
            own_name,
            settings: OnceLock::new(),
            terminal: OnceLock::new(),
            has_left_terminal: AtomicBool::new(false),
            is_browser_left_alone: AtomicBool::new(false),
            announced: Mutex::default(),
        }))
    }

    /// Returns hatbox's own settings, loaded on first use. An unusable file is read again the next time, as `doctor
    /// --fix` may have corrected its permissions.
    pub(crate) fn settings(&self) -> Result<&Arc<Settings>, Failure> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let loaded = load_settings(&self.dirs.settings_file())?;
        Ok(self.settings.get_or_init(|| Arc::new(loaded)))
    }

    /// Prints an endpoint that is not AWS's own, once per service.
    pub(crate) fn announce_endpoint(&self, service: &'static str, endpoint: Option<&EndpointUrl>) {
        let is_of_aws = |endpoint: &&EndpointUrl| endpoint.is_of_aws(&service.to_ascii_lowercase());
        let Some(endpoint) = endpoint.filter(|endpoint| !is_of_aws(endpoint)) else { return };
        let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        if !announced.contains(&service) {
            announced.push(service);
            self.output.note(&format!("using the {service} endpoint {} (not AWS)", endpoint.as_str()));
        }
    }

    /// Whether there is a terminal on which the user can be asked.
    pub(crate) fn has_terminal(&self) -> bool {
        self.terminal().is_some()
    }

    /// Leaves the terminal to another program. Afterwards, the user cannot be asked on it.
    pub(crate) fn leave_terminal(&self) {
        self.has_left_terminal.store(true, Ordering::Relaxed);
    }

    /// Opens no browser for sign-ins from now on; their address is only shown.
    pub(crate) fn leave_browser_alone(&self) {
        self.is_browser_left_alone.store(true, Ordering::Relaxed);
    }

    /// Whether sign-ins must not open a browser.
    pub(crate) fn is_browser_left_alone(&self) -> bool {
        self.is_browser_left_alone.load(Ordering::Relaxed)
            || self
                .environment
                .text(crate::env_names::VAULT_STDOUT)
                .is_some_and(|said| !matches!(said.as_str(), "false" | "0"))
    }

    /// Whether the terminal belongs to another program now.
    fn has_left_terminal(&self) -> bool {
        self.has_left_terminal.load(Ordering::Relaxed)
    }

    fn terminal(&self) -> Option<&Terminal> {
        if self.has_left_terminal() {
            return None;
        }
        self.terminal.get_or_init(|| Terminal::open(self.environment.text("TERM").as_deref())).as_ref()
    }

    /// Asks no questions from now on, as if there was no terminal.
    pub(crate) fn refuse_questions(&self) {
        // A terminal that was opened before stays, as a question was already asked on it.
        self.terminal.set(None).ok();
    }

    /// Returns the prompter for the terminal device, or one that cannot ask.
    pub(crate) fn prompter(&self) -> &dyn Prompter {
        match self.terminal() {
            Some(terminal) => terminal,
            None => &NoPrompter,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_can_be_used_by_another_thread() {
        fn assert_shared<T: Clone + Send + Sync + 'static>() {}
        assert_shared::<World>();
    }
}
