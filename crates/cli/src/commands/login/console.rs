//! `hatbox login`: opens the console in the browser, or prints the link.

use std::time::Duration;

use hatbox_core::console::link::render_sign_out_link;
use hatbox_core::console::target::{ConsoleTarget, TargetError};
use hatbox_types::duration::render_duration;
use hatbox_types::secret::SecretString;
use hatbox_types::text::printable;
use hatbox_types::text::shell::quote_word;

use crate::args::{GlobalArgs, LoginArgs};
use crate::credentials::console::{ConsoleLink, LinkUrl, obtain_console_link};
use crate::credentials::obtain::ProfileRequest;
use crate::credentials::request::resolve_profile_name;
use crate::errors::{Failure, FailureKind};
use crate::sign_in::browser::{open_browser_of, why_no_browser};
use crate::sign_in::browser_choice::BrowserChoice;
use crate::sign_in::clipboard::{Clipboard, copy_to_clipboard};
use crate::sign_in::one_use_page::{OneUsePage, Onward};
use crate::wait_line::{Company, WaitLine};
use crate::world::World;

/// How long a browser may take to start.
const PATIENCE: Duration = Duration::from_mins(1);
/// A session shorter than this is pointed out.
const SHORT: Duration = Duration::from_mins(15);

pub(super) fn run(world: &World, global: &GlobalArgs, args: &LoginArgs) -> Result<(), Failure> {
    let target = resolve_target(args)?;
    let choice = load_choice(world, args)?;
    let profile = args.profile.as_deref();
    let request = ProfileRequest { world, global, session: &args.credentials, profile };
    // Check for a browser before an MFA code is asked for.
    if let (false, Some(why)) = (args.stdout || args.clipboard, why_no_browser(world, &choice)) {
        // A wrong profile stays wrong with a browser.
        if request.is_named() {
            request.check_without_asking()?;
        }
        return Err(no_browser(args, &format!("no browser can be opened: {why}")));
    }
    let link = obtain_console_link(request, &target)?;
    if args.stdout {
        return Ok(world.output.exact(&format!("{}\n", shown_link(args, &link).expose()))?);
    }
    if args.clipboard {
        return copy(world, args, &link);
    }
    // If the user picked the profile, or a shell of `hatbox exec` determined it, it is known only now.
    let choice = BrowserChoice::load(world, &link.profile)?;
    open(world, args, &choice, &link)?;
    note_what_is_open(world, &link);
    Ok(())
}

fn resolve_target(args: &LoginArgs) -> Result<ConsoleTarget, Failure> {
    let wrong = |flag: &str, text: &str, error: TargetError| {
        Failure::new(FailureKind::Usage, format!("invalid {flag} `{}`: {error}", printable(text)))
    };
    match (&args.service, &args.path) {
        (Some(name), _) => ConsoleTarget::of_service(name).map_err(|error| wrong("--service", name, error)),
        (None, Some(path)) => ConsoleTarget::of_path(path).map_err(|error| wrong("--path", path, error)),
        (None, None) => Ok(ConsoleTarget::home()),
    }
}

/// Loads the browser choice of the profile, if the profile is known already.
fn load_choice(world: &World, args: &LoginArgs) -> Result<BrowserChoice, Failure> {
    let named = args.profile.is_some() || world.environment.text("AWS_PROFILE").is_some();
    if !named || args.stdout || args.clipboard {
        return Ok(BrowserChoice::default());
    }
    BrowserChoice::load(world, &resolve_profile_name(args.profile.as_deref(), &world.environment)?)
}

/// Returns the link to show. Without hatbox's page in between, the link itself has to sign out first.
fn shown_link(args: &LoginArgs, link: &ConsoleLink) -> SecretString {
    let url = match &link.url {
        LinkUrl::Portal(url) => SecretString::new(url.clone()),
        LinkUrl::SignIn(url) => url.clone(),
    };
    if args.auto_logout { render_sign_out_link(&link.sign_in_base, Some(&url)) } else { url }
}

