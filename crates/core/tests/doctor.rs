//! `hatbox doctor` on the credential plans of a config: it reports exactly the expected findings.
#![expect(clippy::disallowed_types, reason = "how long the checks take is a part of what is tested")]
#![expect(clippy::unwrap_used, reason = "test helpers may panic, like tests")]

use std::time::{Duration, Instant};

use hatbox_core::config::Config;
use hatbox_core::doctor::chains::{Profiles, check_chains};
use hatbox_core::doctor::lines::check_lines;
use hatbox_core::doctor::{Finding, Findings, Level, Spot};
use hatbox_core::plan::{PlanOptions, StoredKeys};
use hatbox_types::name::{AccessKeyId, ProfileName};

const USER: &str = "[profile alice]\nmfa_serial = arn:aws:iam::111122223333:mfa/alice\n";

fn stored(names: &[&str]) -> StoredKeys {
    let id = AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap();
    StoredKeys::Known(names.iter().map(|name| (ProfileName::parse(name).unwrap(), id.clone())).collect())
}

fn check(config: &str, credentials: &str, stored: &StoredKeys) -> (Vec<Finding>, Profiles) {
    let config = Config::parse(config, credentials).unwrap().for_all_profiles();
    let mut findings = Findings::default();
    let profiles = check_chains(&config, stored, &PlanOptions::default(), &mut findings);
    (findings.into_sorted(), profiles)
}

/// A finding as `ID:LINE(PROFILES)`.
fn shown(finding: &Finding) -> String {
    let line = match finding.spot {
        Some(Spot::Line(place)) => place.line.to_string(),
        _ => "-".to_owned(),
    };
    let names: Vec<_> = finding.profiles.iter().map(ProfileName::as_str).collect();
    format!("{}:{line}({})", finding.id, names.join(" "))
}

