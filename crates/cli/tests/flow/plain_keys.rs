//! Keys in the files, with their expiry and their account.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::cast::{ENDLESS, ENDLESS_TOKEN, PEOPLE, WORK};
use crate::fixture::Fixture;

/// Returns the time in `seconds` seconds.
fn at(seconds: i64) -> Timestamp {
    let time = Timestamp::now().checked_add(SignedDuration::from_secs(seconds)).unwrap();
    Timestamp::from_second(time.as_second()).unwrap()
}

/// Writes jan's temporary keys to the credentials file, with additional lines.
fn write_keys(fixture: &Fixture, lines: &str) {
    let key = fixture.key(ENDLESS);
    let text = format!(
        "[tmp]\naws_access_key_id = {}\naws_secret_access_key = {}\n{lines}",
        key.id,
        key.secret.expose()
    );
    std::fs::write(fixture.path("home/.aws/credentials"), text).unwrap();
}

fn export(fixture: &Fixture, profile: &str) -> crate::run::Outcome {
    fixture.hatbox(&["export", "--format", "json", profile]).run()
}

#[test]
fn keys_that_have_expired_are_not_handed_over_and_their_end_is() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    fixture.write_config(
        "[profile above]\nsource_profile = tmp\nrole_arn = arn:aws:iam::444455556666:role/reader\n",
    );
    let token = format!("aws_session_token = {ENDLESS_TOKEN}\n");
    let soon = at(1800);
    for (name, format) in [
        ("x_security_token_expires", "%Y-%m-%dT%H:%M:%SZ"),
        ("aws_expiration", "%Y-%m-%dT%H:%M:%SZ"),
        ("aws_session_expiration", "%Y-%m-%dT%H:%M:%S+00:00"),
        ("expiration", "%Y-%m-%d %H:%M:%S"),
    ] {
        // Taken for each format, as the text changes every minute.
        let past = at(-7200);
        let end = past.strftime(format);
        for token in ["", token.as_str()] {
            write_keys(&fixture, &format!("{token}{name} = {end}\n"));
            for profile in ["tmp", "above"] {
                let refused = export(&fixture, profile).expect_code(1);
                let said = format!(
                    "hatbox: error: the access key of profile `tmp` expired 2h ago, at {past}\n  \
                     --> ~/.aws/credentials:2\n\
                     hatbox: hint: get a new one with the program that wrote it, or remove its lines\n"
                );
                assert!(refused.stderr.ends_with(&said), "{name} {profile}: {}", refused.stderr);
            }
        }
    }
    assert_eq!(fixture.log(), [], "nothing is called with them");
    write_keys(&fixture, &format!("{token}x_security_token_expires = {soon}\n"));
    let json: Value = serde_json::from_str(&export(&fixture, "tmp").ok().stdout).unwrap();
    assert_eq!(json["Expiration"], soon.to_string());
    let explain = fixture.hatbox(&["explain", "tmp"]).run().ok().stdout;
    assert!(explain.contains(&soon.to_string()), "{explain}");
    // An invalid time is ignored.
    write_keys(&fixture, &format!("{token}aws_expiration = soon\n"));
    let json: Value = serde_json::from_str(&export(&fixture, "tmp").ok().stdout).unwrap();
    assert_eq!(json["Expiration"], Value::Null);
}

#[test]
fn the_account_that_a_profile_names_is_that_of_its_own_credentials() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    let account = |profile: &str| {
        let shown = fixture.hatbox(&["exec", profile, "--", "printenv", "AWS_ACCOUNT_ID"]).run();
        let json: Value = serde_json::from_str(&export(&fixture, profile).ok().stdout).unwrap();
        assert_eq!(json["AccountId"].as_str().unwrap_or_default(), shown.stdout.trim(), "{profile}");
        (shown.stdout.trim().to_owned(), shown.stderr)
    };
    let config = |id: &str| {
        fixture.write_config(&format!(
            "[profile tmp]\naws_account_id = {id}\n[profile jan-work]\naws_account_id = {id}\n\
             [profile printed]\ncredential_process = corp-login\naws_account_id = {id}\n\
             [profile above]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::{WORK}:role/reader\n\
             aws_account_id = {id}\n"
        ));
    };
    write_keys(&fixture, &format!("aws_session_token = {ENDLESS_TOKEN}\n"));
    let prints = |more: &str| {
        let key = fixture.key(ENDLESS);
        let answer = format!(
            r#"{{"Version":1,"AccessKeyId":"{}","SecretAccessKey":"{}","SessionToken":"{ENDLESS_TOKEN}"{more}}}"#,
            key.id,
            key.secret.expose()
        );
        std::fs::write(fixture.path("home/answer"), answer).unwrap();
        fixture.write_program("corp-login", "cat \"$HOME/answer\"");
    };
    prints("");
    config(PEOPLE);
    for profile in ["tmp", "jan-work", "printed"] {
        assert_eq!(account(profile).0, PEOPLE, "{profile}");
    }
    assert_eq!(account("above").0, WORK, "a role's account is that of its ARN");
    prints(&format!(r#","AccountId":"{WORK}""#));
    assert_eq!(account("printed").0, WORK, "what the program prints goes first");
    let explain = fixture.hatbox(&["explain", "jan-work"]).run().ok().stdout;
    assert!(explain.contains(PEOPLE), "{explain}");
    prints("");
    config("corp-people");
    for profile in ["tmp", "jan-work", "printed"] {
        let (shown, stderr) = account(profile);
        assert_eq!(shown, "", "{profile}");
        assert!(stderr.contains("`aws_account_id` is not 12 digits"), "{profile}: {stderr}");
    }
}

#[test]
fn credential_source_without_a_whole_key_says_what_is_looked_for_and_every_way_out() {
    let fixture = Fixture::empty(&[]);
    fixture.write_config("[profile ci]\ncredential_source = Environment\n");
    for run in [
        fixture.hatbox(&["explain", "ci"]),
        fixture.hatbox(&["export", "ci"]).env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ] {
        let missing = run.run().expect_code(2);
        assert_eq!(
            missing.stderr,
            "hatbox: error: profile `ci` has `credential_source = Environment`, but `AWS_ACCESS_KEY_ID` and \
             `AWS_SECRET_ACCESS_KEY` are not both set\n  --> ~/.aws/config:2\n\
             hatbox: hint: set both, and `AWS_SESSION_TOKEN` if the credentials are temporary\n\
             hatbox: hint: or replace `credential_source` by `source_profile = NAME`, to use the credentials of that \
             profile\n\
             hatbox: hint: or store an access key for it: `hatbox add ci`\n"
        );
    }
}
