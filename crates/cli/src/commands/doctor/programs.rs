//! Checks the programs that the config and settings name, and what `aws-vault` and `hatbox` run.

use std::path::{Path, PathBuf};

use hatbox_core::doctor::chains::{NamedProgram, Profiles, program_word};
use hatbox_core::doctor::{Finding, Level, Topic};

use super::Checkup;
use crate::files::modes::{Protection, find_flaw};
use crate::files::programs::{find_in_path, find_program, is_found, own_file};

impl Checkup<'_> {
    pub(super) fn check_programs(&mut self, profiles: &Profiles) {
        let mut count = 0;
        // Windows splits commands and paths by other rules.
        if !cfg!(windows) {
            count = self.check_named(profiles);
        }
        for (key, file) in &profiles.files {
            count += 1;
            if !Path::new(&file.value).is_file() {
                let text = format!("`{key}` names `{}`, which is not a file", file.value.escape_debug());
                let finding = Finding::new(Topic::Programs, "missing-file", Level::Warning, text);
                self.findings.push(finding.from_origin(&file.origin));
            }
        }
        self.check_names();
        match count {
            0 => {}
            1 => self.sum_up(Topic::Programs, "1 named in config and settings"),
            count => self.sum_up(Topic::Programs, format!("{count} named in config and settings")),
        }
    }

    fn check_named(&mut self, profiles: &Profiles) -> usize {
        let missing = |key: &str, word: &str| {
            let word = word.escape_debug();
            let text = format!("the program `{word}` of `{key}` was not found");
            Finding::new(Topic::Programs, "missing-program", Level::Warning, text)
        };
        for NamedProgram { key, word, origin } in &profiles.programs {
            if !is_found(self.world, word) {
                self.findings.push(missing(key, word).from_origin(origin));
            } else if let Some(file) = find_program(self.world, word) {
                self.check_writers(word, &file);
            }
        }
        let in_settings = self.world.settings().map(|settings| settings.named_commands()).unwrap_or_default();
        let settings = self.world.dirs.shown(&self.world.dirs.settings_file());
        for (name, command) in &in_settings {
            let Some(word) = program_word(command) else { continue };
            if !is_found(self.world, &word) {
                self.findings.push(missing(name, &word).in_file(settings.as_str()));
            } else if let Some(file) = find_program(self.world, &word) {
                self.check_writers(&word, &file);
            }
        }
        profiles.programs.len() + in_settings.len()
    }

    /// Checks that no other user can replace a program that hatbox runs, or write to its directory.
    pub(super) fn check_writers(&mut self, name: &str, file: &Path) {
        for path in std::iter::once(file).chain(file.parent()) {
            let Some(flaw) = find_flaw(path, Protection::NoOtherWriter) else { continue };
            let text = format!("hatbox runs `{}` from here: {}", name.escape_debug(), flaw.reason);
            let finding = Finding::new(Topic::Programs, "loose-program", Level::Warning, text)
                .in_file(self.world.dirs.shown(path));
            self.findings.push(match flaw.hint {
                Some(hint) => finding.fixed_by(hint),
                None => finding,
            });
        }
    }

    /// Checks what a shell runs as `hatbox` and as `aws-vault`.
    fn check_names(&mut self) {
        let Some(own) = own_file() else { return };
        let real = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let is_own = |path: &PathBuf| real(path) == own;
        let shown = |path: &Path| self.world.dirs.shown(path);
        let mut found = Vec::new();
        if let Some(first) = find_in_path(self.world, "hatbox").into_iter().find(|path| path.is_file())
            && !is_own(&first)
        {
            let text = format!("`hatbox` in a shell runs this file instead of {}", shown(&own));
            let finding = Finding::new(Topic::Programs, "other-hatbox", Level::Warning, text);
            found.push(finding.in_file(shown(&first)));
        }
        let vaults = find_in_path(self.world, "aws-vault");
        let (link, other) = (vaults.iter().position(is_own), vaults.iter().position(|path| !is_own(path)));
        if let (Some(link), Some(other)) = (link, other)
            && let (Some(link_path), Some(other_path)) = (vaults.get(link), vaults.get(other))
        {
            found.push(if link < other {
                let text = format!("`aws-vault` runs hatbox, and hides {}", shown(other_path));
                Finding::new(Topic::Programs, "aws-vault-shadowed", Level::Info, text)
                    .in_file(shown(link_path))
            } else {
                let text = format!("{} hides this link to hatbox: it comes first in PATH", shown(other_path));
                Finding::new(Topic::Programs, "aws-vault-link-hidden", Level::Warning, text)
                    .in_file(shown(link_path))
            });
        }
        self.findings.extend(found);
    }
}
