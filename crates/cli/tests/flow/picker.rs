//! The list of profiles, shown if a command names none.

use crate::fixture::Fixture;
use crate::terminal::Terminal;

const CONFIG: &str = "\
[profile jan-work]

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader

[profile deploy]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/deploy
";
const SHOW: [&str; 5] = ["exec", "--", "sh", "-c", "echo \"it is $HATBOX\""];

#[test]
fn a_profile_is_chosen_by_words_and_arrows_and_stands_first_the_next_time() {
    let fixture = Fixture::with_config(CONFIG);
    let mut terminal = Terminal::start(&fixture.hatbox(&SHOW));
    terminal.wait_for_prompt("Profile (3 of 3):");
    assert_eq!(terminal.screen()[0], "> jan-work");
    assert_eq!(terminal.screen()[1], "  reader    444455556666  reader");
    terminal.type_keys("deploy 4444");
    terminal.wait_for_prompt("Profile (1 of 3): deploy 4444");
    assert_eq!(terminal.screen()[0], "> deploy  444455556666  deploy");
    terminal.type_keys("\r");
    assert_eq!(terminal.wait().code(), Some(0));
    let screen = terminal.screen();
    assert_eq!(screen[0], "hatbox: next time: hatbox exec deploy -- COMMAND");
    assert_eq!(screen.last().unwrap(), "it is deploy", "{screen:?}");
    assert!(terminal.has_modes_of_before());

    let mut terminal = Terminal::start(&fixture.hatbox(&SHOW));
    terminal.wait_for_prompt("Profile (3 of 3):");
    assert_eq!(terminal.screen()[0], "> deploy    444455556666  deploy");
    terminal.type_keys("\u{1b}[B\u{1b}[B");
    terminal.wait_for("> reader", 1);
    terminal.type_keys("\u{1b}[A\u{1b}OB\r");
    terminal.wait();
    assert_eq!(terminal.screen().last().unwrap(), "it is reader");
}

#[test]
fn explain_shows_the_plan_of_the_profile_that_is_chosen() {
    let fixture = Fixture::with_config(CONFIG);
    let mut terminal = Terminal::start_wide(&fixture.hatbox(&["explain"]), 120);
    terminal.wait_for_prompt("Profile (3 of 3):");
    terminal.type_keys("deploy\r");
    assert_eq!(terminal.wait().code(), Some(0));
    let screen = terminal.screen().join("\n");
    assert!(screen.contains("next time: hatbox explain deploy"), "{screen}");
    assert!(screen.contains("role/deploy") && !screen.contains("role/reader"), "{screen}");
    assert!(fixture.log().is_empty(), "nothing is called");
    let stderr = fixture.hatbox(&["explain"]).run().expect_code(2).stderr;
    assert!(stderr.starts_with("hatbox: error: no profile given"), "{stderr}");
}

#[test]
fn esc_and_control_c_cancel_and_leave_nothing_on_the_screen() {
    let fixture = Fixture::with_config(CONFIG);
    for key in ["\u{1b}", "\u{3}"] {
        let mut terminal = Terminal::start(&fixture.hatbox(&SHOW));
        terminal.wait_for_prompt("Profile (3 of 3):");
        terminal.type_keys(key);
        assert_eq!(terminal.wait().code(), Some(130));
        assert!(!terminal.screen().join("\n").contains("reader"), "{:?}", terminal.screen());
        assert!(terminal.has_modes_of_before());
    }
}

#[test]
fn a_server_without_a_profile_serves_the_one_that_is_chosen() {
    let fixture = Fixture::with_config(CONFIG);
    let mut terminal = Terminal::start_wide(&fixture.hatbox(&["serve"]), 160);
    terminal.wait_for_prompt("Profile (3 of 3):");
    terminal.type_keys("reader\r");
    terminal.wait_for("into a shell; stop with Ctrl-C", 1);
    let shown = terminal.transcript();
    assert!(shown.contains("next time: hatbox serve reader"), "{shown}");
    assert!(shown.contains("/credentials/reader"), "{shown}");
    terminal.type_keys("\u{3}");
    assert_eq!(terminal.wait().code(), Some(0));
    let none = fixture.hatbox(&["serve"]).run().expect_code(2).stderr;
    assert!(none.contains("no profile given"), "{none}");
}

#[test]
fn two_thousand_profiles_fit_a_narrow_and_a_wide_terminal() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    let section = |nth: usize| {
        format!(
            "[profile a-name-that-is-rather-long-{nth}]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/reader\n"
        )
    };
    fixture.write_config(&(0..2000).map(section).collect::<String>());
    for columns in [20, 200] {
        let mut terminal = Terminal::start_wide(&fixture.hatbox(&SHOW).env("NO_COLOR", "1"), columns);
        terminal.wait_for("a-name-that", 12);
        terminal.type_keys("long 1999");
        terminal.wait_for("long 1999", 1);
        assert!(terminal.screen().iter().all(|line| line.chars().count() < columns.into()));
        terminal.type_keys("\r");
        assert_eq!(terminal.wait().code(), Some(0));
        assert!(terminal.transcript().contains("it is a-name-that-is-rather-long-1999"));
        assert!(!terminal.transcript().contains("\u{1b}[3"), "no colours");
    }
}

#[test]
fn without_a_terminal_and_for_sdks_the_error_stays() {
    let fixture = Fixture::with_config(CONFIG);
    let error = "hatbox: error: no profile given";
    assert!(fixture.hatbox(&SHOW).run().expect_code(125).stderr.starts_with(error));
    let elsewhere = Terminal::start_with_streams_elsewhere(&fixture.hatbox(&["export", "--format", "json"]));
    let mut elsewhere = elsewhere;
    assert_eq!(elsewhere.wait().code(), Some(2));
    assert!(!elsewhere.transcript().contains("Profile"), "an SDK keeps stderr to itself");
    for (name, value) in [("TERM", "dumb"), ("CLAUDECODE", "1")] {
        let mut terminal = Terminal::start(&fixture.hatbox(&SHOW).env(name, value));
        assert_eq!(terminal.wait().code(), Some(125), "{name}");
        assert!(terminal.transcript().contains("no profile given"), "{name}");
    }
}
