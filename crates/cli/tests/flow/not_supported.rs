//! Sources of credentials that this version knows and cannot use: said wherever a profile with one is looked at.

use crate::fixture::Fixture;

const CONFIG: &str = "\
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.awsapps.com/start

[profile by-session]
sso_session = corp
region = eu-west-1
sso_account_id = 444455556666
sso_role_name = Developer

[profile inline]
sso_role_name = Auditor
sso_region = eu-west-1
sso_account_id = 444455556666
sso_start_url = https://inline.awsapps.com/start

[profile above]
source_profile = inline
role_arn = arn:aws:iam::444455556666:role/Ops

[profile login]
login_session = arn:aws:iam::444455556666:user/jan
";

const PROFILES: [(&str, &str); 1] = [("login", "`login_session`")];

#[test]
fn explain_and_doctor_say_what_exec_cannot_do_and_no_hint_leads_there() {
    let fixture = Fixture::with_config(CONFIG);
    let doctor = fixture.hatbox(&["doctor"]).run();
    let doctor = doctor.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for (profile, what) in PROFILES {
        let exec = fixture.hatbox(&["exec", profile, "--", "true"]).run().expect_code(125);
        assert!(
            exec.stderr.contains(&format!("from {what}, and this version cannot do that yet")),
            "{}",
            exec.stderr
        );
        assert!(!exec.stderr.contains("hatbox explain"), "explain says no more: {}", exec.stderr);
        let explain = fixture.hatbox(&["explain", profile]).run().ok();
        let shown = explain.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        let expected = format!("this version cannot get credentials from {what} yet: `exec` fails");
        assert!(shown.contains(&expected), "{}", explain.stdout);
        let json = fixture.hatbox(&["explain", "--json", profile]).run().ok();
        assert!(json.stdout.contains("\"is_supported\": false"), "{}", json.stdout);
        assert!(
            doctor.contains(&format!("come from {what}, which this version cannot use yet")),
            "{profile}: {doctor}"
        );
    }
    assert!(!doctor.contains("each has a credential plan"), "{doctor}");
    for profile in ["nothing", "no-source"] {
        fixture.write_config("[profile nothing]\nregion = eu-west-1\n[profile no-source]\nrole_arn = arn:aws:iam::444455556666:role/Ops\n");
        let run = fixture.hatbox(&["exec", profile, "--", "true"]).run().expect_code(125);
        for wall in ["sso_session"] {
            assert!(!run.stderr.contains(wall), "a hint leads to `{wall}`: {}", run.stderr);
        }
    }
}

#[test]
fn each_part_of_an_sso_profile_is_shown_at_its_own_line() {
    let fixture = Fixture::with_config(CONFIG);
    for (profile, places) in [
        ("by-session", [("start URL", 3), ("account", 8), ("role", 9)]),
        ("inline", [("start URL", 15), ("account", 14), ("role", 12)]),
    ] {
        let explain = fixture.hatbox(&["explain", profile]).run().ok();
        for (label, line) in places {
            let row = explain.stdout.lines().find(|row| row.trim_start().starts_with(label)).unwrap();
            assert!(row.ends_with(&format!("~/.aws/config:{line}")), "{profile} {label}: {row}");
        }
    }
}
