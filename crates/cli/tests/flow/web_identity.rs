//! AssumeRoleWithWebIdentity: tokens from files, from commands and from the environment.

use std::fs;

use hatbox_sandbox::control::{Fault, FaultKind, TokenOrder};
use hatbox_sandbox::log::{LogEntry, SignedWith};
use hatbox_sandbox::world::{AUDIENCE, ISSUER, SUBJECT};

use crate::fixture::Fixture;
use crate::narrow::{LIST_ONLY, policy, s3};
use crate::run::{Outcome, Run};

const READER: &str = "arn:aws:iam::444455556666:role/reader";

/// Prints the child's identity and account.
const SHOW: [&str; 4] = ["--", "sh", "-c", "echo \"${AWS_SESSION_TOKEN:+session} $AWS_ACCOUNT_ID\""];

fn fixture() -> Fixture {
    let fixture = Fixture::with_keys(&["jan-work"]);
    let token = fixture.path("home/token").display().to_string();
    fixture.write_config(&format!(
        "[profile ci]\nrole_arn = {READER}\nweb_identity_token_file = {token}\nrole_session_name = job-7\n\
         [profile beyond]\nsource_profile = ci\nrole_arn = arn:aws:iam::444455556666:role/admin\n\
         [profile asked]\nrole_arn = {READER}\nweb_identity_token_process = oidc-token raw\n\
         [profile plain]\nregion = eu-west-1\n"
    ));
    write_token(&fixture, &order());
    fixture
}

pub(crate) fn order() -> TokenOrder {
    TokenOrder {
        issuer: ISSUER.to_owned(),
        subject: SUBJECT.to_owned(),
        audience: AUDIENCE.to_owned(),
        lifetime_seconds: 600,
        claims: serde_json::Map::new(),
    }
}

/// Writes a token with the line end that editors and `echo` add.
fn write_token(fixture: &Fixture, order: &TokenOrder) {
    let token = fixture.client().mint_token(order).unwrap();
    fs::write(fixture.path("home/token"), format!("{token}\n")).unwrap();
}

fn exec(fixture: &Fixture, profile: &str) -> Run {
    fixture.hatbox(&["exec", profile]).args(SHOW)
}

fn calls(fixture: &Fixture) -> Vec<LogEntry> {
    fixture.log().into_iter().filter(|entry| entry.action == "AssumeRoleWithWebIdentity").collect()
}

#[test]
fn the_token_of_a_file_gives_the_role_once_and_nothing_signs_the_call() {
    let fixture = fixture();
    for _ in 0..2 {
        assert_eq!(exec(&fixture, "ci").run().ok().stdout, "session 444455556666\n");
    }
    let [call] = &fixture.log()[..] else { panic!("one call only") };
    assert_eq!((call.signed_with, call.key.as_deref()), (SignedWith::WebIdentity, None));
    assert!(call.caller.as_deref().unwrap().starts_with(SUBJECT), "{call:?}");
    assert_eq!(call.parameters["RoleSessionName"], "job-7");
    let listed = fixture.hatbox(&["list"]).run().ok();
    assert!(listed.stdout.contains("sts.AssumeRoleWithWebIdentity"), "{}", listed.stdout);
}

#[test]
fn the_file_is_read_again_for_each_call() {
    let fixture = fixture();
    exec(&fixture, "ci").run().ok();
    fixture.advance(3600);
    write_token(&fixture, &TokenOrder { subject: "repo:work/other".to_owned(), ..order() });
    exec(&fixture, "ci").run().ok();
    let callers: Vec<_> = calls(&fixture).into_iter().map(|call| call.caller.unwrap()).collect();
    assert!(callers[0].starts_with(SUBJECT) && callers[1].starts_with("repo:work/other"), "{callers:?}");
}

