//! Diagnosis of denied calls: each cause that the sandbox can produce is named, and the suggested fix works.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use hatbox_sandbox::world::KeyStatus;

use crate::cast::{DISABLED_REGION, PHONE};
use crate::fixture::Fixture;
use crate::run::Outcome;
use crate::terminal::Terminal;

const ACCOUNT: &str = "arn:aws:iam::444455556666:role";

/// Returns a config with jan's profile, and a profile for a role with these additional lines.
fn config(profile: &str, role: &str, lines: &str) -> String {
    format!(
        "[profile jan-work]\n\n[profile {profile}]\nsource_profile = jan-work\nrole_arn = {ACCOUNT}/{role}\n{lines}"
    )
}

fn exec(fixture: &Fixture, arguments: &[&str]) -> Outcome {
    fixture.hatbox(&["exec"]).args(arguments).args(["--", "true"]).run()
}

/// Checks that the error contains these texts, and that `why` prints the same.
#[track_caller]
fn assert_reported(fixture: &Fixture, outcome: Outcome, told: &[&str]) -> String {
    let outcome = outcome.expect_code(125);
    let why = fixture.hatbox(&["why"]).run();
    assert!(matches!(why.status.code(), Some(0 | 6)), "{}", why.stderr);
    let why = why.stdout;
    for text in told {
        assert!(unwrapped(&outcome.stderr).contains(text), "{text}\n{}", outcome.stderr);
        assert!(unwrapped(&why).contains(text), "{text}\n{why}");
    }
    outcome.stderr
}

/// On a terminal of 80 columns, which would break lines anywhere.
#[test]
fn a_long_line_is_broken_at_words_on_a_terminal_and_nowhere_else() {
    let fixture = Fixture::with_config(&config("guarded", "guarded", ""));
    let run = || fixture.hatbox(&["exec", "guarded", "--", "true"]);
    let plain = run().run().expect_code(125).stderr;
    assert!(plain.lines().any(|line| line.len() > 100), "{plain}");
    let mut terminal = Terminal::start(&run());
    assert!(!terminal.wait().success());
    let screen = terminal.screen();
    for word in plain.split_whitespace() {
        assert!(screen.iter().any(|line| line.contains(word)), "{word}: {screen:#?}");
    }
}

/// Returns the text without its line breaks.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the line that the report suggests to add.
fn setting(report: &str, key: &str) -> String {
    let line = report.lines().find(|line| line.contains(&format!("{key} = "))).unwrap();
    let line = line.trim_start_matches("Fix").trim();
    line.split("     ").next().unwrap().to_owned()
}

/// Writes trust policies to the directory named in the settings.
fn write_sources(fixture: &Fixture, policies: &[(&str, &str)]) {
    let directory = fixture.home().join("trust");
    fs::create_dir_all(&directory).unwrap();
    for (role, condition) in policies {
        let policy = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {{"AWS": "arn:aws:iam::111122223333:root"}}, "Condition": {condition}}}}}"#
        );
        fs::write(directory.join(format!("{role}.json")), policy).unwrap();
    }
    fixture.write_settings("backend = \"file\"\n[trust]\nsources = [\"~/trust\"]\n");
}

#[test]
fn the_session_name_that_is_shown_is_the_one_that_was_sent() {
    let fixture = Fixture::with_config(&config("guarded", "guarded", ""));
    let file = fixture.path("why.json");
    exec(&fixture, &["--error-json", file.to_str().unwrap(), "guarded"]).expect_code(125);
    let sent = fixture.log().last().unwrap().parameters["RoleSessionName"].clone();
    assert!(sent.starts_with("hatbox-guarded-"), "{sent}");
    let why = fs::read_to_string(&file).unwrap();
    assert!(why.contains(&format!("\"session_name\":\"{sent}\"")), "{sent}: {why}");
}

