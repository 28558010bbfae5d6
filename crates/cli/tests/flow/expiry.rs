//! The warning of `exec` that credentials expire while a long-running command needs them.

use crate::fixture::Fixture;
use crate::run::Run;
use crate::terminal::Terminal;

const CONFIG: &str = "\
[profile jan-work]

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
";

fn on_terminal(run: &Run) -> String {
    let mut terminal = Terminal::start_wide(run, 160);
    assert!(terminal.wait().success(), "{}", terminal.screen().join("\n"));
    terminal.screen().join("\n")
}

#[test]
fn a_terminal_shows_how_long_credentials_last_that_terraform_cannot_renew() {
    let fixture = Fixture::with_config(CONFIG);
    let terraform = fixture.write_program("terraform", "echo \"$1\"");
    let exec = |program: &str| fixture.hatbox(&["exec", "reader", "--", program, "apply"]);
    let fresh = on_terminal(&exec("terraform"));
    assert!(!fresh.contains("expire") && fresh.ends_with("apply"), "an hour is enough: {fresh}");
    fixture.advance(2400);
    for program in ["terraform", terraform.to_str().unwrap()] {
        let shown = on_terminal(&exec(program));
        let expected = "hatbox: warning: `terraform` cannot renew its credentials, which expire in 19m";
        assert!(shown.contains(expected) && shown.ends_with("apply"), "{shown}");
    }
    assert!(!on_terminal(&exec("echo")).contains("expire"), "most commands are short");
    let piped = exec("terraform").run().ok();
    assert!(!piped.stderr.contains("expire"), "no one reads it: {}", piped.stderr);
    let renewed = fixture.hatbox(&["exec", "--fresh", "reader", "--", "terraform", "apply"]);
    assert!(!on_terminal(&renewed).contains("expire"), "an hour is enough again");
    assert_eq!(fixture.log().len(), 2);
}
