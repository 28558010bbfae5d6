//! `sso populate`: writes a profile for every account and role, however the portal responds.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use hatbox_sandbox::control::{Consent, Fault, FaultKind, Revoked};
use hatbox_sandbox::world::{IdentityCenter, World};

use crate::fixture::Fixture;
use crate::prompts::assert_code;
use crate::run::{Outcome, Run, finish};
use crate::terminal::Terminal;

const CONFIG: &str = "\
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.awsapps.com/start

[profile mine]
region = eu-west-1
";
const SETS: [&str; 3] = ["Admin", "Billing", "ReadOnly"];

/// Accounts with these names and numbered ids, each with every permission set for jan.
fn with_accounts(names: &[&str]) -> Fixture {
    let fixture = Fixture::empty_in(&[], |world| add_accounts(world, names));
    fixture.write_config(CONFIG);
    fixture
}

fn add_accounts(world: &mut World, names: &[&str]) {
    world.identity_center = Some(IdentityCenter::new("https://corp.awsapps.com/start", "jan"));
    for set in SETS {
        world.add_permission_set(set, 3600, [].into());
    }
    for (number, name) in names.iter().enumerate() {
        let id = id_of(number);
        for set in SETS {
            world.assign_permission_set("jan", &id, set);
        }
        world.accounts.get_mut(&id).unwrap().name = Some((*name).to_owned());
    }
}

fn id_of(number: usize) -> String {
    format!("{:012}", 1000 + number)
}

/// Runs `hatbox sso ARGUMENTS` at a call rate that does not slow down tests.
fn sso(fixture: &Fixture, arguments: &[&str]) -> Run {
    fixture.hatbox(&["sso"]).args(arguments).env("HATBOX_TEST_PORTAL_RATE", "100000")
}

/// Signs in to `corp`, as jan does in the browser.
pub(crate) fn sign_in(fixture: &Fixture, flags: &[&str]) {
    sign_in_to(fixture, "corp", flags);
}

/// Signs in to the session or start URL `name`. Returns hatbox's output.
pub(crate) fn sign_in_to(fixture: &Fixture, name: &str, flags: &[&str]) -> Outcome {
    let run = sso(fixture, &["login", name, "--pkce", "--no-browser"]).args(flags);
    let mut child = run.spawn();
    // stdout contains only the address.
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut page = String::new();
    stdout.read_line(&mut page).unwrap();
    assert!(page.starts_with("http://127.0.0.1:") && page.contains("/authorize?"), "{page}");
    let done = fixture.client().sign_in(page.trim_end(), Consent::Allow).unwrap();
    let redirect = done.redirect.unwrap();
    let (host, path) = redirect.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut browser = TcpStream::connect(host).unwrap();
    write!(browser, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    browser.read_to_end(&mut Vec::new()).unwrap();
    assert!(stdout.buffer().is_empty(), "more than the address");
    child.stdout = Some(stdout.into_inner());
    let outcome = finish(child, "sso login").ok();
    assert_eq!(outcome.stdout, "", "more than the address");
    outcome
}

fn config(fixture: &Fixture) -> String {
    fs::read_to_string(fixture.config_path()).unwrap()
}

fn count_calls(fixture: &Fixture, action: &str) -> usize {
    fixture.log().iter().filter(|entry| entry.action == action).count()
}

#[test]
fn eight_hundred_accounts_get_all_their_profiles_from_a_busy_portal_by_one_sign_in() {
    let names: Vec<_> = (0..800).map(|number| format!("Account {number}")).collect();
    let fixture = with_accounts(&names.iter().map(String::as_str).collect::<Vec<_>>());
    sign_in(&fixture, &[]);
    for action in ["ListAccounts", "ListAccountRoles"] {
        let action = Some(action.to_owned());
        let times = if action.as_deref() == Some("ListAccounts") { 2 } else { 30 };
        let fault = Fault { kind: FaultKind::Throttling, times: Some(times), action };
        fixture.client().add_fault(&fault).unwrap();
    }
    let run = sso(&fixture, &["populate", "corp", "--yes"]).run().ok();
    assert!(run.stdout.ends_with("800 accounts: 2400 added, 0 removed, 0 changed, 0 unchanged\n"));
    let text = config(&fixture);
    assert!(text.starts_with(CONFIG));
    let found: HashSet<_> = text
        .split("[profile ")
        .filter_map(|section| {
            let value =
                |key: &str| section.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned);
            Some((value("sso_account_id=")?, value("sso_role_name=")?))
        })
        .collect();
    assert_eq!(found.len(), 2400, "each account with each role, none twice");
    for number in 0..800 {
        assert!(SETS.iter().all(|set| found.contains(&(id_of(number), (*set).to_owned()))), "{number}");
    }
    assert_eq!(text.matches("[profile ").count(), 2401);
    assert_eq!(count_calls(&fixture, "ListAccounts"), 8 + 2, "pages of a hundred, and two refusals");
    assert_eq!(count_calls(&fixture, "ListAccountRoles"), 800 + 30);
    assert_eq!(count_calls(&fixture, "CreateToken"), 1, "no second sign-in, and no refresh");
    // A second run changes nothing.
    let again = sso(&fixture, &["populate", "corp", "--yes"]).run().ok();
    assert!(again.stdout.ends_with("0 added, 0 removed, 0 changed, 2400 unchanged\n"), "{}", again.stdout);
    assert!(again.stderr.contains("are up to date"), "{}", again.stderr);
    assert_eq!(config(&fixture), text);
    assert_eq!(count_calls(&fixture, "CreateToken"), 1);
}

