//! Checks the environment variables, and the files and endpoints that they name.

use hatbox_core::doctor::environment::{Variables, check_environment};
use hatbox_core::doctor::{Finding, Findings, Level, Topic};
use hatbox_types::name::ProfileName;

use super::Checkup;
use super::remote::{Remote, classify};
use crate::env_names;
use crate::files::aws_config::ConfigFiles;
use crate::store::index::Index;
use crate::sys::access::owner_unlike_root;

/// Variables that name a file, and what fails without the file.
const FILES: [(&str, &str); 3] = [
    ("AWS_CA_BUNDLE", "https connections fail"),
    ("SSL_CERT_FILE", "https connections fail"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "there is no web identity"),
];

impl Checkup<'_> {
    /// `index` is `None` if the store is locked.
    pub(super) fn check_environment(&mut self, files: &ConfigFiles, index: Option<&Index>) {
        let environment = &self.world.environment;
        let value = |name: &str| environment.raw(name).map(|value| value.to_string_lossy().into_owned());
        let is_stored = |name: &ProfileName| index.map(|index| index.find(name).is_some());
        let variables = Variables {
            value: &value,
            config: &files.config,
            is_stored: &is_stored,
            now: self.world.clock.now(),
        };
        let mut found = Findings::default();
        check_environment(&variables, &mut found);
        for (name, so) in FILES {
            if let Some(path) = environment.text(name).filter(|path| !std::path::Path::new(path).is_file()) {
                let path = path.escape_debug();
                let text = format!("{name} names `{path}`, which is not a file: {so}");
                let finding = Finding::new(Topic::Environment, "env-no-file", Level::Warning, text);
                found.push(finding.in_variables(&[name]));
            }
        }
        self.check_endpoints(&mut found);
        let home = self.world.dirs.home();
        if let Some(owner) = owner_unlike_root(home) {
            let text =
                format!("you are root, and HOME belongs to uid {owner}: hatbox creates no files there");
            let finding = Finding::new(Topic::Environment, "foreign-home", Level::Warning, text);
            found.push(finding.in_variables(&["HOME"]).fixed_by(format!("sudo -u '#{owner}' hatbox doctor")));
        }
        let found = found.into_sorted();
        if found.iter().all(|finding| finding.level == Level::Info) {
            self.sum_up(Topic::Environment, "no environment variable overrides a profile");
        }
        self.findings.extend(found);
    }

    /// Checks the STS endpoints, and whether the variables belong to a sandbox that no longer runs.
    fn check_endpoints(&self, found: &mut Findings) {
        let environment = &self.world.environment;
        let sandbox = environment.text(env_names::SANDBOX);
        let named: Vec<_> = ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"]
            .into_iter()
            .filter_map(|name| Some((name, environment.text(name)?)))
            .collect();
        let leftover = [env_names::SANDBOX, "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"];
        let mut add = |id, level, text: String, names: &[&'static str]| {
            found.push(Finding::new(Topic::Environment, id, level, text).in_variables(names));
        };
        if sandbox.is_some() && named.is_empty() {
            let text = "this is the environment of a sandbox, but no endpoint is set: hatbox uses only a \
                        sandbox's keys";
            add("sandbox-leftover", Level::Warning, text.to_owned(), &leftover);
        }
        for (name, url) in named {
            let shown = url.escape_debug();
            match (classify(&url), &sandbox) {
                // The text contains the address.
                (Err(why), _) => add("env-endpoint", Level::Error, format!("{name}: {why}"), &[name]),
                (Ok(Remote::Aws), _) => {}
                (Ok(Remote::Loopback { is_open: false }), _) => {
                    let text = format!("{name} is `{shown}`, where nothing listens: calls to AWS fail");
                    match sandbox {
                        Some(_) => add("sandbox-leftover", Level::Error, text, &leftover),
                        None => add("env-endpoint", Level::Error, text, &[name]),
                    }
                }
                (Ok(Remote::Loopback { .. }), Some(_)) => {
                    let text = "this is the environment of a sandbox: hatbox uses only its keys";
                    add("sandbox", Level::Info, text.to_owned(), &leftover);
                }
                (Ok(_), _) => {
                    let text = format!("{name} is `{shown}`: calls go there instead of to AWS");
                    add("env-endpoint", Level::Warning, text, &[name]);
                }
            }
        }
    }
}
