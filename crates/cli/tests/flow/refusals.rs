//! How AWS errors are reported: the whole stderr for each error that hatbox can meet.

use hatbox_sandbox::control::{Fault, FaultKind};
use hatbox_sandbox::world::KeyStatus;

use crate::cast::{ENDLESS, ENDLESS_TOKEN, KIMS_PHONE, PHONE};
use crate::fixture::Fixture;
use crate::run::{Outcome, Run};

const STS: &str = "hatbox: using the STS endpoint SANDBOX (not AWS)\n";

fn config() -> String {
    let mut text = "[profile jan-work]\n".to_owned();
    let mut role = |profile: &str, role: &str, rest: &str| {
        text.push_str(&format!(
            "\n[profile {profile}]\nsource_profile = jan-work\n\
             role_arn = arn:aws:iam::444455556666:role/{role}\n{rest}"
        ));
    };
    role("reader", "reader", "");
    role("short", "short", "");
    role("strangers", "strangers", "");
    role("missing", "no-such-role", "");
    role("external", "external", "external_id = the-wrong-one\n");
    role("guarded", "guarded", &format!("mfa_serial = {PHONE}\n"));
    role("guarded-without", "guarded", "");
    role("of-kim", "guarded", &format!("mfa_serial = {KIMS_PHONE}\n"));
    role("of-nobody", "guarded", "mfa_serial = arn:aws:iam::111122223333:mfa/lost\n");
    role("of-the-user", "guarded", "mfa_serial = arn:aws:iam::111122223333:user/jan\n");
    text.push_str(
        "\n[profile from-env]\ncredential_source = Environment\n\
         role_arn = arn:aws:iam::444455556666:role/reader\n",
    );
    text
}

fn fixture() -> Fixture {
    Fixture::with_config(&config())
}

fn exec(fixture: &Fixture, arguments: &[&str]) -> Run {
    fixture.hatbox(&["exec", "--fresh"]).args(arguments).args(["--", "echo", "in"])
}

#[track_caller]
fn assert_refused(fixture: &Fixture, outcome: Outcome, expected: &str) {
    let outcome = outcome.expect_code(125);
    let shown = fixture.shown(&outcome.stderr);
    assert_eq!(shown, format!("{STS}{expected}"));
    assert_eq!(outcome.stdout, "");
}

/// The first lines of every AssumeRole error.
fn role_error(profile: &str, role: &str, cause: &str) -> String {
    format!(
        "hatbox: error: could not assume the role of profile `{profile}` (arn:aws:iam::444455556666:role/{role})\n\
         \x20 caused by: {cause}\n"
    )
}

/// The output for a denied role whose causes are explained: `who` was not allowed to assume `role`.
fn diagnosed(who: &str, role: &str, cause: &str, lines: &str) -> String {
    let code = cause.split(':').next().unwrap();
    let does = if cause.contains("is not authorized") { "may not" } else { "did not" };
    let start = if code == "AccessDenied" { "access denied" } else { "AWS returned an error" };
    format!(
        "hatbox: error: {start}: {who} {does} assume {role} (sts:AssumeRole, {code})\n\
         \x20 caused by: {cause}\n\n{lines}{END}"
    )
}

const END: &str = "              hatbox why --last     shows everything that was checked\n";
const KEY: &str = "the key of `jan-work`";
const UNKNOWN: &str = "InvalidClientTokenId: The security token included in the request is invalid.";
const WRONG_CODE: &str =
    "AccessDenied: MultiFactorAuthentication failed with invalid MFA one time pass code.";
const WRONG_DEVICE: &str = "AccessDenied: MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.";

#[test]
fn a_wrong_secret_is_kept_apart_from_an_unknown_key() {
    let fixture = fixture();
    let id = fixture.key("jan-work").id.clone();
    fixture.client().set_key_status(&id, KeyStatus::Inactive).unwrap();
    assert_refused(
        &fixture,
        exec(&fixture, &["reader"]).run(),
        &diagnosed(
            KEY,
            "reader",
            UNKNOWN,
            &format!(
                "AWS said      the access key ****{} stored for `jan-work` is unknown to AWS,\n\
                 \x20             or was made inactive.\n\
                 Fix           hatbox add jan-work     stores another\n",
                &id[id.len() - 4..]
            ),
        ),
    );
    fixture.client().set_key_status(&id, KeyStatus::Active).unwrap();
    let wrong = format!("{id}\n{}\n", "x".repeat(40));
    fixture.hatbox(&["add", "--stdin", "--force", "jan-work"]).input(wrong).run().ok();
    assert_refused(
        &fixture,
        exec(&fixture, &["jan-work"]).run(),
        "hatbox: error: could not get a session for `jan-work` (GetSessionToken)\n\
         \x20 caused by: SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\
         hatbox: hint: the secret does not belong to this access key id; store both again: hatbox add jan-work\n",
    );
}

