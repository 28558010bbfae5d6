//! Checks whether the user can be asked for an MFA code.

use hatbox_core::doctor::chains::Profiles;
use hatbox_core::doctor::{Finding, Level, Topic};

use super::{Checkup, finding_of};
use crate::credentials::request::{PromptDriver, SessionRequest, resolve_prompt};
use crate::files::programs::find_in_path;

impl Checkup<'_> {
    pub(super) fn check_prompt(&mut self, request: Option<&SessionRequest>, profiles: &Profiles) {
        // Unreadable settings are reported elsewhere.
        let settings = self.world.settings().cloned().unwrap_or_default();
        let said = request.and_then(|request| request.prompt.as_ref());
        let driver = match resolve_prompt(said, &settings) {
            Ok(prompt) => prompt.map_or(PromptDriver::Terminal, |prompt| prompt.driver),
            Err(failure) => {
                self.findings.push(finding_of(Topic::Prompt, "prompt-unknown", &failure));
                return;
            }
        };
        match driver.program() {
            Some(program) => self.check_program(driver, program),
            None => self.check_terminal(profiles),
        }
    }

    fn check_program(&mut self, driver: PromptDriver, program: &str) {
        let found = find_in_path(self.world, program).into_iter().next();
        if let Some(found) = &found {
            self.check_writers(program, found);
        }
        let mut add =
            |id, level, text: String| self.findings.push(Finding::new(Topic::Prompt, id, level, text));
        if found.is_none() {
            let text = format!("MFA codes come from `{program}`, which is not in PATH");
            add("no-prompt-program", Level::Error, text);
        } else if driver.needs_desktop() && !self.world.environment.has_desktop() {
            let text = format!("MFA codes come from `{program}`, which needs a desktop to show its window");
            add("no-desktop", Level::Warning, text);
        }
        self.sum_up(Topic::Prompt, format!("MFA codes come from `{program}`"));
    }

    fn check_terminal(&mut self, profiles: &Profiles) {
        if self.world.has_terminal() {
            let device = self.world.prompter().device().map(|name| format!(", {name}")).unwrap_or_default();
            self.sum_up(Topic::Prompt, format!("hatbox can ask for MFA codes on this terminal{device}"));
            return;
        }
        self.sum_up(Topic::Prompt, "there is no terminal");
        for profile in &profiles.asking {
            let text = "without a cached session, this needs a terminal to ask for an MFA code";
            self.findings.push(Finding::new(Topic::Prompt, "no-terminal", Level::Info, text).about(profile));
        }
    }
}
