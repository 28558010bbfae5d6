//! The browser: which program opens it, and whether it can redirect to this process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hatbox_core::config::endpoint::parse_endpoint;
use hatbox_core::handover::is_store_secret;

use super::browser_choice::{BrowserChoice, BrowserPart};
use crate::env_names;
use crate::files::programs::find_program;
use crate::world::World;
use crate::world::environment::with_absolute_path;

/// Why a sign-in uses a device code instead of a redirect of the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRedirect {
    /// `sso_use_device_code` in the config.
    Asked,
    /// An SSH session: the browser is on another machine.
    Ssh,
    /// A container, whose loopback address the browser cannot reach.
    Container,
    /// The Windows Subsystem for Linux, where the browser runs in Windows.
    Wsl,
    /// No graphical session, and no `BROWSER`.
    NoDesktop,
    /// No `sso_session`: the AWS CLI uses only device codes for such profiles.
    NoSession,
}

impl NoRedirect {
    /// The text after `using a device code: `.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Asked => "as `sso_use_device_code` says",
            Self::Ssh => {
                "this is an SSH session (`--pkce --redirect-port N` works with `ssh -L N:127.0.0.1:N`)"
            }
            Self::Container => "a browser cannot reach this container",
            Self::Wsl => "this is WSL, and the browser is on the Windows side",
            Self::NoDesktop => "there is no desktop session here",
            Self::NoSession => "the profile has no `sso_session` (`--pkce` tries the redirect all the same)",
        }
    }
}

/// What is known about the environment of this process.
#[expect(clippy::struct_excessive_bools, reason = "each is seen by itself, and all together decide")]
#[derive(Debug, Clone, Copy, Default)]
struct Surroundings {
    is_ssh: bool,
    is_container: bool,
    is_wsl: bool,
    has_desktop: bool,
    is_browser_named: bool,
}

/// Why a redirect cannot work here; `None` if it can.
pub(crate) fn find_obstacle(world: &World) -> Option<NoRedirect> {
    let has = |name: &str| world.environment.text(name).is_some();
    obstacle(Surroundings {
        is_ssh: has("SSH_CONNECTION") || has("SSH_TTY") || has("SSH_CLIENT"),
        is_container: cfg!(target_os = "linux")
            && (has("container")
                || ["/.dockerenv", "/run/.containerenv"].iter().any(|file| PathBuf::from(file).exists())),
        is_wsl: has("WSL_DISTRO_NAME") || has("WSL_INTEROP"),
        has_desktop: cfg!(any(windows, target_os = "macos")) || world.environment.has_desktop(),
        is_browser_named: named(world).is_some(),
    })
}

fn obstacle(seen: Surroundings) -> Option<NoRedirect> {
    match seen {
        // A user who names a browser wants it to be used.
        Surroundings { is_browser_named: true, .. } => None,
        Surroundings { is_ssh: true, .. } => Some(NoRedirect::Ssh),
        Surroundings { is_wsl: true, .. } => Some(NoRedirect::Wsl),
        Surroundings { is_container: true, .. } => Some(NoRedirect::Container),
        Surroundings { has_desktop: false, .. } => Some(NoRedirect::NoDesktop),
        _ => None,
    }
}

/// Returns the browser for all purposes: hatbox's variable, the setting, or the common variable.
fn named(world: &World) -> Option<String> {
    let (ours, all) = env_names::BROWSER;
    let setting = || world.settings().ok().and_then(|settings| settings.browser.clone());
    world.environment.text(ours).or_else(setting).or_else(|| all.and_then(|all| world.environment.text(all)))
}

/// Returns the browser for the console of a profile, which may name its own.
fn named_for(world: &World, choice: &BrowserChoice) -> Option<String> {
    let (ours, _) = env_names::BROWSER;
    world.environment.text(ours).or_else(|| choice.command.clone()).or_else(|| named(world))
}

/// Why a page is not shown to the user, who would trust it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the service returned a page that is not an https:// URL")]
pub(crate) struct PageError;

/// Checks whether a page that a service names may be opened: https, or http on this machine.
pub(crate) fn check_page(page: &str) -> Result<(), PageError> {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '`');
    let without_query = page.split(['?', '#']).next().unwrap_or_default();
    match parse_endpoint(without_query) {
        Ok(parts)
            if page.len() <= 2048
                && page.chars().all(is_plain)
                && (parts.is_https || parts.is_loopback()) =>
        {
            Ok(())
        }
        _ => Err(PageError),
    }
}