#[test]
fn a_clock_that_is_off_is_named_with_its_seconds() {
    let fixture = fixture();
    for (offset, start, word, code) in [
        (-3600, "Signature expired: ", "behind", "111111"),
        (3600, "Signature not yet current: ", "ahead", "222222"),
    ] {
        let run =
            exec(&fixture, &["guarded", "-t", code]).env("HATBOX_TEST_CLOCK_OFFSET", offset.to_string());
        let outcome = run.run().expect_code(125);
        let beginning = role_error("guarded", "guarded", &format!("SignatureDoesNotMatch: {start}"));
        let beginning = format!("{STS}{}", beginning.trim_end());
        let shown = fixture.shown(&outcome.stderr);
        assert!(shown.starts_with(&beginning), "{shown}");
        // The two clocks are read one after the other, so the difference may vary by a second.
        let is_told = [3599, 3600, 3601].iter().any(|seconds| {
            shown.ends_with(&format!(
                "\nhatbox: hint: this machine's clock is {seconds} s {word}; AWS allows 15 minutes\n\
                 hatbox: hint: set the clock, for instance: sudo timedatectl set-ntp true\n"
            ))
        });
        assert!(is_told, "{shown}");
    }
    // Without an MFA code, the SDK may correct the clock from AWS's answer and retry.
    for offset in [-3600, 1800] {
        exec(&fixture, &["reader"]).env("HATBOX_TEST_CLOCK_OFFSET", offset.to_string()).run().ok();
    }
    // Credentials for one hour have expired for a clock that is an hour ahead.
    let over = exec(&fixture, &["reader"]).env("HATBOX_TEST_CLOCK_OFFSET", "3700").run().expect_code(125);
    assert!(over.stderr.contains("caused by: the credentials in the response expired "), "{}", over.stderr);
    assert!(over.stderr.contains("hint: this machine's clock is 1h1m"), "{}", over.stderr);
}

#[test]
fn an_ended_source_must_be_obtained_again() {
    let fixture = fixture();
    let key = fixture.key(ENDLESS);
    let run = |fixture: &Fixture| {
        exec(fixture, &["from-env"])
            .env("AWS_ACCESS_KEY_ID", &key.id)
            .env("AWS_SECRET_ACCESS_KEY", key.secret.expose())
            .env("AWS_SESSION_TOKEN", ENDLESS_TOKEN)
    };
    run(&fixture).run().ok();
    assert_refused(
        &fixture,
        run(&fixture).env("AWS_SESSION_TOKEN", "wrong").run(),
        &diagnosed(
            "the key of `from-env`",
            "reader",
            UNKNOWN,
            &format!(
                "AWS said      AWS_ACCESS_KEY_ID ****{} of the environment is unknown to AWS,\n\
                 \x20             was made inactive, or came with another key's AWS_SESSION_TOKEN.\n\
                 Fix           set all three variables again, from one source\n",
                &key.id[key.id.len() - 4..]
            ),
        ),
    );
    fixture.advance(31 * 24 * 3600);
    assert_refused(
        &fixture,
        run(&fixture).run(),
        &diagnosed(
            "the key of `from-env`",
            "reader",
            "ExpiredToken: The security token included in the request is expired",
            "AWS said      the temporary credentials in the environment have expired.\n\
             Fix           obtain new ones, or unset AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY\n\
             \x20             and AWS_SESSION_TOKEN\n",
        ),
    );
}

