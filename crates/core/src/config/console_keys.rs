//! The keys of a profile for `hatbox login`: which browser opens the console, and with which cookies.
//!
//! Only that command reads them, so they are not in [`Profile`](super::profile::Profile), which every `exec` resolves.

use super::checked::{parse_plain, parse_with};
use super::error::ConfigError;
use super::files::Config;
use super::layers::collect_layers;
use super::origin::Sourced;
use super::value::ValueError;
use hatbox_types::name::{NameError, ProfileName};

/// The colours of Firefox containers.
pub const COLORS: [&str; 8] = ["blue", "turquoise", "green", "yellow", "orange", "red", "pink", "purple"];
/// The icons of Firefox containers.
pub const ICONS: [&str; 13] = [
    "fingerprint",
    "briefcase",
    "dollar",
    "cart",
    "circle",
    "gift",
    "vacation",
    "food",
    "fruit",
    "pet",
    "tree",
    "chill",
    "fence",
];

/// The console settings of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsoleKeys {
    /// `hatbox_browser`: a program with arguments, in the format of `BROWSER`.
    pub browser: Option<Sourced<String>>,
    /// `hatbox_firefox_container`: the name of a container.
    pub container: Option<Sourced<String>>,
    /// `hatbox_firefox_container_color`, one of [`COLORS`].
    pub container_color: Option<Sourced<String>>,
    /// `hatbox_firefox_container_icon`, one of [`ICONS`].
    pub container_icon: Option<Sourced<String>>,
    /// `hatbox_chromium_profile`: the directory of a browser profile, below the browser's data directory: `Profile 1`.
    pub chromium_profile: Option<Sourced<String>>,
    /// `hatbox_chromium_data_dir`: a separate data directory, absolute or below the home directory.
    pub chromium_data_dir: Option<Sourced<String>>,
    /// `hatbox_console_policy_arn`: the session policy for a user without a role.
    pub policy_arn: Option<Sourced<String>>,
}

/// Reads the keys of the profile `name`, which may have no section.
///
/// # Errors
/// If a line of the profile is invalid, or a value is invalid for its key.
pub fn resolve_console_keys(config: &Config, name: &ProfileName) -> Result<ConsoleKeys, ConfigError> {
    let layers = collect_layers(config, name)?;
    let find = |key| layers.find(key);
    let plain = |key| parse_with(key, find(key), parse_plain);
    Ok(ConsoleKeys {
        browser: plain("hatbox_browser")?,
        container: plain("hatbox_firefox_container")?,
        container_color: parse_with(
            "hatbox_firefox_container_color",
            find("hatbox_firefox_container_color"),
            parse_color,
        )?,
        container_icon: parse_with(
            "hatbox_firefox_container_icon",
            find("hatbox_firefox_container_icon"),
            parse_icon,
        )?,
        chromium_profile: parse_with(
            "hatbox_chromium_profile",
            find("hatbox_chromium_profile"),
            parse_directory_name,
        )?,
        chromium_data_dir: parse_with(
            "hatbox_chromium_data_dir",
            find("hatbox_chromium_data_dir"),
            parse_directory,
        )?,
        policy_arn: plain("hatbox_console_policy_arn")?,
    })
}

fn parse_color(text: &str) -> Result<String, ValueError> {
    let error = "`blue`, `turquoise`, `green`, `yellow`, `orange`, `red`, `pink`, `purple`";
    if COLORS.contains(&text) { Ok(text.to_owned()) } else { Err(ValueError::Choice(error)) }
}

fn parse_icon(text: &str) -> Result<String, ValueError> {
    let error = "`fingerprint`, `briefcase`, `dollar`, `cart`, `circle`, `gift`, `vacation`, `food`, `fruit`, `pet`, \
                 `tree`, `chill`, `fence`";
    if ICONS.contains(&text) { Ok(text.to_owned()) } else { Err(ValueError::Choice(error)) }
}

/// Parses the name of a single directory, without path separators.
fn parse_directory_name(text: &str) -> Result<String, ValueError> {
    let plain = parse_plain(text)?;
    match plain.chars().find(|c| matches!(c, '/' | '\\')) {
        Some(bad) => Err(NameError::Character(bad).into()),
        None if plain == "." || plain == ".." => Err(NameError::Character('.').into()),
        None => Ok(plain),
    }
}

/// Parses a directory that does not depend on the working directory.
fn parse_directory(text: &str) -> Result<String, ValueError> {
    let plain = parse_plain(text)?;
    let is_absolute = plain.starts_with('/') || plain.get(1..3) == Some(":\\");
    let error = "an absolute path, a path that begins with `~/`";
    if is_absolute || plain.starts_with("~/") { Ok(plain) } else { Err(ValueError::Choice(error)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::known_keys::OWN;

    fn keys(lines: &str) -> Result<ConsoleKeys, ConfigError> {
        let config = Config::parse(format!("[profile a]\n{lines}\n"), "").unwrap();
        resolve_console_keys(&config, &ProfileName::parse("a").unwrap())
    }

    #[test]
    fn each_key_is_read_checked_and_known() {
        let found = keys(
            "hatbox_browser = firefox --new-window\nhatbox_firefox_container = prod\n\
             hatbox_firefox_container_color = red\nhatbox_firefox_container_icon = fence\n\
             hatbox_chromium_profile = Profile 1\nhatbox_chromium_data_dir = ~/.prod\n\
             hatbox_console_policy_arn = arn:aws:iam::aws:policy/ReadOnlyAccess",
        )
        .unwrap();
        let text = |said: &Option<Sourced<String>>| said.as_ref().map(|said| said.value.clone()).unwrap();
        assert_eq!(text(&found.browser), "firefox --new-window");
        assert_eq!(
            (text(&found.container), text(&found.container_color)),
            ("prod".to_owned(), "red".to_owned())
        );
        assert_eq!(
            (text(&found.container_icon), text(&found.chromium_profile)),
            ("fence".to_owned(), "Profile 1".to_owned())
        );
        assert_eq!(text(&found.chromium_data_dir), "~/.prod");
        assert_eq!(text(&found.policy_arn), "arn:aws:iam::aws:policy/ReadOnlyAccess");
        for bad in [
            "hatbox_firefox_container_color = mauve",
            "hatbox_firefox_container_icon = hat",
            "hatbox_chromium_profile = ../other",
            "hatbox_chromium_profile = ..",
            "hatbox_chromium_data_dir = relative",
        ] {
            assert!(keys(bad).is_err(), "{bad}");
        }
        for key in [
            "hatbox_browser",
            "hatbox_firefox_container",
            "hatbox_firefox_container_color",
            "hatbox_firefox_container_icon",
            "hatbox_chromium_profile",
            "hatbox_chromium_data_dir",
            "hatbox_console_policy_arn",
        ] {
            assert!(OWN.contains(&key), "{key}");
        }
        assert_eq!(keys("").unwrap(), ConsoleKeys::default());
    }
}
