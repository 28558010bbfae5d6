//! What a coding agent gets from each command: a read-only session or a refusal, and the reason in both cases.

use std::io::{BufRead, BufReader};

use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::Fixture;
use crate::guard::{SSO, is_read_only, roles_assumed, with_guard};
use crate::hat::{start, variables};
use crate::run::finish;
use crate::served::Served;
use crate::shells::Shell;
use crate::terminal::Terminal;

/// Each command that hands over credentials, with its exit code if that is refused.
const EXITS: [(&[&str], &[&str], i32); 7] = [
    (&["exec"], &["--", "true"], 125),
    (&["exec", "--server"], &["--", "true"], 125),
    (&["each"], &["--", "true"], 125),
    (&["export"], &[], 3),
    (&["hat"], &[], 3),
    (&["login", "--stdout"], &[], 3),
    (&["serve"], &[], 3),
];

#[test]
fn an_agent_gets_a_read_only_session_at_each_exit_and_is_given_the_reason() {
    let fixture = with_guard("hatbox_read_only_for_agents = true");
    let said = "`prod` is read-only for coding agents, and OPENCODE is set: the session is restricted to AWS's ReadOnlyAccess policy";
    for (verb, rest, _) in EXITS.into_iter().filter(|(verb, ..)| *verb != ["serve"]) {
        let run = fixture.hatbox(verb).args(["--fresh", "prod"]).args(rest).env("OPENCODE", "1").run().ok();
        assert!(run.stderr.contains(said), "{verb:?}: {}", run.stderr);
    }
    let mut server = fixture.hatbox(&["serve", "--fresh", "prod"]).env("OPENCODE", "1").spawn();
    let mut stdout = BufReader::new(server.stdout.take().unwrap());
    let mut line = String::new();
    assert!(stdout.read_line(&mut line).unwrap() > 0, "it serves");
    server.stdout = Some(stdout.into_inner());
    kill_process(Pid::from_child(&server), Signal::INT).unwrap();
    let ended = finish(server, "serve");
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    // No other session was obtained.
    let calls = roles_assumed(&fixture);
    assert!(!calls.is_empty() && calls.iter().all(is_read_only), "{calls:?}");
}

/// A renewal is for the same agent.
#[test]
fn a_server_stays_read_only_when_it_renews() {
    let fixture = with_guard("hatbox_read_only_for_agents = true");
    let served = Served::start_with(&fixture, &["prod"], |run| run.env("AGENT", "amp"));
    let first = served.address.key_id();
    served.move_clock(&fixture, 50 * 60 + 5);
    crate::run::wait_until("a renewal", || served.address.key_id() != first);
    served.end();
    let calls = roles_assumed(&fixture);
    assert!(calls.len() == 2 && calls.iter().all(is_read_only), "{calls:?}");
}

#[test]
fn each_exit_refuses_an_agent_what_cannot_be_restricted() {
    let fixture = Fixture::with_config(&format!("[profile sso]\n{SSO}hatbox_read_only_for_agents = true\n"));
    for (verb, rest, code) in EXITS {
        let run = fixture.hatbox(verb).args(["sso"]).args(rest).env("CLINE", "1").run().expect_code(code);
        let said =
            "profile `sso` is read-only for coding agents (CLINE is set), and its credentials come from";
        assert!(run.stderr.contains(said), "{verb:?}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{verb:?}");
    }
    assert!(fixture.log().is_empty(), "nothing was called");
}

#[test]
fn no_exit_lets_an_agent_confirm_even_on_a_terminal() {
    let fixture = with_guard("hatbox_confirm = true");
    for (verb, rest, code) in EXITS.into_iter().filter(|(verb, ..)| *verb != ["hat"]) {
        let run = fixture.hatbox(verb).args(["prod"]).args(rest).env("GEMINI_CLI", "1");
        let mut terminal = Terminal::start_wide(&run, 200);
        assert_eq!(terminal.wait().code(), Some(code), "{verb:?}");
        let screen = terminal.screen().join("\n");
        let said = "requires confirmation by a person, and a coding agent runs this command";
        assert!(screen.contains(said) && screen.contains("GEMINI_CLI is set"), "{verb:?}: {screen}");
    }
    assert!(fixture.log().is_empty(), "nothing was called");
}

#[test]
fn hat_in_the_shell_of_an_agent_is_read_only_and_opens_no_list() {
    let fixture = with_guard("hatbox_read_only_for_agents = true");
    for shell in Shell::ALL.into_iter().filter(|shell| shell.is_here()) {
        let session = start(shell, &fixture);
        session.type_line(match shell {
            Shell::Bash | Shell::Zsh => "unset AWS_PROFILE; export CLAUDECODE=1",
            Shell::Fish => "set -e AWS_PROFILE; set -gx CLAUDECODE 1",
        });
        session.type_line("hat");
        session.terminal.wait_for("no profile given", 1);
        session.type_line("hat --fresh prod");
        session.terminal.wait_for("`prod` is read-only for coding agents, and CLAUDECODE is set", 1);
        assert_eq!(variables(&session, &fixture)["HATBOX"], "prod", "{shell:?}");
        assert!(is_read_only(roles_assumed(&fixture).last().unwrap()), "{shell:?}");
    }
}
