//! `hatbox login`: which browser opens the link, and copying it to the clipboard.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::console::{CONFIG, fixture, follow};
use crate::fixture::Fixture;
use crate::login_sign_in::{get, page_of};
use crate::run::{Run, finish};
use crate::terminal::Terminal;

#[test]
fn the_clipboards_program_gets_the_link_by_its_input() {
    let fixture = fixture();
    fixture.write_program("xclip", "cat >\"$HOME/copied\"; printf %s \"$*\" >\"$HOME/words\"");
    let run = fixture.hatbox(&["login", "--clipboard", "reader"]).env("DISPLAY", ":0");
    let outcome = run.run().ok();
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("copied the link"), "{}", outcome.stderr);
    let read = |name: &str| std::fs::read_to_string(fixture.path("home").join(name)).unwrap();
    assert_eq!(read("words"), "-selection clipboard");
    follow(&read("copied"));
    let outcome = fixture.hatbox(&["login", "--clipboard", "reader"]).run().expect_code(1);
    assert!(
        outcome.stderr.contains("neither a clipboard program nor a terminal is here"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.ends_with("print it: hatbox login --stdout reader\n"), "{}", outcome.stderr);
    // What opens the access portal does not expire.
    let run = fixture.hatbox(&["login", "--clipboard", "dev"]).env("DISPLAY", ":0");
    let portal = run.without("AWS_ENDPOINT_URL").run().ok();
    assert_eq!(portal.stderr, "hatbox: copied the link\n");
    assert!(read("copied").starts_with("https://corp.awsapps.com/start/#/console?"));
}

#[test]
fn over_ssh_the_link_goes_to_the_clipboard_of_the_terminal() {
    let fixture = fixture();
    let run = fixture.hatbox(&["login", "--clipboard", "reader"]).env("SSH_CONNECTION", "1 2 3 4");
    let mut terminal = Terminal::start_wide(&run, 200);
    assert_eq!(terminal.wait().code(), Some(0), "{:?}", terminal.screen());
    let transcript = terminal.transcript();
    let (_, sequence) = transcript.split_once("\u{1b}]52;c;").unwrap();
    let link = STANDARD.decode(sequence.split('\u{7}').next().unwrap()).unwrap();
    follow(std::str::from_utf8(&link).unwrap());
    assert!(transcript.contains("sent the link to the terminal's clipboard"), "{transcript}");
    assert!(!transcript.contains("SigninToken"), "{transcript}");
    assert!(!transcript.contains("tmux"), "{transcript}");
    // tmux ignores the sequence without this setting.
    let mut terminal = Terminal::start_wide(&run.env("TMUX", "/tmp/tmux,1,0"), 200);
    assert_eq!(terminal.wait().code(), Some(0), "{:?}", terminal.screen());
    assert!(terminal.transcript().contains("tmux set -s set-clipboard on"), "{}", terminal.transcript());
}

/// Signs in with `program` as a browser that writes its arguments down. Returns the arguments.
fn arguments_of(fixture: &Fixture, program: &str, run: &Run) -> Vec<String> {
    let seen = fixture.path("home/arguments");
    let script = format!("printf '%s\\n' \"$@\" >'{0}.new'; mv '{0}.new' '{0}'", seen.display());
    fixture.write_program(program, &script);
    let child = run.spawn();
    let arguments: Vec<String> = page_of(&seen).lines().map(str::to_owned).collect();
    let page = arguments.last().unwrap();
    let page = page.rsplit("url=").next().unwrap().replace("%3A", ":").replace("%2F", "/");
    follow(&get(&page).location());
    finish(child, "login").ok();
    arguments
}