#[test]
fn roles_that_came_and_went_are_listed_and_a_profile_works() {
    let fixture = with_accounts(&["Prod", "Dev"]);
    sign_in(&fixture, &[]);
    let populate = ["populate", "--lower-case", "--prefix", "c-", "--region", "eu-west-1"];
    let dry = sso(&fixture, &populate).args(["--dry-run"]).run().ok();
    assert!(dry.stdout.contains("+  c-prod.admin     000000001000  Admin\n"), "{}", dry.stdout);
    assert_eq!(config(&fixture), CONFIG);
    let unanswered = sso(&fixture, &populate).run().expect_code(4);
    assert!(
        unanswered.stderr.contains("cannot ask for confirmation: there is no terminal"),
        "{}",
        unanswered.stderr
    );
    assert_eq!(config(&fixture), CONFIG);
    sso(&fixture, &populate).args(["--yes"]).run().ok();
    let text = config(&fixture);
    let section = "[profile c-dev.billing]\nsso_session=corp\nsso_account_id=000000001001\n\
                   sso_role_name=Billing\nregion=eu-west-1\n";
    assert!(text.contains(section), "{text}");
    let exec = fixture.hatbox(&["exec", "c-dev.billing", "--", "printenv", "AWS_REGION"]).run().ok();
    assert_eq!(exec.stdout, "eu-west-1\n");
    fixture.client().unassign(&id_of(1), "Billing").unwrap();
    fixture.client().assign(&id_of(2), "ReadOnly").unwrap();
    // The template and the region of the last run are kept.
    let run = sso(&fixture, &["populate", "--yes", "--json"]).run().ok();
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["removed"][0]["profile"], "c-dev.billing");
    assert_eq!(json["added"][0]["profile"], format!("c-{}.readonly", id_of(2)));
    assert_eq!((&json["unchanged"], &json["accounts"]), (&5.into(), &3.into()));
    let after = config(&fixture);
    assert!(!after.contains("billing]\nsso_session=corp\nsso_account_id=000000001001"), "{after}");
    assert!(after.contains("sso_role_name=ReadOnly\nregion=eu-west-1\n"), "{after}");
    // Removing a profile of the generated block by hand warns that it will come back.
    let removed = fixture.hatbox(&["profile", "remove", "c-prod.admin", "--yes"]).run().ok();
    assert!(removed.stderr.contains("`hatbox sso populate corp` wrote `c-prod.admin`"), "{}", removed.stderr);
    let back = sso(&fixture, &["populate", "--yes"]).run().ok();
    assert!(back.stdout.contains("1 added, 0 removed, 0 changed, 5 unchanged"), "{}", back.stdout);
    assert_eq!(config(&fixture), after);
}