#[test]
fn the_root_user_gets_the_hint_that_it_cannot() {
    let fixture = fixture();
    let key = fixture.key("root");
    let run = exec(&fixture, &["from-env"])
        .env("AWS_ACCESS_KEY_ID", &key.id)
        .env("AWS_SECRET_ACCESS_KEY", key.secret.expose());
    assert_refused(
        &fixture,
        run.run(),
        &(role_error("from-env", "reader", "AccessDenied: Roles may not be assumed by root accounts.")
            + "hatbox: hint: the root user cannot assume roles: make an IAM user, and store its access key\n"),
    );
}

#[test]
fn a_length_over_the_roles_maximum_says_what_to_do() {
    let fixture = fixture();
    assert_refused(
        &fixture,
        exec(&fixture, &["short", "-d", "2h"]).run(),
        &diagnosed(
            KEY,
            "short",
            "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            "AWS said      short allows less than 2h, which you asked for (--duration).\n\
             Fix           run it again with -d 1h\n\
             \x20             or have the maximum session duration of short raised (12h at most)\n",
        ),
    );
}

#[test]
fn a_role_that_is_not_allowed_looks_the_same_whatever_the_reason() {
    let fixture = fixture();
    for (profile, role, why, or) in [
        (
            "strangers",
            "strangers",
            "[profile strangers] has no mfa_serial, and\n              the role may require MFA.",
            "strangers does not trust jan; AWS did not say which of the three.",
        ),
        (
            "missing",
            "no-such-role",
            "[profile missing] has no mfa_serial, and the\n              role may require MFA.",
            "no-such-role does not trust jan; AWS did not say which of the\n              three.",
        ),
        (
            "guarded-without",
            "guarded",
            "[profile guarded-without] has no mfa_serial,\n              and the role may require MFA.",
            "guarded does not trust jan; AWS did not say which of the three.",
        ),
    ] {
        let arn = format!("arn:aws:iam::444455556666:role/{role}");
        let refused = format!(
            "AccessDenied: User: arn:aws:iam::111122223333:user/jan is not authorized to perform: sts:AssumeRole on resource: {arn}"
        );
        let lines = format!(
            "Most likely   no MFA code was sent: {why}\n\
             Fix           mfa_serial = {PHONE}     in ~/.aws/config, [profile {profile}]\n\
             Or            jan's own policies do not allow it.\n\
             Or            {or}\n"
        );
        assert_refused(&fixture, exec(&fixture, &[profile]).run(), &diagnosed("jan", role, &refused, &lines));
    }
    // An external ID of this profile is reported as a possible cause.
    let outcome = exec(&fixture, &["external"]).run().expect_code(125);
    let told = "Or            the external ID of [profile external] may not be the one that the\n";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("the-wrong-one"), "{}", outcome.stderr);
}

#[test]
fn a_code_that_is_not_taken_says_where_it_came_from() {
    let fixture = fixture();
    let said = |outcome: Outcome, text: &str| {
        let outcome = outcome.expect_code(125);
        // The number of seconds until the next code depends on the time.
        let shown =
            fixture.shown(&outcome.stderr).replace(|c: char| c.is_ascii_digit(), "#").replace("##", "#");
        let lines = format!(
            "AWS said      {text}\n\
             Fix           each code works once; wait # s for the next\n\
             \x20             if that does not help, check the clock of the device\n"
        );
        assert_eq!(shown, format!("{STS}{}", diagnosed(KEY, "guarded", WRONG_CODE, &lines)));
    };
    let wrong = "the MFA code is wrong, too late, or was already used.";
    said(exec(&fixture, &["guarded", "-t", "000000"]).run(), wrong);
    let code = fixture.code(PHONE);
    exec(&fixture, &["guarded", "-t", &code]).run().ok();
    let calls = fixture.log().len();
    assert_refused(
        &fixture,
        exec(&fixture, &["guarded", "-t", &code]).run(),
        &format!(
            "hatbox: error: the MFA code of {PHONE} was used already\n\
             hatbox: hint: each code works once; wait for the next one\n"
        ),
    );
    assert_eq!(fixture.log().len(), calls, "it is not sent again");
    let prints = |code: &str| {
        let serial = format!("mfa_serial = {PHONE}\n");
        fixture.write_config(&config().replace(&serial, &format!("{serial}mfa_process = echo {code}\n")));
    };
    prints("000001");
    let printed = "`mfa_process` printed a code that is wrong, too late, or was\n              already used.";
    said(exec(&fixture, &["guarded"]).run(), printed);
    // A code that was generated on this machine is as wrong as its clock, which the answer reveals.
    for (offset, word, code) in [(-95, "behind", "111111"), (95, "ahead", "222222")] {
        prints(code);
        let run = exec(&fixture, &["guarded"]).env("HATBOX_TEST_CLOCK_OFFSET", offset.to_string());
        let outcome = run.run().expect_code(125);
        // The two clocks are read one after the other, so the difference may vary by a second.
        let is_told = [94, 95, 96].iter().any(|seconds| {
            outcome.stderr.contains(&format!(
                "\n\x20             your clock is {seconds} s {word}: a code made on this machine is then\n\
                 \x20             wrong\n\
                 \x20             sudo timedatectl set-ntp true\n"
            ))
        });
        assert!(is_told, "{}", outcome.stderr);
    }
}

