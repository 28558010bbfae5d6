//! The parts of an SSO profile, as `explain` shows them.

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
";

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
