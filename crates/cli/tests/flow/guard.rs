//! Guards of a profile: denied commands, typed confirmation, and read-only sessions for coding agents, in every
//! command.

use std::path::Path;
use std::process::ExitStatus;

use hatbox_sandbox::log::LogEntry;
use serde_json::Value;

use crate::fixture::Fixture;
use crate::login_sign_in;
use crate::run::Run;
use crate::terminal::Terminal;

const ROLE: &str = "source_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/reader\n";
const READER: &str = "arn:aws:iam::444455556666:role/reader";
const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
pub(crate) const SSO: &str = "\
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-central-1
sso_account_id = 444455556666
sso_role_name = Developer
";

/// A fixture with jan's key and a profile `prod` that has a role and these lines.
pub(crate) fn with_guard(lines: &str) -> Fixture {
    Fixture::with_config(&format!("[profile jan-work]\n[profile prod]\n{ROLE}{lines}\n"))
}

pub(crate) fn roles_assumed(fixture: &Fixture) -> Vec<LogEntry> {
    fixture.log().into_iter().filter(|entry| entry.action == "AssumeRole").collect()
}

pub(crate) fn is_read_only(call: &LogEntry) -> bool {
    call.parameters.get("PolicyArns.member.1.arn").is_some_and(|arn| arn == READ_ONLY)
}

#[test]
fn a_denied_command_is_refused_before_anything_is_asked_or_sent() {
    let fixture = with_guard("hatbox_deny_commands = echo destroy, printf delete-*");
    let exec = |words: &[&str]| fixture.hatbox(&["exec", "prod", "--"]).args(words).run();
    for words in
        [&["echo", "-chdir=x", "destroy", "-f"][..], &["/bin/echo", "destroy"], &["printf", "delete-x"]]
    {
        let refused = exec(words).expect_code(125);
        assert!(
            refused.stderr.contains("error: `hatbox_deny_commands` of profile `prod` denies this command: `"),
            "{}",
            refused.stderr
        );
        assert!(refused.stderr.contains("--> ~/.aws/config:5"), "{}", refused.stderr);
        assert!(!refused.stderr.contains("chdir"), "no argument is shown: {}", refused.stderr);
    }
    assert_eq!(roles_assumed(&fixture).len(), 0);
    exec(&["echo", "plan"]).ok();
    // Only what the pattern names is denied: guards prevent mistakes, not attacks.
    exec(&["sh", "-c", "echo destroy"]).ok();
    fixture.hatbox(&["export", "prod"]).run().ok();
}

#[test]
fn a_guard_with_a_slip_in_its_name_or_value_is_an_error() {
    for (lines, said) in [
        ("hatbox_confrim = true", "unknown key `hatbox_confrim`"),
        ("HATBOX_CONFIRM = yes", "invalid `hatbox_confirm` `yes`"),
        ("hatbox_confirm =", "`hatbox_confirm` is set to an empty value"),
        ("hatbox_deny_commands = a,,b", "expected patterns separated by commas"),
        ("hatbox_read_only_role_arn = reader", "`hatbox_read_only_role_arn`"),
        ("hatbox-confirm = true", "unknown key `hatbox-confirm`"),
        ("hatboxconfirm = true", "unknown key `hatboxconfirm`"),
        ("hatbox_deny_commands = \"echo\"", "expected patterns without quotes"),
        ("hatbox_deny_commands = /bin/echo", "without its directory"),
        ("s3 =\n  hatbox_confirm = true", "`hatbox_confirm` is indented, and so belongs to `s3`"),
    ] {
        let fixture = with_guard(lines);
        let refused = fixture.hatbox(&["export", "prod"]).run().expect_code(2);
        assert!(refused.stderr.contains(said), "{lines}: {}", refused.stderr);
        let place = format!("~/.aws/config:{}", 4 + lines.lines().count());
        assert!(refused.stderr.contains(&place), "{lines}: {}", refused.stderr);
    }
    // A key that is no guard is no slip beside one.
    let fixture = with_guard("hatbox_tags = team-a\nhatbox_read_only_for_agents = true");
    fixture.hatbox(&["export", "prod"]).run().ok();
}

const QUESTION: &str = "Type `yes` to run `true` with the credentials of `prod`: ";