#[test]
fn a_command_may_give_the_token() {
    let fixture = fixture();
    fixture.write_program(
        "oidc-token",
        "echo \"$1 ${HATBOX_FILE_PASSPHRASE-none}\" >>\"$HOME/runs\"; cat \"$HOME/token\"",
    );
    for _ in 0..2 {
        exec(&fixture, "asked").run().ok();
    }
    assert_eq!(fs::read_to_string(fixture.path("home/runs")).unwrap(), "raw none\n");
    let name = calls(&fixture)[0].parameters["RoleSessionName"].clone();
    assert!(name.starts_with("hatbox-asked-"), "{name}");
    for (script, expected) in [
        ("exit 4", "caused by: it failed: exit status: 4"),
        ("true", "caused by: it is empty"),
        ("echo two words", "caused by: it has a blank or a character outside printable ASCII"),
    ] {
        fixture.write_program("oidc-token", script);
        let outcome = fresh(&fixture, "asked");
        let headline = "`web_identity_token_process` of profile `asked` returned no token";
        assert!(outcome.stderr.contains(headline) && outcome.stderr.contains(expected), "{}", outcome.stderr);
    }
}

fn fresh(fixture: &Fixture, profile: &str) -> Outcome {
    fixture.hatbox(&["exec", "--fresh", profile]).args(SHOW).run().expect_code(125)
}

#[test]
fn the_environments_token_serves_a_profile_without_an_identity() {
    let fixture = fixture();
    let run = exec(&fixture, "plain")
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", fixture.path("home/token"))
        .env("AWS_ROLE_ARN", READER)
        .env("AWS_ROLE_SESSION_NAME", "pod-1");
    assert_eq!(run.run().ok().stdout, "session 444455556666\n");
    assert_eq!(calls(&fixture)[0].parameters["RoleSessionName"], "pod-1");
    let missing = run.env("AWS_WEB_IDENTITY_TOKEN_FILE", fixture.path("home/none")).run().expect_code(125);
    assert!(missing.stderr.contains("AWS_WEB_IDENTITY_TOKEN_FILE names it"), "{}", missing.stderr);
}

#[test]
fn a_further_role_is_assumed_from_the_tokens_role() {
    let fixture = fixture();
    let outcome = fixture.hatbox(&["exec", "beyond", "-d", "2h", "--", "true"]).run().ok();
    assert!(outcome.stderr.contains("gets 1h instead of 2h"), "{}", outcome.stderr);
    let log = fixture.log();
    let actions: Vec<_> = log.iter().map(|entry| (entry.action.as_str(), entry.is_allowed())).collect();
    assert_eq!(actions, [("AssumeRoleWithWebIdentity", true), ("AssumeRole", true)]);
    assert_eq!(log[1].caller.as_deref(), Some("arn:aws:sts::444455556666:assumed-role/reader/job-7"));
}

#[test]
fn twenty_cold_starts_make_one_call() {
    let fixture = fixture();
    let starts: Vec<_> = (0..20).map(|_| exec(&fixture, "ci").spawn()).collect();
    for start in starts {
        crate::run::finish(start, "a cold start").ok();
    }
    assert_eq!(fixture.log().len(), 1);
}

#[test]
fn an_issuer_that_is_down_is_asked_again_and_one_that_refuses_is_not() {
    let fixture = fixture();
    let down = FaultKind::IdentityProviderDown;
    fixture.client().add_fault(&Fault::once(down.clone())).unwrap();
    exec(&fixture, "ci").run().ok();
    assert_eq!(calls(&fixture).len(), 2);
    fixture.client().add_fault(&Fault { kind: down, times: None, action: None }).unwrap();
    let outcome = fresh(&fixture, "ci");
    assert!(outcome.stderr.contains("hint: AWS cannot reach the identity provider"), "{}", outcome.stderr);
    fixture.client().clear_faults().unwrap();
    let before = calls(&fixture).len();
    fixture.client().add_fault(&Fault::once(FaultKind::IdentityProviderRejects)).unwrap();
    let outcome = fresh(&fixture, "ci");
    assert!(outcome.stderr.contains("hint: the identity provider rejected the token"), "{}", outcome.stderr);
    assert_eq!(calls(&fixture).len(), before + 1);
}