#[test]
fn a_code_that_was_not_sent_is_asked_for_once_the_line_is_added() {
    // Another profile shows that the user has a device.
    let device = format!("\n[profile other]\nsource_profile = jan-work\nmfa_serial = {PHONE}\n");
    let fixture = Fixture::with_config(&config("guarded", "guarded", &device));
    let report = assert_reported(
        &fixture,
        exec(&fixture, &["guarded"]),
        &[
            "Most likely no MFA code was sent: [profile guarded] has no mfa_serial, and the role may require MFA.",
        ],
    );
    let line = setting(&report, "mfa_serial");
    assert_eq!(line, format!("mfa_serial = {PHONE}"));

    write_sources(&fixture, &[("guarded", r#"{"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#)]);
    assert_reported(
        &fixture,
        exec(&fixture, &["guarded"]),
        &["and the role requires MFA (~/trust/guarded.json, just now).", "AWS did not say which of the two."],
    );
    fixture.write_config(&config("guarded", "guarded", &format!("{line}\n")));
    let code = fixture.code(PHONE);
    exec(&fixture, &["-t", &code, "guarded"]).ok();
}

#[test]
fn a_chain_gets_the_hint_to_start_from_the_user() {
    let chain = |source: &str, lines: &str| {
        format!(
            "[profile jan-work]\nmfa_serial = {PHONE}\n\n[profile admin]\nsource_profile = jan-work\n\
             role_arn = {ACCOUNT}/admin\n\n[profile guarded]\nsource_profile = {source}\n\
             role_arn = {ACCOUNT}/guarded\n{lines}"
        )
    };
    let fixture = Fixture::with_config(&chain("admin", ""));
    let report = assert_reported(
        &fixture,
        exec(&fixture, &["--no-session", "guarded"]),
        &["the source is the role admin, and credentials of a role never carry MFA; guarded may require it."],
    );
    assert_eq!(setting(&report, "source_profile"), "source_profile = jan-work");
    let line = setting(&report, "mfa_serial");
    fixture.write_config(&chain("jan-work", &format!("{line}\n")));
    let code = fixture.code(PHONE);
    exec(&fixture, &["-t", &code, "guarded"]).ok();
}

#[test]
fn a_slip_in_the_roles_name_is_seen_by_another_profile() {
    let other = format!("\n[profile other]\nsource_profile = jan-work\nrole_arn = {ACCOUNT}/admin\n");
    let fixture = Fixture::with_config(&(config("ops", "Admin", "") + &other));
    let report = assert_reported(&fixture, exec(&fixture, &["ops"]), &["Most likely `other` names `admin`"]);
    let line = setting(&report, "role_arn");
    fixture.write_config(&config("ops", "x", "").replace(&format!("role_arn = {ACCOUNT}/x"), &line));
    exec(&fixture, &["ops"]).ok();
}

#[test]
fn an_external_id_is_asked_for_and_never_shown() {
    const EXPECTED: &str = "the-right-one";
    let fixture = Fixture::with_config(&config("external", "external", ""));
    let condition = format!(r#"{{"StringEquals": {{"sts:ExternalId": "{EXPECTED}"}}}}"#);
    write_sources(&fixture, &[("external", &condition)]);
    let report = assert_reported(
        &fixture,
        exec(&fixture, &["external"]),
        &[
            "Most likely the role requires an external ID (~/trust/external.json, just now); [profile external] has none.",
        ],
    );
    let json = fixture.hatbox(&["why", "--json"]).run().ok().stdout;
    assert!(!format!("{report}{json}").contains(EXPECTED));
    fixture.write_config(&config("external", "external", "external_id = canary-wrong-id\n"));
    assert_reported(
        &fixture,
        exec(&fixture, &["external"]),
        &["and the one of [profile external] may be another."],
    );
    let recorded = fixture.hatbox(&["why", "--json"]).run().ok().stdout;
    assert!(!recorded.contains("canary"), "the id is not recorded: {recorded}");
    fixture.write_config(&config("external", "external", &format!("external_id = {EXPECTED}\n")));
    exec(&fixture, &["external"]).ok();
}

#[test]
fn a_session_must_bear_the_users_name() {
    let fixture = Fixture::with_config(&config("named", "named", ""));
    write_sources(&fixture, &[("named", r#"{"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}"#)]);
    let told = "Most likely the role requires another session name than `hatbox-PROFILE-TIME`";
    let report = assert_reported(&fixture, exec(&fixture, &["named"]), &[told]);
    let line = setting(&report, "role_session_name");
    fixture.write_config(&config("named", "named", &format!("{line}\n")));
    exec(&fixture, &["named"]).ok();
}

#[test]
fn tags_and_source_identity_are_named_by_aws() {
    for (lines, flag, action, told) in [
        (
            "session_tags = team=blue\n",
            ("--session-tag", "team=blue"),
            "sts:TagSession",
            "AWS said the request has session tags (team), and jan is not authorized to perform sts:TagSession on tagless.",
        ),
        (
            "source_identity = jan\n",
            ("--source-identity", "jan"),
            "sts:SetSourceIdentity",
            "AWS said the request has a source identity, and jan is not authorized to perform sts:SetSourceIdentity on tagless.",
        ),
    ] {
        let fixture = Fixture::with_config(&config("tagless", "tagless", lines));
        let report = assert_reported(&fixture, exec(&fixture, &["tagless"]), &[told]);
        assert!(report.contains(action), "{report}");
        fixture.write_config(&config("tagless", "tagless", ""));
        exec(&fixture, &["tagless"]).ok();
        assert_reported(
            &fixture,
            exec(&fixture, &["--fresh", flag.0, flag.1, "tagless"]),
            &[told, &format!("Fix run it again without {}", flag.0)],
        );
    }
}

#[test]
fn a_role_that_trusts_others_says_whom() {
    let fixture = Fixture::with_config(&config("strangers", "strangers", ""));
    write_sources(&fixture, &[("other", "{}")]);
    let policy = r#"{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "999999999999"}}}"#;
    fs::write(fixture.home().join("trust/strangers.json"), policy).unwrap();
    assert_reported(
        &fixture,
        exec(&fixture, &["strangers"]),
        &[
            "Most likely strangers trusts 999999999999, you are in 111122223333 (~/trust/strangers.json, just now).",
        ],
    );
}

#[test]
fn a_length_a_region_and_a_device_are_fixed_as_the_hints_say() {
    let fixture = Fixture::with_config(&config("short", "short", ""));
    let told = "AWS said short allows less than 2h, which you asked for (--duration).";
    assert_reported(&fixture, exec(&fixture, &["-d", "2h", "short"]), &[told, "run it again with -d 1h"]);
    exec(&fixture, &["-d", "1h", "short"]).ok();

    let told = "AWS said the region ap-east-1 is not enabled in the account.";
    let outcome = exec(&fixture, &["--fresh", "--region", DISABLED_REGION, "short"]);
    assert_reported(&fixture, outcome, &[told, "hatbox exec --region us-east-1 short -- ..."]);
    exec(&fixture, &["--fresh", "--region", "us-east-1", "short"]).ok();

    let user = "mfa_serial = arn:aws:iam::111122223333:user/jan\n";
    fixture.write_config(&config("guarded", "guarded", user));
    let told = "`mfa_serial` is a user ARN; the device is probably `arn:aws:iam::111122223333:mfa/jan`.";
    let report = assert_reported(&fixture, exec(&fixture, &["-t", "123456", "guarded"]), &[told]);
    let line = setting(&report, "mfa_serial");
    fixture.write_config(&config("guarded", "guarded", &format!("{line}\n")));
    let code = fixture.code(PHONE);
    exec(&fixture, &["-t", &code, "guarded"]).ok();
}

#[test]
fn an_old_session_is_renewed_as_the_hint_says() {
    let lines = format!("mfa_serial = {PHONE}\n");
    let config = config("recent", "recent", &lines)
        .replace("[profile jan-work]\n", &format!("[profile jan-work]\nmfa_serial = {PHONE}\n"));
    let fixture = Fixture::with_config(&config);
    let code = fixture.code(PHONE);
    exec(&fixture, &["-t", &code, "recent"]).ok();
    fixture.advance(3 * 3600);
    let condition = r#"{"Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}"#;
    write_sources(&fixture, &[("recent", condition)]);
    let report = assert_reported(
        &fixture,
        exec(&fixture, &["recent"]),
        &["Most likely the role requires MFA within 1h", "the cached session is 3h old."],
    );
    assert!(report.contains("hatbox exec --fresh recent -- ..."), "{report}");
    let code = fixture.code(PHONE);
    exec(&fixture, &["--fresh", "-t", &code, "recent"]).ok();
}

#[test]
fn a_key_that_aws_does_not_know_is_reported() {
    let fixture = Fixture::with_config(&config("reader", "reader", ""));
    let id = fixture.key("jan-work").id.clone();
    fixture.client().set_key_status(&id, KeyStatus::Inactive).unwrap();
    let told = "stored for `jan-work` is unknown to AWS, or was made inactive. Fix hatbox add jan-work";
    assert_reported(&fixture, exec(&fixture, &["reader"]), &[told]);
}

#[test]
fn what_is_on_record_is_the_users_alone_and_can_be_shown_masked() {
    let fixture = Fixture::with_config(&config("guarded", "guarded", ""));
    let nothing = fixture.hatbox(&["why"]).run().expect_code(6);
    assert_eq!((nothing.stdout.as_str(), nothing.stderr.lines().count()), ("", 2));
    exec(&fixture, &["guarded"]).expect_code(125);
    exec(&fixture, &["missing"]).expect_code(125);
    let records: Vec<_> =
        fixture.files().into_iter().filter(|path| path.to_string_lossy().contains("/failures/")).collect();
    assert_eq!(records.len(), 2, "one for each profile");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&records[0]), mode(records[0].parent().unwrap())), (0o600, 0o700));

    // Neither is readable on disk, including in the failure that a lock file holds for waiting processes.
    for file in fixture.files().iter().filter(|path| path.to_string_lossy().contains("/.cache/")) {
        let bytes = fs::read(file).unwrap();
        for text in ["arn:", "guarded", "jan-work", "AccessDenied", "111122223333"] {
            let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!found, "{text} in {}", file.display());
        }
    }

    let masked = fixture.hatbox(&["why", "--redact", "guarded"]).run().expect_code(6).stdout;
    assert!(masked.contains("User: <user-1> is not"), "{masked}");
    for text in ["111122223333", "444455556666", "arn:", " jan "] {
        assert!(!masked.contains(text), "{text}: {masked}");
    }
    let json = fixture.hatbox(&["why", "--json", "guarded"]).run().expect_code(6).stdout;
    assert!(json.starts_with("{\n  \"schema\": 1,") && json.contains("\"id\": \"no-code\""), "{json}");
    // Other failures are shown as they were reported.
    let other = fixture.hatbox(&["why", "missing"]).run().ok().stdout;
    assert!(other.contains("profile `missing`"), "{other}");
    fixture.hatbox(&["why", "nobody"]).run().expect_code(6);
}

#[test]
fn nothing_is_called_for_a_diagnosis_and_no_one_waits() {
    let mut config = config("guarded", "guarded", "");
    for number in 0..500 {
        config.push_str(&format!(
            "\n[profile p{number}]\nsource_profile = jan-work\nrole_arn = {ACCOUNT}/r{number}\n"
        ));
    }
    let fixture = Fixture::with_config(&config);
    exec(&fixture, &["guarded"]).expect_code(125);
    let calls = fixture.log().len();
    exec(&fixture, &["guarded"]).expect_code(125);
    assert_eq!(fixture.log().len() - calls, 1, "the refused call itself");
}

#[test]
fn a_role_that_a_variable_gave_is_named_with_the_variable() {
    let fixture = Fixture::with_config(&config("plain", "reader", ""));
    let strangers = format!("{ACCOUNT}/strangers");
    let with_variable = |arguments: &[&str]| fixture.hatbox(arguments).env("AWS_ROLE_ARN", &strangers);
    let replaces = format!("AWS_ROLE_ARN replaces the role of profile `plain` ({ACCOUNT}/reader)");
    let gives = "AWS_ROLE_ARN gives profile `jan-work` a role; the profile itself has none";
    for (profile, expected) in [("plain", replaces.as_str()), ("jan-work", gives)] {
        let outcome = with_variable(&["exec", profile, "--", "true"]).run();
        assert_reported(&fixture, outcome, &[&format!("{expected}. Fix unset AWS_ROLE_ARN")]);
        let outcome = with_variable(&["export", profile]).run();
        assert!(
            !outcome.status.success() && unwrapped(&outcome.stderr).contains(expected),
            "{}",
            outcome.stderr
        );
        let json = fixture.hatbox(&["why", "--json"]).run().expect_code(6).stdout;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["role_of_environment"]["text"], expected);
        assert_eq!(json["role_of_environment"]["fix"]["command"], "unset AWS_ROLE_ARN");
        let plan = with_variable(&["explain", profile]).run().ok().stdout;
        assert!(
            unwrapped(&plan).contains(&format!("{expected}; `unset AWS_ROLE_ARN` undoes that")),
            "{plan}"
        );
    }

    // The variable is not blamed if the source profile was denied, nor for a role that does not use it.
    let chain = format!(
        "[profile jan-work]\n\n[profile strange]\nsource_profile = jan-work\nrole_arn = {strangers}\n\n\
         [profile plain]\nsource_profile = strange\nrole_arn = {ACCOUNT}/reader\n"
    );
    fixture.write_config(&chain);
    let refused = with_variable(&["exec", "plain", "--", "true"]).run().expect_code(125).stderr;
    assert!(refused.contains("may not assume strangers"), "{refused}");
    assert!(!refused.contains("AWS_ROLE_ARN"), "{refused}");
    fixture.write_config(&config("plain", "strangers", ""));
    let refused = exec(&fixture, &["plain"]).expect_code(125).stderr;
    assert!(!refused.contains("AWS_ROLE_ARN"), "{refused}");
}

/// A forgotten variable is easy to miss, as users look for the cause in the profile.
#[test]
fn parts_of_the_call_that_variables_gave_are_named_with_the_variables() {
    let fixture = Fixture::with_config(&config("plain", "strangers", ""));
    let other = "arn:aws:iam::111122223333:mfa/other";
    for (name, value, part) in [
        ("AWS_MFA_SERIAL", other, "MFA device"),
        ("AWS_SESSION_TAGS", "team=a", "session tags"),
        ("AWS_SOURCE_IDENTITY", "jan", "source identity"),
    ] {
        let flags = ["exec", "-t", "123456", "plain", "--", "true"];
        let refused = fixture.hatbox(&flags).env(name, value).run().expect_code(125).stderr;
        let profile = if refused.contains("GetSessionToken") { "jan-work" } else { "plain" };
        let note = format!("{name} sets the {part} of profile `{profile}`. Fix unset {name}");
        assert!(unwrapped(&refused).contains(&note), "{note}\n{refused}");
        let json = fixture.hatbox(&["why", "--offline", "--json"]).run().stdout;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["parts_of_environment"][0]["fix"]["command"], format!("unset {name}"), "{json}");
        // Without the variable or flag, it is not mentioned.
        let refused = fixture.hatbox(&flags).run().expect_code(125).stderr;
        assert!(!refused.contains(name), "{refused}");
    }
}

/// Three causes remain for AWS's short message. A missing code is only likely for users with a device.
#[test]
fn a_missing_code_comes_first_only_where_something_suggests_a_device() {
    let fixture = Fixture::with_config("");
    let role = |lines: &str| config("plain", "strangers", lines);
    let device = format!("mfa_serial = {PHONE}\n");
    for (lines, has_device) in [
        (String::new(), false),
        // The device belongs to another user, or to no user.
        (format!("\n[profile kim]\n{device}"), false),
        (format!("\n[profile other]\nsource_profile = kim\n{device}\n[profile kim]\n"), false),
        (format!("\n[profile other]\nsource_profile = jan-work\n{device}"), true),
        (
            format!(
                "\n[profile far]\nsource_profile = near\n{device}\n[profile near]\nsource_profile = jan-work\n\
                 role_arn = {ACCOUNT}/reader\n"
            ),
            true,
        ),
    ] {
        fixture.write_config(&role(&lines));
        let refused = unwrapped(&exec(&fixture, &["plain"]).expect_code(125).stderr);
        assert_eq!(refused.contains("Most likely no MFA code was sent"), has_device, "{lines}{refused}");
        let open = "Perhaps strangers does not trust jan. Fix ask whoever manages strangers to trust \
                    arn:aws:iam::111122223333:user/jan Or jan's own policies do not allow it. Or strangers may \
                    require MFA, and no MFA code was sent: [profile plain] has no mfa_serial; AWS did not say \
                    which of the three.";
        assert_eq!(refused.contains(open), !has_device, "{lines}{refused}");
        // If all causes are equally possible, the exit code says so.
        let why = fixture.hatbox(&["why", "--offline", "--json"]).run();
        let why = why.expect_code(if has_device { 0 } else { 6 }).stdout;
        let why: serde_json::Value = serde_json::from_str(&why).unwrap();
        assert_eq!(why["explained"], has_device, "{why}");
    }
}