/// Why no browser can be started on this machine; `None` if one may be.
pub(crate) fn why_no_browser(world: &World, choice: &BrowserChoice) -> Option<&'static str> {
    if named_for(world, choice).is_some() {
        return None;
    }
    match find_obstacle(world)? {
        NoRedirect::Ssh => Some("this is an SSH session"),
        NoRedirect::Container => Some("this is a container"),
        NoRedirect::NoDesktop => Some("there is no desktop session here"),
        NoRedirect::Asked | NoRedirect::Wsl | NoRedirect::NoSession => None,
    }
}

/// Opens `url`, and returns whether a program was started for it, without waiting for that program. Starts nothing if a
/// browser would open on another machine, if there is none, or if the user does not want it.
///
/// Tries `HATBOX_BROWSER`, the setting `browser`, and `BROWSER`: programs with arguments, separated by `:` on Unix, of
/// which the first existing one is used. `%s` stands for the URL, which otherwise comes last. No shell is involved.
/// Otherwise uses the desktop's opener.
pub(crate) fn open_browser(world: &World, url: &str) -> bool {
    if world.is_browser_left_alone() {
        return false;
    }
    let own = match (named(world), find_obstacle(world)) {
        (Some(named), _) => command_lines(&named, url),
        (None, Some(NoRedirect::Ssh | NoRedirect::Container | NoRedirect::NoDesktop)) => return false,
        (None, _) => openers(url),
    };
    own.into_iter().any(|line| start(world, &line))
}

/// Opens `url` like [`open_browser`], but in the browser, container or profile that a profile chose.
pub(crate) fn open_browser_of(world: &World, choice: &BrowserChoice, url: &str) -> bool {
    let (named, obstacle) = (named_for(world, choice), find_obstacle(world));
    if named.is_none()
        && matches!(obstacle, Some(NoRedirect::Ssh | NoRedirect::Container | NoRedirect::NoDesktop))
    {
        return false;
    }
    lines_for(&choice.part, named.as_deref(), url).into_iter().any(|line| start(world, &line))
}

/// Returns the command lines to try.
fn lines_for(part: &BrowserPart, named: Option<&str>, url: &str) -> Vec<Vec<String>> {
    match (part, named) {
        (BrowserPart::Usual, Some(named)) => command_lines(named, url),
        (BrowserPart::Usual, None) => openers(url),
        // A Firefox extension handles this URL. Other browsers do not know its scheme.
        (BrowserPart::Container(container), Some(named)) => command_lines(named, &container.render_url(url)),
        (BrowserPart::Container(container), None) => programs_with(FIREFOX, &[&container.render_url(url)]),
        (BrowserPart::Chromium(option), Some(named)) => {
            let mut lines = command_lines(named, url);
            for line in &mut lines {
                line.splice(1..1, [option.clone(), NO_FIRST_RUN.to_owned()]);
            }
            lines
        }
        (BrowserPart::Chromium(option), None) => programs_with(CHROMIUM, &[option, NO_FIRST_RUN, url]),
    }
}

/// Skips the questions of a new browser profile.
const NO_FIRST_RUN: &str = "--no-first-run";
const FIREFOX: &[&[&str]] =
    if cfg!(target_os = "macos") { &[&["open", "-a", "Firefox"]] } else { &[&["firefox"], &["firefox-esr"]] };
const CHROMIUM: &[&[&str]] = if cfg!(target_os = "macos") {
    &[&["open", "-na", "Google Chrome", "--args"], &["open", "-na", "Chromium", "--args"]]
} else {
    &[
        &["google-chrome"],
        &["google-chrome-stable"],
        &["chromium"],
        &["chromium-browser"],
        &["microsoft-edge"],
        &["brave-browser"],
    ]
};

fn programs_with(programs: &[&[&str]], arguments: &[&str]) -> Vec<Vec<String>> {
    let line = |words: &&[&str]| words.iter().chain(arguments).map(|word| (*word).to_owned()).collect();
    programs.iter().map(line).collect()
}

/// Splits the programs with their arguments, in the format of `BROWSER`.
fn command_lines(named: &str, url: &str) -> Vec<Vec<String>> {
    let separator = if cfg!(windows) { ';' } else { ':' };
    // Only a Windows path has a colon after a single letter.
    named
        .split(separator)
        .map(|line| {
            let mut words: Vec<String> =
                line.split_whitespace().map(|word| word.replace("%s", url)).collect();
            if !words.is_empty() && !line.contains("%s") {
                words.push(url.to_owned());
            }
            words
        })
        .filter(|words| !words.is_empty())
        .collect()
}

