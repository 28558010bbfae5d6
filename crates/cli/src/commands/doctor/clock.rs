//! Checks the clock: against the time of files written earlier, and with `--online` against STS.

use std::path::PathBuf;

use hatbox_core::config::overrides::{Flags, Overrides};
use hatbox_core::config::{Which, resolve_profile};
use hatbox_core::doctor::moments::{check_behind, check_skew};
use hatbox_core::doctor::{Finding, Level, Topic};
use hatbox_types::name::ProfileName;

use super::Checkup;
use super::remote::fetch_clocks;
use crate::files::aws_config::ConfigFiles;
use crate::files::modes::{files_in, written_at};

/// The maximum number of cached sessions to examine.
const LIMIT: usize = 1000;

impl Checkup<'_> {
    pub(super) fn check_clock(&mut self, files: &ConfigFiles, is_online: bool) {
        self.check_against_files();
        if !is_online {
            self.sum_up(Topic::Clock, "not compared with that of AWS; use --online");
            return;
        }
        let (url, ca_bundle) = self.endpoint(files);
        let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let host = host.split(['/', '?', '#']).next().unwrap_or_default().to_owned();
        match fetch_clocks(self.world, &url, ca_bundle.as_deref()) {
            Ok((ours, theirs)) => {
                let skew = check_skew(ours, theirs, &host);
                self.sum_up(
                    Topic::Clock,
                    match skew {
                        None => format!("agrees with that of {host}"),
                        Some(_) => format!("compared with that of {host}"),
                    },
                );
                let hint = "sudo timedatectl set-ntp true";
                self.findings.extend(
                    skew.map(
                        |finding| {
                            if cfg!(target_os = "linux") { finding.fixed_by(hint) } else { finding }
                        },
                    ),
                );
            }
            Err(why) => {
                let text = format!("{} did not return the time: {why}", host.escape_debug());
                self.findings.push(Finding::new(Topic::Clock, "no-answer", Level::Warning, text));
                self.sum_up(Topic::Clock, format!("not compared with that of {}", host.escape_debug()));
            }
        }
    }

    /// Checks that the newest file is not from the future.
    fn check_against_files(&mut self) {
        let dirs = &self.world.dirs;
        let mut written: Vec<_> = files_in(&dirs.sessions(), LIMIT);
        written.extend([
            dirs.settings_file(),
            dirs.aws_config().to_owned(),
            dirs.state_of_store(&dirs.store()).join("index"),
        ]);
        let times = written.iter().filter_map(|path| Some((written_at(path)?, path)));
        if let Some((newest, path)) = times.max_by_key(|(time, _)| *time) {
            self.findings.extend(check_behind(self.world.clock.now(), newest, &dirs.shown(path)));
        }
    }

    /// Returns the STS endpoint of the profile in `AWS_PROFILE`, or the default.
    fn endpoint(&self, files: &ConfigFiles) -> (String, Option<PathBuf>) {
        let environment = &self.world.environment;
        let overrides = Overrides::from_env(Flags::default(), |name| environment.text(name));
        let named = environment.text("AWS_PROFILE").and_then(|name| ProfileName::parse(&name).ok());
        let profile = named.unwrap_or_else(ProfileName::default_profile);
        let resolved = resolve_profile(&files.config, &profile, &overrides, Which::Target).ok();
        let region = resolved.as_ref().and_then(|profile| profile.region.as_ref());
        let region = region.map_or("us-east-1", |region| region.value.as_str());
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let usual = format!("https://sts.{region}.{domain}/");
        let endpoint = resolved.as_ref().map(|profile| &profile.endpoint);
        let url =
            endpoint.and_then(|endpoint| endpoint.sts_url.as_ref()).map_or(usual, |url| url.value.clone());
        let bundle = endpoint.and_then(|endpoint| endpoint.ca_bundle.as_ref()).map(|said| said.value.clone());
        (url, bundle.or_else(|| environment.text("SSL_CERT_FILE")).map(PathBuf::from))
    }
}