#[test]
fn a_device_that_is_not_the_users_is_kept_apart_from_a_wrong_code() {
    let fixture = fixture();
    for (profile, serial) in [("of-kim", KIMS_PHONE), ("of-nobody", "arn:aws:iam::111122223333:mfa/lost")] {
        let outcome = exec(&fixture, &[profile, "-t", "123456"]).run();
        let start = format!("AWS said      a code of {serial} could not be checked:");
        let end = format!(
            "it must be a device of the user whose key signs.\n\
             Fix           `guarded` names another: {PHONE}\n\
             \x20             hatbox mfa list jan-work     shows the user's devices\n"
        );
        let lines = format!("{start}\n              {end}");
        assert_refused(&fixture, outcome, &diagnosed(KEY, "guarded", WRONG_DEVICE, &lines));
    }
    let outcome = exec(&fixture, &["of-the-user", "-t", "123456"]).run().expect_code(125);
    let warning = "hatbox: warning: ~/.aws/config:46: `mfa_serial` is the ARN of a user; that of an MFA device has `:mfa/`\n";
    let lines = format!(
        "Most likely   `mfa_serial` is a user ARN; the device is probably\n\
         \x20             `{PHONE}`.\n\
         Fix           mfa_serial = {PHONE}     in ~/.aws/config, [profile of-the-user]\n"
    );
    let expected = diagnosed(KEY, "guarded", WRONG_DEVICE, &lines);
    assert_eq!(fixture.shown(&outcome.stderr), format!("{warning}{STS}{expected}"));
    fixture.client().add_fault(&Fault::once(FaultKind::DeviceOutOfSync)).unwrap();
    let code = fixture.code(PHONE);
    let outcome = exec(&fixture, &["guarded", "-t", &code]).run().expect_code(125);
    assert!(
        outcome.stderr.contains(&format!("a code of {PHONE} could not be checked")),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_busy_or_failing_service_is_tried_again_but_never_with_a_code() {
    let fixture = fixture();
    let fault = |kind: FaultKind, times: Option<u32>| {
        fixture.client().clear_faults().unwrap();
        fixture.client().add_fault(&Fault { kind, times, action: None }).unwrap();
    };
    let calls = || fixture.log().len();
    let dropped = (
        "SANDBOX closed the connection without a response: connection closed before message completed",
        "check that the endpoint SANDBOX is correct and running",
    );
    for (kind, (cause, hint)) in [
        (
            FaultKind::Throttling,
            ("Throttling: Rate exceeded", "AWS received too many requests; try again in a moment"),
        ),
        (FaultKind::Unavailable, ("ServiceUnavailable: Service is unable to handle request.", "")),
        (FaultKind::DropConnection, dropped),
        (FaultKind::DropAnswer, dropped),
    ] {
        fault(kind.clone(), Some(2));
        let before = calls();
        exec(&fixture, &["reader"]).run().ok();
        assert_eq!(calls() - before, 3, "{kind:?}: the third try");

        fault(kind.clone(), None);
        let before = calls();
        let hint = if hint.is_empty() { String::new() } else { format!("hatbox: hint: {hint}\n") };
        assert_refused(
            &fixture,
            exec(&fixture, &["reader"]).run(),
            &(role_error("reader", "reader", cause) + &hint),
        );
        assert_eq!(calls() - before, 3, "{kind:?}: three tries and no more");

        let before = calls();
        fixture.advance(30);
        let code = fixture.code(PHONE);
        let refused = exec(&fixture, &["guarded", "-t", &code]).run().expect_code(125);
        assert!(
            refused.stderr.contains("could not assume the role of profile `guarded`"),
            "{}",
            refused.stderr
        );
        assert_eq!(calls() - before, 1, "{kind:?}: a code goes out once");
    }
}

#[test]
fn an_endpoint_without_a_server_is_named() {
    let fixture = fixture();
    let run =
        exec(&fixture, &["reader"]).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").run().expect_code(125);
    let expected = role_error(
        "reader",
        "reader",
        "no connection to http://127.0.0.1:1: Connection refused (os error 111)",
    );
    assert_eq!(
        run.stderr,
        format!(
            "hatbox: using the STS endpoint http://127.0.0.1:1 (not AWS)\n{expected}\
             hatbox: hint: check that the endpoint http://127.0.0.1:1 is correct and running\n"
        )
    );
}

#[test]
fn a_session_for_less_time_than_asked_for_is_never_handed_over_without_a_word() {
    let fixture = fixture();
    fixture.client().add_fault(&Fault::once(FaultKind::ShortLifeSeconds(900))).unwrap();
    let outcome = exec(&fixture, &["reader"]).run().ok();
    let warning = "hatbox: warning: AssumeRole for `reader` was granted for 15m instead of 1h\n";
    assert!(
        ["15m", "14m59s"].iter().any(|granted| {
            fixture.shown(&outcome.stderr) == format!("{STS}{}", warning.replace("15m", granted))
        }),
        "{}",
        outcome.stderr
    );
}

#[test]
fn nothing_goes_out_in_plain_http_to_another_machine_or_to_a_sandbox_that_did_not_mint_the_key() {
    let fixture = fixture();
    let run =
        exec(&fixture, &["reader"]).env("AWS_ENDPOINT_URL", "http://192.0.2.1:4566").run().expect_code(125);
    assert_eq!(
        run.stderr,
        "hatbox: error: invalid endpoint `http://192.0.2.1:4566`: plain http to another machine would expose the credentials\n"
    );
    let run = exec(&fixture, &["reader"]).env("HATBOX_SANDBOX", "0123456789abcdef").run().expect_code(125);
    assert_eq!(
        run.stderr,
        "hatbox: error: the access key of `reader` was not created by this sandbox\n\
         hatbox: hint: leave the sandbox's shell, or unset HATBOX_SANDBOX\n"
    );
    assert_eq!(fixture.log(), []);
    exec(&fixture, &["reader"]).env("HATBOX_SANDBOX", fixture.client().id()).run().ok();
}

#[test]
fn in_a_sandboxs_environment_no_key_of_another_place_is_handed_over_either() {
    let fixture = Fixture::with_config(
        "[profile reader]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/Reader\n\
         [profile plain]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = canary-plain\n\
         [profile ambient]\ncredential_source = Environment\n",
    );
    // Cached sessions belong to the sandbox too.
    fixture.hatbox(&["export", "jan-work"]).run().ok();
    let refused = |profile: &str, flags: &[&str]| {
        for verb in [&["exec"][..], &["export"], &["export", "--format", "json"], &["exec", "--json"]] {
            let command: &[&str] = if verb == ["exec"] { &["--", "env"] } else { &[] };
            let outcome = fixture
                .hatbox(&[verb, flags, &[profile], command].concat())
                .env("HATBOX_SANDBOX", "0123456789abcdef")
                .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
                .env("AWS_SECRET_ACCESS_KEY", "canary-ambient")
                .run();
            assert_ne!(outcome.code(), Some(0), "{verb:?} {flags:?} {profile}");
            assert_eq!(outcome.stdout, "", "{verb:?} {flags:?} {profile}");
            let expected = "was not created by this sandbox";
            assert!(outcome.stderr.contains(expected), "{verb:?} {profile}: {}", outcome.stderr);
        }
    };
    let calls = fixture.log().len();
    refused("jan-work", &["-n"]);
    refused("jan-work", &[]);
    refused("plain", &["-n"]);
    refused("ambient", &["-n"]);
    assert_eq!(fixture.log().len(), calls, "nothing was sent");
    let own = fixture.hatbox(&["exec", "-n", "jan-work", "--", "true"]);
    own.env("HATBOX_SANDBOX", fixture.client().id()).run().ok();
}