#[test]
fn a_token_that_sts_refuses_gets_the_way_out() {
    let fixture = fixture();
    let token = fixture.path("home/token");
    for (order, expected) in [
        (
            TokenOrder { lifetime_seconds: -30, ..order() },
            "hint: the token has expired: get a new one into `",
        ),
        (TokenOrder { audience: "other".to_owned(), ..order() }, "hint: check the token of `"),
        (
            TokenOrder { subject: "repo:play/site".to_owned(), ..order() },
            "hint: check that the trust policy of reader allows sts:AssumeRoleWithWebIdentity",
        ),
    ] {
        write_token(&fixture, &order);
        let outcome = exec(&fixture, "ci").run().expect_code(125);
        let headline = format!("could not assume the role of profile `ci` ({READER}) with its web identity");
        assert!(
            outcome.stderr.contains(&headline) && outcome.stderr.contains(expected),
            "{}",
            outcome.stderr
        );
        let secret = fs::read_to_string(&token).unwrap();
        assert!(!outcome.stderr.contains(secret.trim()), "{}", outcome.stderr);
    }
    let before = fixture.log().len();
    for (text, expected) in [("", "it is empty"), ("a b c", "it has a blank"), ("abc", "it has 3 characters")]
    {
        fs::write(&token, text).unwrap();
        let outcome = exec(&fixture, "ci").run().expect_code(125);
        assert!(outcome.stderr.contains(&format!("caused by: {expected}")), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("--> ~/.aws/config:3"), "{}", outcome.stderr);
    }
    fs::write(&token, vec![b'x'; 1 << 20]).unwrap();
    assert!(exec(&fixture, "ci").run().expect_code(125).stderr.contains("a token has 4 to 20,000"));
    fs::remove_file(&token).unwrap();
    let missing = exec(&fixture, "ci").run().expect_code(125);
    assert!(missing.stderr.contains("could not read the web identity token `"), "{}", missing.stderr);
    rustix::fs::mkfifoat(rustix::fs::CWD, &token, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let pipe = exec(&fixture, "ci").run().expect_code(125);
    assert!(pipe.stderr.contains("it is not a regular file"), "{}", pipe.stderr);
    assert_eq!(fixture.log().len(), before, "nothing is sent without a token");
}

#[test]
fn a_token_of_another_provider_does_not_go_to_a_sandbox_that_was_left() {
    let fixture = fixture();
    fixture.write_program("oidc-token", "cat \"$HOME/token\"");
    let id = fixture.client().id();
    for profile in ["ci", "asked"] {
        exec(&fixture, profile).env("HATBOX_SANDBOX", id).run().ok();
    }
    let calls = fixture.log().len();
    // {"alg":"none"} and {"iss":"https://token.actions.githubusercontent.com"}; a provider's name in the path; not a
    // JWT.
    for token in [
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL3Rva2VuLmFjdGlvbnMuZ2l0aHVidXNlcmNvbnRlbnQuY29tIn0.x",
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lkLmNvcnAuY29tL2NpLnNhbmRib3guZXhhbXBsZSJ9.x",
        "opaque-token",
    ] {
        fs::write(fixture.path("home/token"), token).unwrap();
        for profile in ["ci", "asked"] {
            let run = fixture.hatbox(&["exec", "--fresh", profile]).args(SHOW).env("HATBOX_SANDBOX", id);
            let outcome = run.run().expect_code(125);
            let expected = format!(
                "the web identity token of `{profile}` was not issued by the sandbox, which accepts only its own"
            );
            assert!(outcome.stderr.contains(&expected), "{}", outcome.stderr);
            assert!(outcome.stderr.contains("hint: leave the sandbox's shell, or unset HATBOX_SANDBOX"));
            assert!(!outcome.stderr.contains(token), "{}", outcome.stderr);
        }
    }
    assert_eq!(fixture.log().len(), calls, "nothing was sent");
}

#[test]
fn a_cached_session_belongs_to_the_token_that_it_was_got_with() {
    let fixture = fixture();
    exec(&fixture, "ci").run().ok();
    let path = fixture.path("home/token");
    let first = fs::read_to_string(&path).unwrap();
    // The token of another job at the same path, which the trust policy rejects.
    write_token(&fixture, &TokenOrder { subject: "repo:play/site".to_owned(), ..order() });
    for profile in ["ci", "beyond"] {
        let refused = exec(&fixture, profile).run().expect_code(125);
        assert!(refused.stderr.contains("AccessDenied"), "{}", refused.stderr);
    }
    let before = fixture.log().len();
    let other = fixture.hatbox(&["explain", "ci"]).run().ok();
    assert!(other.stdout.contains("cached      no\n"), "{}", other.stdout);
    fs::write(&path, first.trim()).unwrap();
    let own = fixture.hatbox(&["explain", "ci"]).run().ok();
    assert!(own.stdout.contains("yes, "), "{}", own.stdout);
    exec(&fixture, "ci").run().ok();
    assert_eq!(fixture.log().len(), before, "the session of the first token is still there");
}

#[test]
fn session_policies_restrict_the_role_of_a_token_and_make_sessions_of_their_own() {
    let fixture = fixture();
    let file = policy(&fixture, LIST_ONLY);
    let file = file.to_str().unwrap();
    s3(&fixture, &["ci"], &["mb", "s3://first-bucket"]).run().ok();
    for flags in [&["--policy", file, "ci"][..], &["--read-only", "ci"]] {
        s3(&fixture, flags, &["ls"]).run().ok();
        let denied = s3(&fixture, flags, &["mb", "s3://second-bucket"]).run();
        assert!(denied.code() != Some(0) && denied.stderr.contains("AccessDenied"), "{}", denied.stderr);
    }
    let sent = calls(&fixture);
    let has = |name: &str| sent.iter().map(|call| call.parameters.contains_key(name)).collect::<Vec<_>>();
    assert_eq!(has("Policy"), [false, true, false], "one session for each restriction");
    assert_eq!(has("PolicyArns.member.1.arn"), [false, false, true]);
    exec(&fixture, "ci").run().ok();
    assert_eq!(calls(&fixture).len(), 3, "the full session stays what it was");
    let explain = fixture.hatbox(&["explain", "--policy", file, "--read-only", "ci"]).run().ok().stdout;
    let shown = format!("a policy of {} characters", LIST_ONLY.len());
    assert!(explain.contains(&shown) && explain.contains("policy/ReadOnlyAccess"), "{explain}");
    let json = fixture.hatbox(&["explain", "--json", "--policy", file, "ci"]).run().ok().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["base"]["settings"]["policy"]["value"], LIST_ONLY);
    // The last role of the chain is the restricted one.
    fixture.hatbox(&["exec", "--read-only", "beyond", "--", "true"]).run().ok();
    let last = fixture.log().pop().unwrap();
    assert!(
        last.action == "AssumeRole" && last.parameters.contains_key("PolicyArns.member.1.arn"),
        "{last:?}"
    );
    assert_eq!(calls(&fixture).len(), 3);
}

#[test]
fn flags_that_no_call_with_a_token_takes_are_refused_and_session_policies_are_sent() {
    let fixture = fixture();
    for (flag, value) in [
        ("--external-id", "xy"),
        ("--session-tag", "team=x"),
        ("--transitive-tag", "team"),
        ("--source-identity", "jan"),
    ] {
        let refused = fixture.hatbox(&["export", flag, value, "ci"]).run().expect_code(2);
        let error = format!(
            "hatbox: error: `{flag}` is for AssumeRole, and the role of profile `ci` is assumed with a web identity \
             token\nhatbox: hint: add --role-arn ARN to assume a role with its credentials\n"
        );
        assert_eq!(refused.stderr, error);
    }
    assert!(calls(&fixture).is_empty());
    let file = policy(&fixture, LIST_ONLY);
    fixture.hatbox(&["export", "--policy", file.to_str().unwrap(), "ci"]).run().ok();
    assert!(calls(&fixture)[0].parameters.contains_key("Policy"));
}