fn answer(run: &Run, question: &str, keys: &str) -> (ExitStatus, String) {
    let mut terminal = Terminal::start_wide(run, 120);
    terminal.wait_for_prompt(question);
    terminal.type_keys(keys);
    let status = terminal.wait();
    (status, terminal.screen().join("\n"))
}

#[test]
fn a_person_types_yes_on_the_terminal_and_nothing_less_will_do() {
    let fixture = with_guard("hatbox_confirm = true");
    let exec = fixture.hatbox(&["exec", "prod", "--", "true"]);
    for (keys, code, said) in [
        ("yes\r", 0, ""),
        ("y\r", 125, "profile `prod` requires confirmation, and the answer was not `yes`"),
        ("\r", 125, "and the answer was not `yes`"),
        ("\x03", 130, "cancelled"),
    ] {
        let (status, screen) = answer(&exec, QUESTION, keys);
        assert_eq!(status.code(), Some(code), "{keys:?}: {screen}");
        assert!(screen.contains(said), "{keys:?}: {screen}");
    }
    assert_eq!(roles_assumed(&fixture).len(), 1);
    let export = fixture.hatbox(&["export", "--format", "json", "prod"]);
    let (status, screen) = answer(&export, "Type `yes` to print the credentials of `prod`: ", "no\r");
    assert_eq!(status.code(), Some(3), "{screen}");
}

#[test]
fn without_a_terminal_or_in_an_agent_no_one_can_say_yes() {
    let fixture = with_guard("include_profile = careful\n[profile careful]\nhatbox_confirm = true");
    let refused = fixture.hatbox(&["export", "prod"]).run().expect_code(3);
    assert!(
        refused.stderr.contains("profile `prod` requires confirmation, and there is no terminal to ask on"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("--> ~/.aws/config:7"), "{}", refused.stderr);
    fixture.hatbox(&["exec", "prod", "--", "true"]).run().expect_code(125);
    // An agent may have a terminal.
    let mut terminal =
        Terminal::start_wide(&fixture.hatbox(&["exec", "prod", "--", "true"]).env("CLAUDECODE", "1"), 120);
    assert_eq!(terminal.wait().code(), Some(125));
    let screen = terminal.screen().join("\n");
    assert!(
        screen.contains("requires confirmation by a person, and a coding agent runs this command"),
        "{screen}"
    );
    assert_eq!(fixture.log().len(), 0);
}

#[test]
fn an_agent_gets_a_read_only_session_and_a_person_the_full_one() {
    let fixture = with_guard("hatbox_read_only_for_agents = true");
    let said = "`prod` is read-only for coding agents, and CLAUDECODE is set";
    let exec = fixture.hatbox(&["exec", "prod", "--", "true"]);
    let full = exec.run().ok();
    assert!(!full.stderr.contains("read-only"), "{}", full.stderr);
    for arguments in [
        &["exec", "prod", "--", "true"][..],
        &["export", "--format", "json", "prod"],
        &["exec", "-j", "prod"],
    ] {
        let agents = fixture.hatbox(arguments).env("CLAUDECODE", "1").run().ok();
        assert!(agents.stderr.contains(said), "{arguments:?}: {}", agents.stderr);
    }
    exec.run().ok();
    let restricted: Vec<_> = roles_assumed(&fixture).iter().map(is_read_only).collect();
    assert_eq!(restricted, [false, true], "one session for the person, one for the agent");
    let text = fixture.hatbox(&["explain", "prod"]).env("CURSOR_AGENT", "1").run().ok().stdout;
    assert!(text.contains(READ_ONLY) && text.contains("CURSOR_AGENT"), "{text}");
    let json = fixture.hatbox(&["explain", "--json", "prod"]).run().ok().stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["guard"]["read_only_for_agents"]["value"], true);
    assert_eq!(json["guard"]["read_only_for_agents"]["from"]["line"], 5);
}