fn copy(world: &World, args: &LoginArgs, link: &ConsoleLink) -> Result<(), Failure> {
    let clipboard = copy_to_clipboard(world, &shown_link(args, link)).map_err(|error| {
        Failure::new(FailureKind::Failed, "could not copy the link")
            .caused_by(&error)
            .hint(format!("print it: hatbox login --stdout{}", render_profile(args)))
    })?;
    let copied = match clipboard {
        Clipboard::Desktop => "copied the link",
        Clipboard::Terminal => "sent the link to the terminal's clipboard (OSC 52)",
    };
    world.output.note(&match &link.url {
        // A portal link does not expire.
        LinkUrl::Portal(_) => copied.to_owned(),
        LinkUrl::SignIn(_) => format!("{copied}: open it in a browser within 15 minutes"),
    });
    // By default, tmux ignores the sequence, and nothing says so.
    if clipboard == Clipboard::Terminal && world.environment.text("TMUX").is_some() {
        world.output.hint("if it did not arrive, let tmux pass it on: tmux set -s set-clipboard on");
    }
    Ok(())
}

fn open(world: &World, args: &LoginArgs, choice: &BrowserChoice, link: &ConsoleLink) -> Result<(), Failure> {
    let next = match (&link.url, args.auto_logout) {
        // A portal link contains no credentials.
        (LinkUrl::Portal(url), false) => {
            let is_open = open_browser_of(world, choice, url);
            return if is_open { Ok(()) } else { Err(no_browser(args, "no browser could be started")) };
        }
        (LinkUrl::Portal(url), true) => SecretString::new(url.clone()),
        (LinkUrl::SignIn(url), _) => url.clone(),
    };
    let sign_out = args.auto_logout.then(|| render_sign_out_link(&link.sign_in_base, None));
    let page = OneUsePage::bind().map_err(|error| Failure::of_error(FailureKind::Failed, &error))?;
    // Security: other processes can see the browser's arguments, so they only contain the address of a page that works
    // once.
    if !open_browser_of(world, choice, &page.url()) {
        return Err(no_browser(args, "no browser could be started"));
    }
    let _line = WaitLine::start(PATIENCE, Company::None, || "waiting for the browser".to_owned());
    page.serve(Onward { link: next, sign_out }, PATIENCE).map_err(|_| {
        let error = format!("the browser did not open the sign-in page within {}", render_duration(PATIENCE));
        no_browser(args, &error)
    })
}

fn no_browser(args: &LoginArgs, error: &str) -> Failure {
    let profile = render_profile(args);
    Failure::new(FailureKind::Failed, error)
        .hint(format!(
            "copy the link, over SSH to the clipboard of your terminal: hatbox login --clipboard{profile}"
        ))
        .hint(format!("or print it: hatbox login --stdout{profile}"))
        .hint("or name a browser with HATBOX_BROWSER")
}

/// Renders the profile of the command line, for a command to paste.
fn render_profile(args: &LoginArgs) -> String {
    args.profile.as_deref().map(|profile| format!(" {}", quote_word(profile))).unwrap_or_default()
}

fn note_what_is_open(world: &World, link: &ConsoleLink) {
    match (&link.url, link.lasts) {
        (LinkUrl::SignIn(_), Some(lasts)) => {
            let short = if lasts < SHORT { " (`--fresh` obtains new credentials)" } else { "" };
            world.output.note(&format!(
                "opened the console with the credentials of `{}`, for {}{short}",
                link.profile,
                render_duration(Duration::from_secs(lasts.as_secs()))
            ));
        }
        (LinkUrl::SignIn(_), None) => {
            world.output.note(&format!("opened the console with the credentials of `{}`", link.profile));
        }
        (LinkUrl::Portal(_), _) => {
            world.output.note(&format!("opened the console of `{}` in the access portal", link.profile));
        }
    }
}
