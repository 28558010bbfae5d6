//! Checks the two AWS files and the profiles in them.

use hatbox_core::config::origin::FileKind;
use hatbox_core::doctor::chains::{Profiles, check_chains};
use hatbox_core::doctor::lines::check_lines;
use hatbox_core::doctor::{Finding, Level, Topic};
use hatbox_core::plan::{PlanOptions, StoredKeys};

use super::{Checkup, finding_of};
use crate::errors::Failure;
use crate::files::aws_config::{ConfigFiles, load_readable_config};

impl Checkup<'_> {
    /// Loads both files. One that cannot be read is a finding and counts as empty.
    pub(super) fn load_config(&mut self) -> Result<ConfigFiles, Failure> {
        let (mut files, failures) = load_readable_config(self.world)?;
        files.config = files.config.for_all_profiles();
        for (file, failure) in failures {
            let finding = finding_of(Topic::Config, "unreadable-file", &failure);
            self.findings.push(finding.in_file(files.shown(file)));
        }
        let named = [
            ("AWS_CONFIG_FILE", self.world.dirs.aws_config()),
            ("AWS_SHARED_CREDENTIALS_FILE", self.world.dirs.aws_credentials()),
        ];
        for (name, path) in named {
            if self.world.environment.text(name).is_some() && !path.exists() {
                let text = format!("{name} is set to a file that does not exist");
                let finding = Finding::new(Topic::Environment, "env-no-file", Level::Warning, text);
                self.findings.push(finding.in_variables(&[name]));
            }
        }
        Ok(files)
    }

    pub(super) fn check_config(
        &mut self,
        files: &ConfigFiles,
        stored: &StoredKeys,
        options: &PlanOptions,
    ) -> Profiles {
        check_lines(&files.config, &mut self.findings);
        let profiles = check_chains(&files.config, stored, options, &mut self.findings);
        let (config, credentials) = (files.shown(FileKind::Config), files.shown(FileKind::Credentials));
        self.sum_up(
            Topic::Config,
            match profiles.count {
                0 => format!("no profile in {config} and {credentials}"),
                1 => format!("1 profile in {config} and {credentials}"),
                count => format!("{count} profiles in {config} and {credentials}"),
            },
        );
        if profiles.expected > 0 {
            let locked = if matches!(stored, StoredKeys::Locked) { " (the store is locked)" } else { "" };
            let text = if profiles.planned == profiles.expected {
                format!("each has a credential plan{locked}")
            } else {
                format!("{} of {} have a credential plan{locked}", profiles.planned, profiles.expected)
            };
            self.sum_up(Topic::Profiles, text);
        }
        profiles
    }
}