fn role(name: &str, lines: &str) -> String {
    format!("[profile {name}]\nrole_arn = arn:aws:iam::444455556666:role/Ops\n{lines}\n")
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_check_of_chains_fires_where_it_should_and_not_beside_it() {
    const DEVICE: &str = "mfa_serial = arn:aws:iam::111122223333:mfa/alice";
    let ops = role("ops", &format!("source_profile = alice\n{DEVICE}"));
    let well = [USER, &ops].concat();
    let cases: Vec<(String, &str, Vec<&str>)> = vec![
        (well.clone(), "", vec![]),
        ("[default]\nregion = eu-west-1\n".to_owned(), "", vec![]),
        (role("a", "source_profile = typo"), "", vec!["missing-source:3(a)"]),
        (role("a", "source_profile = b") + &role("b", "source_profile = a"), "", vec!["source-loop:6(a b)"]),
        (
            role("x", "source_profile = a")
                + &role("a", "source_profile = b")
                + &role("b", "source_profile = a"),
            "",
            vec!["source-loop:9(x a b)"],
        ),
        ("[profile a]\ninclude_profile = b\n".to_owned(), "", vec!["missing-include:2(a)"]),
        (
            "[profile a]\ninclude_profile = b\n[profile b]\ninclude_profile = a\n".to_owned(),
            "",
            vec!["include-loop:4(a b)"],
        ),
        // A profile that is only included needs no identity.
        ("[profile a]\ninclude_profile = alice\n".to_owned() + USER, "", vec!["no-credentials:1(a)"]),
        ("[profile alice]\ninclude_profile = b\n[profile b]\nregion = x\n".to_owned(), "", vec![]),
        (role("a", ""), "", vec!["role-without-source:2(a)"]),
        ("[profile bob]\nregion = x\n".to_owned(), "", vec!["no-credentials:1(bob)"]),
        (
            "[profile bob]\nregion = x\n".to_owned() + &role("a", "source_profile = bob"),
            "",
            vec!["no-credentials:1(bob a)"],
        ),
        ("[profile a]\nrole_arn = arn:aws:iam::1:role/x\n".to_owned(), "", vec!["bad-value:2(a)"]),
        ("[profile a]\nno equals\n".to_owned(), "", vec!["bad-line:2(a)"]),
        ("[profile alice]\nregion: x\n".to_owned(), "", vec!["colon-line:2(alice)"]),
        ("[profile a]\nsource_profile = alice\nrole_arn =\n".to_owned() + USER, "", vec!["empty-value:3(a)"]),
        (role("a", "source_profile = alice\nduration_seconds = 5"), "", vec!["bad-length:4(a)"]),
        (role("a", "source_profile = alice\nduration_seconds = 1h"), "", vec!["duration-form:4(a)"]),
        (role("a", "credential_source = Environment"), "", vec!["no-environment-key:3(a)"]),
        (role("a", "credential_source = Environment\nsource_profile = alice"), "", vec!["conflict:3(a)"]),
        ("[profile a]\nsso_session = none\n".to_owned(), "", vec!["missing-section:2(a)"]),
        (
            "[profile a]\nsso_start_url = https://b\nsso_session = s\nsso_account_id = 111122223333\n\
             sso_role_name = r\n[sso-session s]\nsso_start_url = https://a\nsso_region = eu-west-1\n"
                .to_owned(),
            "",
            vec!["value-loses:2(a)"],
        ),
        (
            "[profile a]\nsso_start_url = https://b\nsso_region = eu-west-1\n".to_owned(),
            "",
            vec!["incomplete-sso:2(a)"],
        ),
        (
            "[profile a]\nsso_start_url = https://b\nsso_region = eu-west-1\nsso_account_id = 1\n\
             sso_role_name = r\n"
                .to_owned(),
            "",
            vec!["account-id-form:4(a)"],
        ),
        (
            "[profile alice]\nmfa_serial = arn:aws:iam::111122223333:user/alice\n".to_owned(),
            "",
            vec!["mfa-serial-is-user:2(alice)"],
        ),
        (String::new(), "[a]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n", vec!["half-key:2(a)"]),
        (
            String::new(),
            "[a]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = canary\n",
            vec!["plaintext-key:2(a)"],
        ),
        (
            String::new(),
            "[a]\naws_access_key_id = ASIAIOSFODNN7EXAMPLE\naws_secret_access_key = canary\n\
             aws_session_token = t\n",
            vec![],
        ),
        (
            String::new(),
            "[alice]\naws_access_key_id = AKIAIOSFODNN7OTHERKEY\naws_secret_access_key = canary\n",
            vec!["plaintext-key:2(alice)", "file-keys-differ:2(alice)"],
        ),
        // Next to a stored key, the profile's own command is how other tools get the key's credentials.
        ("[profile alice]\ncredential_process = hatbox export alice\n".to_owned(), "", vec![]),
        ("[profile a]\ncredential_process = hatbox export a\n".to_owned(), "", vec!["own-process-only:1(a)"]),
        (
            "[profile a]\ncredential_process = hatbox export b\n\
             [profile b]\ncredential_process = aws-vault exec a -j\n"
                .to_owned(),
            "",
            vec!["process-loop:4(a)"],
        ),
        ("[profile a]\ncredential_process = hatbox export alice\n".to_owned() + USER, "", vec![]),
        // An MFA device on the source only, and one that no call can use.
        (USER.to_owned() + &role("a", "source_profile = alice"), "", vec!["mfa-unused:2(a)"]),
        (
            well.clone() + &role("b", &format!("source_profile = ops\n{DEVICE}")),
            "",
            vec!["mfa-on-chained-role:10(b)"],
        ),
        (well.clone() + &role("b", "source_profile = ops"), "", vec![]),
        (well.clone() + &role("b", "source_profile = ops\nmfa_serial = GAHT12345678"), "", vec!["mfa-unused:10(b)"]),
        // Longer than role chaining allows.
        (well.clone() + &role("b", "source_profile = ops\nduration_seconds = 7200"), "", vec!["capped:10(b)"]),
        (role("b", "source_profile = alice\nduration_seconds = 7200"), "", vec![]),
        // Settings that aws-vault inherits from `[default]`.
        (
            format!("[default]\n{DEVICE}\n[profile alice]\n{}", role("a", "source_profile = alice")),
            "",
            vec!["relies-on-default-mfa:2(alice a)"],
        ),
        (format!("[default]\n{DEVICE}\n{well}"), "", vec![]),
        (
            "[default]\nrole_arn = arn:aws:iam::444455556666:role/Ops\nsource_profile = alice\n[profile alice]\n"
                .to_owned(),
            "",
            vec!["relies-on-default-role:2(alice)"],
        ),
        (
            "[default]\nrole_arn = arn:aws:iam::444455556666:role/Ops\nsource_profile = alice\n".to_owned()
                + &role("a", "source_profile = alice"),
            "",
            vec![],
        ),
    ];
    let mut differences = Vec::new();
    for (config, credentials, expected) in cases {
        let (findings, _) = check(&config, credentials, &stored(&["alice"]));
        let found: Vec<_> = findings.iter().map(shown).collect();
        if found != expected {
            differences.push(format!("{config}{credentials}found {found:?}\nnot   {expected:?}\n"));
        }
        assert!(!format!("{findings:?}").contains("canary"), "{config}{credentials}");
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn with_a_locked_store_no_message_says_that_a_key_is_missing() {
    let config = USER.to_owned() + &role("a", "source_profile = alice") + &role("b", "source_profile = typo");
    let (findings, profiles) = check(&config, "", &StoredKeys::Locked);
    let found: Vec<_> = findings.iter().map(shown).collect();
    assert_eq!(found, ["missing-source:8(b)", "mfa-unused:2(a)"]);
    assert_eq!((profiles.count, profiles.expected, profiles.planned), (3, 3, 2));
}

#[test]
fn the_programs_and_files_that_profiles_name_are_reported() {
    let text = "\
[profile a]
credential_process = env X=1 /opt/corp/login --fast
mfa_process = $HOME/bin/code
[profile b]
mfa_process = ykman oath code
credential_process = hatbox export b
[profile c]
web_identity_token_file = /run/token
";
    let (_, profiles) = check(text, "", &stored(&["alice"]));
    let words: Vec<_> =
        profiles.programs.iter().map(|program| (program.key, program.word.as_str())).collect();
    assert_eq!(words, [("credential_process", "/opt/corp/login"), ("mfa_process", "ykman")]);
    assert_eq!(profiles.files.len(), 1);
}

#[test]
fn an_empty_default_and_what_is_included_need_no_plan() {
    let text = "[default]\nregion = x\n[profile alice]\ninclude_profile = b\n[profile b]\nregion = x\n";
    let (_, profiles) = check(text, "", &stored(&["alice"]));
    assert_eq!((profiles.count, profiles.expected, profiles.planned), (3, 1, 1));
}

#[test]
fn those_who_will_be_asked_for_a_code_are_named() {
    let text =
        USER.to_owned() + "[profile bob]\nmfa_serial = GAHT12345678\nmfa_process = code\n[profile carol]\n";
    let (_, profiles) = check(&text, "", &stored(&["alice", "bob", "carol"]));
    let names: Vec<_> = profiles.asking.iter().map(ProfileName::as_str).collect();
    assert_eq!(names, ["alice"]);
}

#[test]
fn a_suggestion_is_part_of_the_sentence() {
    let (findings, _) =
        check(&(USER.to_owned() + &role("a", "source_profile = alcie")), "", &stored(&["alice"]));
    assert!(findings[0].text.ends_with("; did you mean `alice`?"), "{}", findings[0].text);
    assert_eq!(findings[0].level, Level::Error);
}

/// The time that a debug build may take for what a release build does in well under a second.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn ten_thousand_profiles_are_judged_quickly_whatever_is_wrong_with_them() {
    let many = |profile: &dyn Fn(usize) -> String| (0..10_000).map(profile).collect::<String>();
    for (what, config) in [
        ("well", USER.to_owned() + &many(&|n| role(&format!("p{n}"), "source_profile = alice"))),
        ("mistyped", many(&|n| role(&format!("p{n}"), &format!("source_profile = q{n}")))),
        ("includes", many(&|n| format!("[profile p{n}]\ninclude_profile = q{n}\n"))),
        ("a chain", many(&|n| role(&format!("p{n}"), &format!("source_profile = p{}", n + 1)))),
        ("a loop", many(&|n| role(&format!("p{n}"), &format!("source_profile = p{}", (n + 1) % 90)))),
        ("commands", many(&|n| format!("[profile p{n}]\ncredential_process = hatbox export p{}\n", n + 1))),
    ] {
        let start = Instant::now();
        let config = Config::parse(config, "").unwrap().for_all_profiles();
        let mut findings = Findings::default();
        check_lines(&config, &mut findings);
        let profiles = check_chains(&config, &stored(&["alice"]), &PlanOptions::default(), &mut findings);
        assert!(profiles.count >= 10_000);
        println!("{what}: {:?}", start.elapsed());
        assert!(start.elapsed() < PATIENCE, "{what}: {:?}", start.elapsed());
    }
}