#[test]
fn profile_and_settings_name_the_browser_the_container_and_the_browsers_profile() {
    let fixture = fixture();
    fixture.write_config(&format!(
        "{CONFIG}\n[profile red]\nsource_profile = bare\nrole_arn = arn:aws:iam::444455556666:role/reader\n\
         hatbox_browser = my-firefox\nhatbox_firefox_container = prod & co\n\
         hatbox_firefox_container_color = red\nhatbox_firefox_container_icon = fence\n\
         [profile chrome]\nsource_profile = bare\nrole_arn = arn:aws:iam::444455556666:role/reader\n\
         hatbox_browser = my-chrome --new-window\nhatbox_chromium_profile = Profile 1\n"
    ));
    let [container] = &arguments_of(&fixture, "my-firefox", &fixture.hatbox(&["login", "red"]))[..] else {
        panic!()
    };
    assert!(
        container.starts_with(
            "ext+container:name=prod%20%26%20co&color=red&icon=fence&url=http%3A%2F%2F127.0.0.1"
        ),
        "{container}"
    );
    let arguments = arguments_of(&fixture, "my-chrome", &fixture.hatbox(&["login", "chrome"]));
    assert_eq!(arguments[..3], ["--profile-directory=Profile 1", "--no-first-run", "--new-window"]);
    // hatbox's variable takes precedence over both, and the setting over the general variable.
    let run = fixture.hatbox(&["login", "chrome"]).env("HATBOX_BROWSER", "other");
    assert_eq!(arguments_of(&fixture, "other", &run)[0], "--profile-directory=Profile 1");
    fixture.write_settings("browser = \"third --x\"\nconsole_isolation = \"chromium-profile\"\n");
    let run = fixture.hatbox(&["login", "plain"]).env("BROWSER", "nothing");
    let arguments = arguments_of(&fixture, "third", &run);
    let own = format!("--user-data-dir={}", fixture.path("home/.local/share/hatbox/browser/plain").display());
    assert_eq!(arguments[..3], [own.as_str(), "--no-first-run", "--x"]);
    fixture.write_settings("browser = \"third\"\nconsole_isolation = \"firefox-container\"\n");
    let arguments = arguments_of(&fixture, "third", &fixture.hatbox(&["login", "plain"]));
    assert!(arguments[0].starts_with("ext+container:name=plain&url="), "{arguments:?}");
}

#[test]
fn a_browser_is_taken_only_from_a_file_that_others_cannot_write() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = fixture();
    let role = "source_profile = bare\nrole_arn = arn:aws:iam::444455556666:role/reader\n";
    for (line, text) in [
        ("hatbox_browser = evil", "names a command to run, and"),
        ("hatbox_chromium_data_dir = /tmp/evil", "names a command to run, and"),
        ("hatbox_chromium_profile = evil", "names a command to run, and"),
        ("hatbox_firefox_container = evil", "names a command to run, and"),
        ("hatbox_firefox_container_color = mauve", "expected one of `blue`"),
        ("hatbox_chromium_profile = ../x", "hatbox_chromium_profile"),
    ] {
        fixture.write_config(&format!("{CONFIG}\n[profile x]\n{role}{line}\n"));
        let mode = std::fs::Permissions::from_mode(if line.contains("evil") { 0o666 } else { 0o600 });
        std::fs::set_permissions(fixture.config_path(), mode).unwrap();
        let outcome = fixture.hatbox(&["login", "x"]).run();
        assert!(matches!(outcome.code(), Some(2 | 3)) && outcome.stderr.contains(text), "{}", outcome.stderr);
    }
    assert!(fixture.log().is_empty());
}

#[test]
fn without_a_profile_a_person_chooses_from_the_list() {
    let fixture = fixture();
    let seen = fixture.path("home/page");
    let script = format!("printf %s \"$1\" >'{0}.new'; mv '{0}.new' '{0}'", seen.display());
    fixture.write_program("browser", &script);
    let run = fixture.hatbox(&["login", "--service", "s3"]).env("HATBOX_BROWSER", "browser");
    let mut terminal = Terminal::start_wide(&run, 120);
    terminal.wait_for_prompt("Profile (7 of 7):");
    terminal.type_keys("plain\r");
    let page = follow(&get(&page_of(&seen)).location()).body;
    assert!(page.contains("assumed-role/reader/") && page.contains("<dd id=path>/s3/home<"), "{page}");
    assert_eq!(terminal.wait().code(), Some(0), "{:?}", terminal.screen());
    let screen = terminal.screen().join("\n");
    assert!(screen.contains("next time: hatbox login plain"), "{screen}");
    assert!(screen.contains("opened the console with the credentials of `plain`"), "{screen}");
    // A coding agent gets no list, and Esc closes it.
    let mut terminal = Terminal::start_wide(&run.clone().env("CLAUDECODE", "1"), 120);
    assert_eq!(terminal.wait().code(), Some(2), "{:?}", terminal.screen());
    let mut terminal = Terminal::start_wide(&run, 120);
    terminal.wait_for_prompt("Profile (7 of 7):");
    terminal.type_keys("\u{1b}");
    assert_eq!(terminal.wait().code(), Some(130), "{:?}", terminal.screen());
}
