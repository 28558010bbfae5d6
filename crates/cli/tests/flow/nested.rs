//! `exec` inside `exec`: refused without `--nested`; what the outer one set is not the user's choice for the inner one.

use crate::exec::CONFIG;
use crate::fixture::Fixture;

#[test]
fn a_hatbox_inside_a_hatbox_is_refused_unless_asked_for() {
    let fixture = Fixture::with_config(CONFIG);
    for name in ["AWS_VAULT", "HATBOX"] {
        for (verb, code) in [("exec", 125), ("export", 3)] {
            let nested = |flags: &[&str]| {
                let run = fixture.hatbox(&[verb]).args(flags).args(["-n", "jan-work"]);
                let run = if verb == "exec" { run.args(["--", "true"]) } else { run };
                run.env(name, "other").run()
            };
            let refused = nested(&[]).expect_code(code);
            assert_eq!(
                refused.stderr,
                format!(
                    "hatbox: error: this shell already has the credentials of `other` ({name} is set)\n\
                     hatbox: hint: leave it first (`exit`, or `hat --drop`), or add --nested\n"
                )
            );
            nested(&["--nested"]).ok();
        }
        fixture.hatbox(&["list"]).env(name, "other").run().ok();
        fixture.hatbox(&["exec", "-n", "jan-work", "--", "true"]).env(name, "").run().ok();
    }
}

/// Two profiles in different regions. The outer one's endpoint is a stub, as for a LocalStack user.
fn write_two_places(fixture: &Fixture) {
    let url = fixture.variables()[std::ffi::OsStr::new("AWS_ENDPOINT_URL")].to_string_lossy().into_owned();
    fixture.write_config(&format!(
        "[profile jan-work]\nendpoint_url = {url}\n\
         [profile outer]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/reader\n\
         region = us-west-2\nendpoint_url = {url}/\n\
         [profile eu]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/reader\n\
         region = eu-west-1\nendpoint_url = {url}\n\
         [profile nowhere]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/reader\n\
         endpoint_url = {url}\n"
    ));
}

/// Variables and flags of the outer `exec`, a command between, the inner profile, and the output of its command.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a str, &'a str, &'a str);

#[test]
fn what_the_outer_exec_set_is_not_the_users_wish_in_the_inner_one() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    write_two_places(&fixture);
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    let show = "echo \"${AWS_REGION-none} ${AWS_DEFAULT_REGION-none} ${AWS_ENDPOINT_URL##*[0-9]}.\"";
    let inner = |given: &[(&str, &str)], outer_flags: &[&str], between: &str, profile: &str| {
        let script = format!("{between} exec {hatbox} exec --nested {profile} -- sh -c '{show}'");
        let run = fixture.hatbox(&["exec"]).args(outer_flags).args(["outer", "--", "sh", "-c", &script]);
        let run =
            given.iter().fold(run.without("AWS_ENDPOINT_URL"), |run, (name, value)| run.env(name, value));
        run.run().ok().stdout
    };
    let cases: [Case<'_>; 9] = [
        (&[], &[], "", "eu", "eu-west-1 eu-west-1 .\n"),
        (&[], &["--region", "us-east-1"], "", "eu", "eu-west-1 eu-west-1 .\n"),
        // A child whose profile has no region gets nothing from the outer profile.
        (&[], &[], "", "nowhere", "none none .\n"),
        // The user's own value, set before the outer `exec`.
        (&[("AWS_REGION", "ap-south-1")], &[], "", "eu", "ap-south-1 ap-south-1 .\n"),
        (&[("AWS_DEFAULT_REGION", "ap-south-1")], &[], "", "eu", "ap-south-1 ap-south-1 .\n"),
        (&[("AWS_REGION", "ap-south-1")], &["--region", "us-east-1"], "", "eu", "ap-south-1 ap-south-1 .\n"),
        // Set inside the outer `exec`'s shell.
        (&[], &[], "export AWS_REGION=sa-east-1;", "eu", "sa-east-1 sa-east-1 .\n"),
        (&[], &[], "unset AWS_REGION;", "eu", "eu-west-1 eu-west-1 .\n"),
        (&[], &[], "unset HATBOX_SET;", "eu", "us-west-2 us-west-2 /.\n"),
    ];
    for (given, flags, between, profile, expected) in cases {
        assert_eq!(
            inner(given, flags, between, profile),
            expected,
            "{given:?} {flags:?} {between} {profile}"
        );
    }
    // Three levels deep: the middle one's marks are only about what it set itself.
    let middle = format!("exec {hatbox} exec --nested eu -- {hatbox} exec --nested outer -- sh -c '{show}'");
    let run = fixture.hatbox(&["exec", "nowhere", "--", "sh", "-c", &middle]).without("AWS_ENDPOINT_URL");
    assert_eq!(run.run().ok().stdout, "us-west-2 us-west-2 /.\n");
}

/// The SDKs build endpoints from `AWS_ACCOUNT_ID`, so a wrong or guessed account would be harmful.
#[test]
fn the_child_gets_the_account_of_the_role_and_none_where_that_is_not_known() {
    let fixture = Fixture::with_config(CONFIG);
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    let show = "echo \"${AWS_ACCOUNT_ID-none}\"";
    let account = |profile: &str, flags: &[&str], script: &str| {
        let run = fixture.hatbox(&["exec"]).args(flags).args([profile, "--", "sh", "-c", script]);
        run.env("AWS_ACCOUNT_ID", "999988887777").run().ok().stdout
    };
    for _ in ["from AWS", "from the cache"] {
        assert_eq!(account("reader", &[], show), "444455556666\n");
        assert_eq!(
            account("jan-work", &[], show),
            "none\n",
            "the answer of GetSessionToken names no account"
        );
        assert_eq!(account("jan-work", &["-n"], show), "none\n");
    }
    let nested = format!("{hatbox} exec --nested jan-work -- sh -c '{show}'; echo \"$HATBOX_SET\"");
    let shown = account("reader", &[], &nested);
    assert!(shown.starts_with("none\n"), "{shown}");
    assert!(shown.contains("AWS_ACCOUNT_ID=444455556666"), "marked as hatbox's own: {shown}");
}

/// As in `hatbox sandbox run`, which sets an endpoint for everything inside.
#[test]
fn an_endpoint_of_the_environment_counts_at_every_depth() {
    let fixture = Fixture::with_config(CONFIG);
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    let script =
        format!("{hatbox} exec --nested --fresh jan-work -- {hatbox} exec --nested --fresh reader -- true");
    let calls = fixture.log().len();
    fixture.hatbox(&["exec", "--fresh", "reader", "--", "sh", "-c", &script]).run().ok();
    assert_eq!(fixture.log().len(), calls + 3, "each asks the same sandbox");
}

#[test]
fn every_command_inside_an_exec_sees_the_environment_without_what_exec_set() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    write_two_places(&fixture);
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    let inside = |line: &str| {
        let script = format!("{hatbox} {line}");
        let run = fixture.hatbox(&["exec", "outer", "--", "sh", "-c", &script]);
        run.without("AWS_ENDPOINT_URL").run()
    };
    let explained = inside("explain eu").ok().stdout;
    assert!(explained.contains("eu-west-1") && !explained.contains("us-west-2"), "{explained}");
    assert!(!explained.contains("AWS_ENDPOINT_URL"), "{explained}");
    let exported = inside("export --nested eu").ok().stdout;
    assert!(exported.contains("AWS_REGION=eu-west-1\n"), "{exported}");
    let doctor = inside("doctor --json").stdout;
    assert!(doctor.contains("env-nested") && !doctor.contains("env-endpoint"), "{doctor}");
}