/// With several session policies, a session may do what any of them allows.
/// The variables are those of docs/agents.md, and no others.
#[test]
fn an_agent_is_known_by_each_variable_of_the_document() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/agents.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.split("| variable | agent |\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let cells = rows.lines().skip(1).filter_map(|row| row.split('|').nth(1));
    let names: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert_eq!(names.len(), 15, "{names:?}");
    let fixture = with_guard("hatbox_confirm = true");
    let said = |name: &str, value: &str| {
        fixture.hatbox(&["export", "prod"]).env(name, value).run().expect_code(3).stderr
    };
    for marker in names {
        let (name, value) = marker.split_once('=').unwrap_or((marker, "1"));
        let stderr = said(name, value);
        assert!(stderr.contains(&format!("{name} is set")), "{marker}: {stderr}");
    }
    for (name, value) in [("AGENT", "1"), ("CLAUDECODE", ""), ("ZED_TERM", "true")] {
        let stderr = said(name, value);
        assert!(stderr.contains("there is no terminal to ask on"), "{name}: {stderr}");
    }
}

#[test]
fn no_flag_gives_an_agent_more() {
    let fixture = with_guard("hatbox_read_only_for_agents = true");
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    for flags in [&["--policy-arn", admin][..], &["--read-only", "--policy-arn", admin]] {
        let run = fixture.hatbox(&["export"]).args(flags).args(["prod"]).env("AI_AGENT", "x");
        let refused = run.run().expect_code(3);
        assert!(refused.stderr.contains("`--policy-arn` could allow more"), "{}", refused.stderr);
    }
    let chained = ["export", "--role-arn", "arn:aws:iam::444455556666:role/admin", "prod"];
    fixture.hatbox(&chained).env("AI_AGENT", "x").run().ok();
    assert!(is_read_only(roles_assumed(&fixture).last().unwrap()));
}

#[test]
fn a_profile_without_a_role_has_the_guard_of_its_source() {
    let config =
        "[profile jan-work]\nhatbox_read_only_for_agents = true\n[profile same]\nsource_profile = jan-work\n";
    let fixture = Fixture::with_config(&format!("{config}[profile reader]\n{ROLE}"));
    for profile in ["jan-work", "same"] {
        let run = fixture.hatbox(&["export", profile]).env("CODEX_CI", "1").run().ok();
        assert!(run.stderr.contains("read-only for coding agents"), "{profile}: {}", run.stderr);
    }
    let narrowed = fixture.log().into_iter().filter(|entry| entry.action == "GetFederationToken");
    assert!(narrowed.count() > 0);
    let role = fixture.hatbox(&["export", "reader"]).env("CODEX_CI", "1").run().ok();
    assert!(!role.stderr.contains("read-only"), "{}", role.stderr);
}

#[test]
fn a_guard_of_ones_own_leaves_the_other_keys_of_the_source_as_they_are() {
    let fixture = Fixture::with_config(&format!(
        "[profile jan-work]\nhatbox_deny_commands = env\n[profile ra]\n{ROLE}hatbox_read_only_for_agents = true\n\
         hatbox_confirm = true\nhatbox_deny_commands = echo\n\
         [profile rb]\nsource_profile = ra\nhatbox_deny_commands = printf\n\
         [profile rc]\nsource_profile = rb\nhatbox_confirm = false\nhatbox_read_only_for_agents = false\n"
    ));
    let exec = |profile: &str, word: &str| fixture.hatbox(&["exec", profile, "--", word, "x"]).run();
    for (profile, word, line) in
        [("rb", "printf", 11), ("rb", "echo", 8), ("rc", "printf", 11), ("rc", "echo", 8)]
    {
        let refused = exec(profile, word).expect_code(125);
        assert!(refused.stderr.contains("denies this command"), "{profile} {word}: {}", refused.stderr);
        assert!(refused.stderr.contains(&format!("--> ~/.aws/config:{line}\n")), "{}", refused.stderr);
    }
    let asked = exec("rb", "true").expect_code(125);
    assert!(asked.stderr.contains("profile `rb` requires confirmation"), "{}", asked.stderr);
    let explain =
        |profile: &str| fixture.hatbox(&["explain", profile]).env("CLAUDECODE", "1").run().ok().stdout;
    let shown = explain("rb");
    assert!(shown.contains(READ_ONLY), "{shown}");
    for line in [
        "     confirm     a person types `yes` before each use  ~/.aws/config:7\n",
        "     denied      `printf`  ~/.aws/config:11\n",
        "     denied      `echo`  ~/.aws/config:8\n",
        "     agents      read-only for coding agents  ~/.aws/config:6\n",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    let json = fixture.hatbox(&["explain", "--json", "rb"]).run().ok().stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["guard"]["deny_commands"]["value"], serde_json::json!(["printf", "echo"]));
    // An explicit `false` counts. The guard of the source profile does not apply.
    let own = explain("rc");
    assert!(!own.contains(READ_ONLY) && !own.contains("confirm") && !own.contains("`env`"), "{own}");
    exec("rc", "true").ok();
    assert!(!is_read_only(roles_assumed(&fixture).last().unwrap()));
}