fn openers(url: &str) -> Vec<Vec<String>> {
    let lines: &[&[&str]] = if cfg!(target_os = "macos") {
        &[&["open"]]
    } else if cfg!(windows) {
        &[&["rundll32", "url.dll,FileProtocolHandler"]]
    } else {
        &[&["xdg-open"], &["wslview"], &["gio", "open"]]
    };
    lines.iter().map(|words| words.iter().copied().chain([url]).map(str::to_owned).collect()).collect()
}

fn start(world: &World, words: &[String]) -> bool {
    let Some((program, arguments)) = words.split_first() else { return false };
    // Security: looked up only in absolute directories of PATH, like every program that hatbox runs.
    let Some(path) = find_program(world, program) else { return false };
    let variables = world.environment.variables().iter();
    let kept = variables.filter(|(name, _)| !name.to_str().is_some_and(is_store_secret)).cloned();
    let mut command = detached(&path);
    command
        .args(arguments)
        .env_clear()
        .envs(kept.map(with_absolute_path).collect::<Vec<(OsString, OsString)>>())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // On Unix, this is a shell that ends once the program runs.
    match command.spawn() {
        Ok(mut child) => !cfg!(unix) || child.wait().is_ok_and(|status| status.success()),
        Err(_) => false,
    }
}

/// Makes the program no child of this process: the command that hatbox becomes must not have unknown children, and
/// Ctrl-C on the terminal must not reach the browser.
#[cfg(unix)]
fn detached(program: &Path) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "\"$0\" \"$@\" &"]).arg(program).process_group(0);
    command
}

#[cfg(not(unix))]
fn detached(program: &Path) -> Command {
    Command::new(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_tried_only_where_it_can_come_back() {
        let desktop = Surroundings { has_desktop: true, ..Surroundings::default() };
        for (seen, found) in [
            (desktop, None),
            (Surroundings::default(), Some(NoRedirect::NoDesktop)),
            (Surroundings { is_ssh: true, ..desktop }, Some(NoRedirect::Ssh)),
            (Surroundings { is_wsl: true, ..desktop }, Some(NoRedirect::Wsl)),
            (Surroundings { is_container: true, ..desktop }, Some(NoRedirect::Container)),
            (Surroundings { is_ssh: true, is_browser_named: true, ..Surroundings::default() }, None),
        ] {
            assert_eq!(obstacle(seen), found, "{seen:?}");
        }
    }

    #[test]
    fn only_pages_of_the_web_are_opened() {
        for page in
            ["https://device.sso.eu-west-1.amazonaws.com/?user_code=AB-CD", "http://127.0.0.1:80/device"]
        {
            assert_eq!(check_page(page), Ok(()), "{page}");
        }
        for page in [
            "",
            "file:///etc/passwd",
            "http://example.com/",
            "javascript:alert(1)",
            "--help",
            "https://a b/",
            "https://x/\u{1b}]0;",
            "https://user@x/",
            "https://x/?a=`b`",
        ] {
            assert_eq!(check_page(page), Err(PageError), "{page}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_browser_may_be_several_programs_with_arguments() {
        assert_eq!(
            command_lines("firefox --new-window %s::w3m", "https://x/?a=b"),
            [vec!["firefox", "--new-window", "https://x/?a=b"], vec!["w3m", "https://x/?a=b"]]
        );
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn a_container_or_a_profile_is_an_argument_of_its_browser() {
        use hatbox_core::console::container::FirefoxContainer;
        let container = BrowserPart::Container(FirefoxContainer {
            name: "prod".to_owned(),
            color: Some("red".to_owned()),
            icon: None,
        });
        let address = "ext+container:name=prod&color=red&url=http%3A%2F%2F127.0.0.1%3A1%2Fx";
        let lines = |part: &BrowserPart, named| lines_for(part, named, "http://127.0.0.1:1/x");
        assert_eq!(lines(&container, None), [["firefox", address], ["firefox-esr", address]]);
        assert_eq!(lines(&container, Some("librewolf")), [["librewolf", address]]);
        let profile = BrowserPart::Chromium("--profile-directory=Profile 1".to_owned());
        let url = "http://127.0.0.1:1/x";
        let own = ["--profile-directory=Profile 1", NO_FIRST_RUN];
        assert_eq!(lines(&profile, None)[2], ["chromium", own[0], own[1], url]);
        assert_eq!(
            lines(&profile, Some("brave --new-window %s")),
            [["brave", own[0], own[1], "--new-window", url]]
        );
        assert_eq!(lines(&BrowserPart::Usual, Some("w3m")), [["w3m", url]]);
    }
}
