//! A login session that has expired or does not exist yet: `exec` asks on the terminal, once for all processes.

use hatbox_sandbox::world::LoginState;

use crate::fixture::Fixture;
use crate::login_sign_in::{FILE, JAN, choose, fixture, get, read_file, sign_in};
use crate::run::{Run, finish, wait_until};
use crate::sso::{WAITING, opened_page, with_browser};
use crate::terminal::Terminal;

/// Jan has a login session configured, but is not signed in.
fn signed_out() -> Fixture {
    let fixture = fixture();
    fixture.write_config(&format!(
        "[profile me]\nlogin_session = {JAN}\nregion = eu-west-1\n\
         [profile admin]\nsource_profile = me\nregion = eu-west-1\n\
         role_arn = arn:aws:iam::444455556666:role/admin\n"
    ));
    fixture
}

/// Runs `exec` with a browser on this machine.
fn exec(fixture: &Fixture) -> Run {
    with_browser(fixture, fixture.hatbox(&["exec"]))
}

/// Returns how many pages were opened.
fn pages(fixture: &Fixture) -> usize {
    std::fs::read_to_string(fixture.path("home/pages")).unwrap_or_default().lines().count()
}

/// Lists the calls that exchanged a code or a refresh token.
fn exchanges(fixture: &Fixture) -> usize {
    fixture.log().iter().filter(|call| call.action == "CreateOAuth2Token").count()
}

#[test]
fn twenty_cold_starts_make_one_sign_in() {
    let fixture = signed_out();
    let exec = exec(&fixture);
    let start = |n: usize| exec.clone().args([["me", "admin"][n % 2], "--", "echo", "in"]);
    let mut terminals: Vec<_> = (0..20).map(|n| Terminal::start_wide(&start(n), 200)).collect();
    get(&choose(&opened_page(&fixture), JAN, "allow"));
    for terminal in &mut terminals {
        assert_eq!(terminal.wait().code(), Some(0), "{:?}", terminal.screen());
        assert_eq!(terminal.screen().last().unwrap(), "in");
    }
    assert_eq!((pages(&fixture), exchanges(&fixture)), (1, 1));
    let asked = terminals.iter().filter(|terminal| terminal.transcript().contains(WAITING)).count();
    assert_eq!(asked, 1);
}

#[test]
fn a_session_that_ended_is_signed_in_to_again() {
    let fixture = signed_out();
    sign_in(&fixture);
    fixture.client().set_login_states(LoginState::Revoked).unwrap();
    fixture.advance(20 * 60);
    let before = read_file(&fixture);
    let run = exec(&fixture).args(["me", "--", "printenv", "AWS_ACCESS_KEY_ID"]);
    let mut terminal = Terminal::start_wide(&run, 200);
    get(&choose(&opened_page(&fixture), JAN, "allow"));
    assert_eq!(terminal.wait().code(), Some(0), "{:?}", terminal.screen());
    let after = read_file(&fixture);
    assert_ne!(after["refreshToken"], before["refreshToken"]);
    let screen = terminal.screen();
    assert_eq!(screen.last().unwrap(), after["accessToken"]["accessKeyId"].as_str().unwrap());
    assert!(screen.join("\n").contains(&format!("signed in as {JAN} for profile `me`")), "{screen:?}");
    assert!(terminal.has_modes_of_before());
}

#[test]
fn without_a_browser_here_the_code_of_another_machines_is_pasted() {
    let fixture = signed_out();
    // Users who work over SSH have their browser on another machine.
    let run = fixture.hatbox(&["exec", "me", "--", "echo", "in"]).env("SSH_CONNECTION", "a 1 b 22");
    let mut terminal = Terminal::start_wide(&run, 200);
    terminal.wait_for_prompt("Code:");
    let transcript = terminal.transcript();
    let page = transcript.split_whitespace().find(|word| word.contains("/v1/authorize?")).unwrap();
    let shown = get(&choose(page, JAN, "allow"));
    let code = shown.body.split("<code id=code>").nth(1).unwrap().split('<').next().unwrap();
    terminal.type_keys(&format!("{code}\r"));
    assert_eq!(terminal.wait().code(), Some(0), "{:?}", terminal.screen());
    assert_eq!(terminal.screen().last().unwrap(), "in");
}

#[test]
fn another_identity_a_no_and_ctrl_c_leave_nothing_behind() {
    let fixture = signed_out();
    let exec = exec(&fixture).args(["me", "--", "true"]);
    let root = "arn:aws:iam::111122223333:root";
    for (identity, decision, code, said) in [
        (root, "allow", 125, format!("is for the session of {JAN}, and you signed in as {root}")),
        (JAN, "deny", 130, "the sign-in was denied in the browser".to_owned()),
    ] {
        let opened = pages(&fixture);
        let mut terminal = Terminal::start_wide(&exec, 400);
        wait_until("no page is opened", || pages(&fixture) > opened);
        get(&choose(&opened_page(&fixture), identity, decision));
        assert_eq!(terminal.wait().code(), Some(code), "{:?}", terminal.screen());
        assert!(terminal.screen().join("\n").contains(&said), "{:?}", terminal.screen());
    }
    let mut terminal = Terminal::start_wide(&exec, 200);
    terminal.wait_for_prompt(WAITING);
    // Processes that wait for the sign-in fail with it.
    let mut waiter = Terminal::start_wide(&fixture.hatbox(&["exec", "admin", "--", "true"]), 200);
    waiter.wait_for("waiting for the login session of `me`", 1);
    terminal.type_keys("\x03");
    for terminal in [&mut terminal, &mut waiter] {
        assert_eq!(terminal.wait().code(), Some(130), "{:?}", terminal.screen());
        assert!(
            terminal.screen().join("\n").contains("the sign-in was cancelled"),
            "{:?}",
            terminal.screen()
        );
        assert!(terminal.has_modes_of_before());
    }
    assert!(!fixture.path(FILE).exists());
    // If the user cannot be asked, no browser is opened.
    let opened = pages(&fixture);
    let alone = finish(exec.spawn(), "exec").expect_code(125);
    assert!(alone.stderr.contains("hint: sign in: hatbox login --session me\n"), "{}", alone.stderr);
    assert_eq!(pages(&fixture), opened);
}

#[test]
fn a_sign_in_is_taken_over_with_enter() {
    let fixture = signed_out();
    let exec = exec(&fixture);
    let mut left = Terminal::start_wide(&exec.clone().args(["me", "--", "echo", "in"]), 200);
    left.wait_for_prompt(WAITING);
    let first = opened_page(&fixture);
    let mut right = Terminal::start_wide(&exec.clone().args(["admin", "--", "echo", "in"]), 200);
    right.take_over();
    right.wait_for_prompt(WAITING);
    left.wait_for("answered on another terminal", 1);
    wait_until("no second page is opened", || pages(&fixture) == 2);
    let second = opened_page(&fixture);
    assert_ne!(first, second);
    get(&choose(&second, JAN, "allow"));
    for terminal in [&mut right, &mut left] {
        assert_eq!(terminal.wait().code(), Some(0), "{:?}", terminal.screen());
        assert_eq!(terminal.screen().last().unwrap(), "in");
    }
    assert_eq!(exchanges(&fixture), 1);
}