#[test]
fn the_setting_is_for_every_profile_that_does_not_say_otherwise() {
    let fixture = Fixture::with_config(&format!(
        "[profile jan-work]\n[profile prod]\n{ROLE}[profile free]\n{ROLE}hatbox_read_only_for_agents = false\n"
    ));
    let settings = fixture.path("home/.config/hatbox/config.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    fixture.write_settings(&format!("{text}read_only_for_agents = true\n"));
    let run = |profile: &str| fixture.hatbox(&["export", profile]).env("GEMINI_CLI", "1").run().ok().stderr;
    assert!(run("prod").contains("`prod` is read-only for coding agents, and GEMINI_CLI is set"));
    assert!(!run("free").contains("read-only"));
    assert!(!fixture.hatbox(&["export", "prod"]).run().ok().stderr.contains("read-only"));
}

#[test]
fn credentials_that_cannot_be_restricted_are_refused_or_assume_the_role_named_for_it() {
    let guard = "hatbox_read_only_for_agents = true\n";
    let named = format!("hatbox_read_only_role_arn = {READER}\n");
    let fixture = login_sign_in::fixture();
    fixture.write_config("");
    login_sign_in::sign_in(&fixture);
    let signed_in = std::fs::read_to_string(fixture.config_path()).unwrap();
    let with = |more: &str| {
        let config = signed_in.replace("[profile me]\n", &format!("[profile me]\n{guard}{more}"));
        assert_ne!(config, signed_in);
        fixture.write_config(&format!("{config}\n[profile sso]\n{SSO}{guard}{more}"));
    };
    let run = |words: &[&str]| fixture.hatbox(words).env("CLAUDECODE", "1").run();
    with("");
    for profile in ["me", "sso"] {
        let refused = run(&["export", profile]).expect_code(3);
        let said = format!(
            "profile `{profile}` is read-only for coding agents (CLAUDECODE is set), and its credentials come from"
        );
        assert!(refused.stderr.contains(&said), "{}", refused.stderr);
        assert!(refused.stderr.contains("hatbox_read_only_role_arn = ARN"), "{}", refused.stderr);
        run(&["exec", profile, "--", "true"]).expect_code(125);
    }
    with(&named);
    run(&["exec", "me", "--", "true"]).ok();
    let assumed = roles_assumed(&fixture);
    assert_eq!(assumed.len(), 1);
    assert!(is_read_only(&assumed[0]) && assumed[0].resource.as_deref() == Some(READER));
    let plan: Value = serde_json::from_str(&run(&["explain", "--json", "sso"]).ok().stdout).unwrap();
    let step = &plan["steps"][0];
    assert_eq!(
        (&step["role"]["value"], &step["policy_arns"][0]["value"]),
        (&READER.into(), &READ_ONLY.into())
    );
    // A person gets all permissions.
    fixture.hatbox(&["exec", "me", "--", "true"]).run().ok();
    assert_eq!(roles_assumed(&fixture).len(), 1);
    // A person may also ask for fewer.
    fixture.hatbox(&["exec", "--read-only", "me", "--", "true"]).run().ok();
    assert!(roles_assumed(&fixture).iter().all(is_read_only));
}

#[test]
fn explain_shows_each_guard_with_its_line() {
    let fixture = with_guard(
        "hatbox_confirm = true\nhatbox_deny_commands = terraform destroy, aws iam *\nhatbox_read_only_for_agents = true",
    );
    let text = fixture.hatbox(&["explain", "prod"]).run().ok().stdout;
    for line in [
        "     confirm     a person types `yes` before each use  ~/.aws/config:5\n",
        "     denied      `terraform destroy`, `aws iam *`  ~/.aws/config:6\n",
        "     agents      read-only for coding agents  ~/.aws/config:7\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
}