#[test]
fn hostile_and_colliding_account_names_get_harmless_profiles_of_their_own() {
    let names =
        ["mine", "Prod", "Prod", "x]\n[default]\ncredential_process = touch pwned", "\u{1b}[31m\u{202e}", ""];
    let fixture = with_accounts(&names);
    sign_in(&fixture, &[]);
    let run = sso(&fixture, &["populate", "--template", "{account_name}", "--yes"]).run().ok();
    assert!(
        run.stdout.ends_with("6 accounts: 18 added, 0 removed, 0 changed, 0 unchanged\n"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains(['\u{1b}', '\u{202e}']), "{:?}", run.stdout);
    let text = config(&fixture);
    assert!(!text.contains("[default]") && !text.lines().any(|line| line.starts_with("credential_process")));
    let list = fixture.hatbox(&["list", "--profiles"]).run().ok();
    assert_eq!(list.stderr, "", "no line of it is bad");
    assert_eq!(list.stdout.lines().collect::<HashSet<_>>().len(), 19, "{}", list.stdout);
    assert_eq!(text.matches("[profile mine]").count(), 1, "the user's own profile is not touched");
}

#[test]
fn a_token_that_is_refused_is_refreshed_once_and_a_portal_that_fails_changes_nothing() {
    let fixture = with_accounts(&["Prod", "Dev"]);
    sign_in(&fixture, &[]);
    fixture.client().revoke(Revoked::AccessTokens).unwrap();
    sso(&fixture, &["populate", "--yes"]).run().ok();
    assert_eq!(count_calls(&fixture, "CreateToken"), 2, "the sign-in, and one refresh");
    let text = config(&fixture);
    fixture.client().unassign(&id_of(0), "Admin").unwrap();
    let action = Some("ListAccountRoles".to_owned());
    let fault = Fault { kind: FaultKind::Throttling, times: None, action };
    fixture.client().add_fault(&fault).unwrap();
    let busy = sso(&fixture, &["populate", "--yes"]).run().expect_code(1);
    assert!(busy.stderr.contains("hint: the portal is busy: try again in a minute"), "{}", busy.stderr);
    assert_eq!(config(&fixture), text, "a part of the roles is not written as if it were all");
    fixture.client().clear_faults().unwrap();
    assert_eq!(count_calls(&fixture, "CreateToken"), 2);
    fixture.client().revoke(Revoked::Sessions).unwrap();
    let ended = sso(&fixture, &["populate", "--yes"]).run().expect_code(4);
    assert!(ended.stderr.contains("hint: hatbox sso login corp"), "{}", ended.stderr);
    assert_eq!(config(&fixture), text);
}

#[test]
fn a_block_that_was_edited_is_an_error_before_anything_is_called() {
    let fixture = with_accounts(&["Prod"]);
    sign_in(&fixture, &[]);
    sso(&fixture, &["populate", "--yes"]).run().ok();
    let (good, calls) = (config(&fixture), fixture.log().len());
    for (bad, line, hint) in [
        (good.replace("# <<<", "# ..."), 8, "delete the marks"),
        (good.replace("# <<<", "[profile other]\nregion = x\n# <<<"), 27, "move it out of the block"),
        (format!("{good}region = x\n"), 28, "move it below the header of its profile"),
    ] {
        fixture.write_config(&bad);
        let run = sso(&fixture, &["populate", "--yes"]).run().expect_code(2);
        assert!(run.stderr.contains(&format!("--> ~/.aws/config:{line}\n")), "{}", run.stderr);
        assert!(run.stderr.contains(hint), "{}", run.stderr);
        assert_eq!(config(&fixture), bad);
    }
    fixture.write_config(&good);
    for (flags, error) in
        [(&["--template", "x"][..], "invalid template `x`"), (&["--region", "EU"], "invalid `--region` `EU`")]
    {
        let run = sso(&fixture, &["populate", "--yes"]).args(flags).run().expect_code(2);
        assert!(run.stderr.contains(error), "{}", run.stderr);
    }
    assert_eq!(fixture.log().len(), calls);
}

#[test]
fn the_changes_are_shown_and_confirmed_on_a_terminal() {
    let fixture = with_accounts(&["Prod"]);
    sign_in(&fixture, &[]);
    for (answer, is_written) in [("n\r", false), ("y\r", true)] {
        let mut terminal = Terminal::start(&sso(&fixture, &["populate"]));
        terminal.wait_for_prompt("Write these changes to ~/.aws/config? (y|N)");
        assert!(
            terminal.screen().iter().any(|line| line.contains("Prod.ReadOnly")),
            "{:?}",
            terminal.screen()
        );
        assert_eq!(config(&fixture), CONFIG);
        terminal.type_keys(answer);
        assert_code(terminal.wait(), 0, &terminal);
        assert_eq!(config(&fixture) != CONFIG, is_written);
    }
}

#[test]
fn two_at_once_write_the_same_profiles_once() {
    let names: Vec<_> = (0..20).map(|number| format!("Account {number}")).collect();
    let fixture = with_accounts(&names.iter().map(String::as_str).collect::<Vec<_>>());
    sign_in(&fixture, &[]);
    let run = sso(&fixture, &["populate", "--yes"]);
    let children: Vec<_> = (0..3).map(|_| run.spawn()).collect();
    for child in children {
        finish(child, "sso populate").ok();
    }
    let text = config(&fixture);
    assert_eq!((text.matches("[profile ").count(), text.matches("# >>>").count()), (61, 1));
}

#[test]
fn a_bar_shows_how_many_accounts_are_read() {
    let names: Vec<_> = (0..12).map(|number| format!("Account {number}")).collect();
    let fixture = with_accounts(&names.iter().map(String::as_str).collect::<Vec<_>>());
    sign_in(&fixture, &[]);
    let action = Some("ListAccountRoles".to_owned());
    // Longer than the threshold for a progress line.
    let fault = Fault { kind: FaultKind::DelayMillis(700), times: Some(12), action };
    fixture.client().add_fault(&fault).unwrap();
    let mut terminal = Terminal::start_wide(&sso(&fixture, &["populate", "--dry-run"]), 120);
    terminal.wait_for("reading roles [------------------------] 0 of 12 accounts", 1);
    terminal.wait_for("reading roles [############------------] 6 of 12 accounts", 1);
    assert_code(terminal.wait(), 0, &terminal);
    let screen = terminal.screen().join("\n");
    assert!(screen.contains("12 accounts: 36 added") && !screen.contains("reading roles"), "{screen}");
}
