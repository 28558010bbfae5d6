//! Which browser opens the console of a profile, and with which cookies: a Firefox container, or a Chromium profile.

use std::path::{Path, PathBuf};

use hatbox_core::config::console_keys::{ConsoleKeys, resolve_console_keys};
use hatbox_core::console::container::FirefoxContainer;
use hatbox_types::name::ProfileName;

use crate::errors::Failure;
use crate::files::aws_config::load_config;
use crate::world::World;
use crate::world::settings::ConsoleIsolation;

/// A browser, as set by the profile and the settings.
#[derive(Debug, Clone, Default)]
pub(crate) struct BrowserChoice {
    /// The programs with arguments that the profile names, in the format of `BROWSER`.
    pub(crate) command: Option<String>,
    pub(crate) part: BrowserPart,
}

/// The part of a browser with separate cookies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum BrowserPart {
    /// The browser's default.
    #[default]
    Usual,
    /// A Firefox container.
    Container(FirefoxContainer),
    /// A Chromium-based browser, with this option.
    Chromium(String),
}

impl BrowserChoice {
    /// Resolves the choice for the profile `name`.
    pub(crate) fn load(world: &World, name: &ProfileName) -> Result<Self, Failure> {
        let files = load_config(world)?;
        let keys = resolve_console_keys(&files.config, name).map_err(|error| files.failure_of(&error))?;
        // Security: a browser with a directory that someone else prepared runs their extensions, which can use the session.
        let chosen = [&keys.browser, &keys.container, &keys.chromium_profile, &keys.chromium_data_dir];
        for key in chosen.into_iter().flatten() {
            files.check_command_origin(&key.origin)?;
        }
        let command = keys.browser.as_ref().map(|said| said.value.clone());
        let isolation = world.settings()?.console_isolation;
        Ok(Self { command, part: resolve_part(world, name, &keys, isolation) })
    }
}

/// The keys of the profile take precedence over the setting.
fn resolve_part(
    world: &World,
    name: &ProfileName,
    keys: &ConsoleKeys,
    isolation: ConsoleIsolation,
) -> BrowserPart {
    let text = |said: &Option<_>| {
        said.as_ref().map(|said: &hatbox_core::config::Sourced<String>| said.value.clone())
    };
    let container = |name: String| {
        let (color, icon) = (text(&keys.container_color), text(&keys.container_icon));
        BrowserPart::Container(FirefoxContainer { name, color, icon })
    };
    let data_dir = |path: &Path| BrowserPart::Chromium(format!("--user-data-dir={}", path.display()));
    if let Some(name) = text(&keys.container) {
        container(name)
    } else if let Some(directory) = text(&keys.chromium_data_dir) {
        let below_home = directory.strip_prefix("~/").map(|below| world.dirs.home().join(below));
        data_dir(&below_home.unwrap_or_else(|| PathBuf::from(directory)))
    } else if let Some(profile) = text(&keys.chromium_profile) {
        BrowserPart::Chromium(format!("--profile-directory={profile}"))
    } else {
        match isolation {
            ConsoleIsolation::None => BrowserPart::Usual,
            ConsoleIsolation::FirefoxContainer => container(name.as_str().to_owned()),
            ConsoleIsolation::ChromiumProfile => data_dir(&world.dirs.browser_data(name)),
        }
    }
}
