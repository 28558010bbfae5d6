//! `hatbox login`: opens the console with a role, a user, credentials from the environment and the access portal.

use std::io::Write;

use hatbox_sandbox::control::{Fault, FaultKind};
use hatbox_sandbox::log::{LogEntry, SignedWith};

use crate::cast::{ENDLESS, ENDLESS_TOKEN, PHONE};
use crate::fixture::Fixture;
use crate::login_sign_in::{Answer, get, send, start_run};
use crate::run::{Run, finish};
use crate::stub::{Granted, Stub};

pub(crate) const CONFIG: &str = "\
[profile jan-work]
mfa_serial = arn:aws:iam::111122223333:mfa/jan
[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
region = eu-west-1
[profile guarded]
source_profile = jan-work
mfa_serial = arn:aws:iam::111122223333:mfa/jan
role_arn = arn:aws:iam::444455556666:role/guarded
[profile plain]
source_profile = bare
role_arn = arn:aws:iam::444455556666:role/reader
[profile process]
credential_process = helper
[profile dev]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 444455556666
sso_role_name = Power User
[profile gov]
sso_start_url = https://start.us-gov-home.awsapps.com/directory/corp
sso_region = us-gov-west-1
sso_account_id = 444455556666
sso_role_name = Auditor
region = us-gov-east-1
";

pub(crate) fn fixture() -> Fixture {
    let fixture = Fixture::with_keys(&["jan-work", "bare"]);
    fixture.write_config(CONFIG);
    fixture
}

fn calls(fixture: &Fixture, action: &str) -> Vec<LogEntry> {
    fixture.log().into_iter().filter(|entry| entry.action == action).collect()
}

/// Returns the link that `login --stdout` prints.
fn link(fixture: &Fixture, arguments: &[&str]) -> String {
    let outcome = fixture.hatbox(&["login", "--stdout"]).args(arguments).run().ok();
    outcome.stdout.strip_suffix('\n').unwrap().to_owned()
}

/// Follows a sign-in link to the console page.
pub(crate) fn follow(link: &str) -> Answer {
    let answer = get(link);
    assert_eq!(answer.status, 303, "{}", answer.body);
    let cookie = answer.header("set-cookie");
    let cookie = cookie.split(';').next().unwrap();
    let host = link.split('/').nth(2).unwrap();
    let page =
        send("GET", &format!("http://{host}{}", answer.location()), &format!("Cookie: {cookie}\r\n"), "");
    assert_eq!(page.status, 200, "{}", page.body);
    page
}

/// Returns the command lines of all processes.
fn command_lines() -> String {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ") + "\n").collect()
}

#[test]
fn a_role_is_signed_in_and_no_command_line_has_the_link() {
    let fixture = fixture();
    let code = fixture.code(PHONE);
    let run =
        fixture.hatbox(&["login", "--service", "s3", "-t", &code, "guarded"]).env("AWS_REGION", "eu-west-1");
    let (child, page) = start_run(&fixture, &run);
    assert!(page.starts_with("http://127.0.0.1:") && page.len() < 80, "{page}");
    let refused = send("GET", &page, "Sec-Fetch-Mode: cors\r\n", "");
    assert_eq!(refused.status, 403, "{}", refused.body);
    let link = get(&page).location();
    let token = link.split("SigninToken=").nth(1).unwrap();
    assert!(!command_lines().contains(token));
    let outcome = finish(child, "login").ok();
    assert!(
        outcome.stderr.contains("opened the console with the credentials of `guarded`, for "),
        "{}",
        outcome.stderr
    );
    assert!(!format!("{}{}", outcome.stdout, outcome.stderr).contains(token));
    let console = follow(&link).body;
    for text in [
        "<dd id=who>arn:aws:sts::444455556666:assumed-role/guarded/",
        "<dd id=region>eu-west-1<",
        "<dd id=path>/s3/home<",
    ] {
        assert!(console.contains(text), "{text}: {console}");
    }
}

#[test]
fn a_console_session_longer_than_the_credentials_is_asked_for_where_aws_allows_it() {
    let fixture = fixture();
    let durations = || {
        let calls = calls(&fixture, "GetSigninToken");
        calls
            .last()
            .map(|call| (call.parameters.get("SessionDuration").cloned(), call.granted_seconds.unwrap()))
            .unwrap()
    };
    follow(&link(&fixture, &["plain"]));
    assert!(matches!(durations(), (None, 3500..=3600)));
    follow(&link(&fixture, &["-d", "2h", "plain"]));
    assert_eq!(durations(), (Some("7200".to_owned()), 7200));
    // Role chaining: the session lasts as long as the credentials.
    let outcome = fixture
        .hatbox(&["login", "--stdout", "-d", "2h", "--role-arn", "arn:aws:iam::444455556666:role/a", "plain"])
        .run()
        .ok();
    assert!(outcome.stderr.contains("1h"), "{}", outcome.stderr);
    assert_eq!(durations().0, None);
}

/// AWS does not report the maximum, but files named in the settings may contain it.
#[test]
fn a_length_over_the_roles_maximum_is_an_error_that_says_what_to_ask_for() {
    let fixture = fixture();
    let config = "[profile short]\nsource_profile = bare\nrole_arn = arn:aws:iam::444455556666:role/short\n";
    fixture.write_config(&format!("{CONFIG}{config}"));
    let login = |duration: &str| fixture.hatbox(&["login", "--stdout", "-d", duration, "short"]).run();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let refused = words(&login("2h").expect_code(1).stderr);
    for said in [
        "short allows less than 2h, which you asked for (--duration).",
        "Fix run it again with -d 1h or have the maximum session duration of short raised (12h at most)",
    ] {
        assert!(refused.contains(said), "{said}: {refused}");
    }
    let state = r#"{"version": 4, "terraform_version": "1.9.0", "resources": [{"mode": "managed", "type": "aws_iam_role",
        "name": "short", "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": [{"attributes": {
        "arn": "arn:aws:iam::444455556666:role/short", "name": "short", "path": "/", "max_session_duration": 3600,
        "assume_role_policy": "{\"Version\": \"2012-10-17\", \"Statement\": []}"}}]}]}"#;
    std::fs::write(fixture.home().join("terraform.tfstate"), state).unwrap();
    fixture.write_settings("backend = \"file\"\n[trust]\nsources = [\"~/terraform.tfstate\"]\n");
    let refused = words(&login("2h").expect_code(1).stderr);
    let said = "short allows 1h (~/terraform.tfstate, just now), and you asked for 2h (--duration).";
    assert!(refused.contains(said), "{refused}");
    follow(login("1h").ok().stdout.trim());
}

#[test]
fn a_fault_of_the_federation_endpoint_is_tried_again_and_another_refusal_is_named() {
    let fixture = fixture();
    let refused =
        Fault { kind: FaultKind::Throttling, times: Some(1), action: Some("GetSigninToken".to_owned()) };
    fixture.client().add_fault(&refused).unwrap();
    let outcome = fixture.hatbox(&["login", "--stdout", "-d", "2h", "plain"]).run().expect_code(1);
    assert!(outcome.stderr.contains("the federation endpoint returned HTTP 429"), "{}", outcome.stderr);
    let unavailable = Fault { kind: FaultKind::Unavailable, times: Some(2), ..refused };
    fixture.client().add_fault(&unavailable).unwrap();
    follow(&link(&fixture, &["plain"]));
}

#[test]
fn a_user_without_a_role_needs_a_policy_and_never_gets_one_silently() {
    let fixture = fixture();
    let outcome = fixture.hatbox(&["login", "--stdout", "jan-work"]).run().expect_code(2);
    for text in [
        "profile `jan-work` has no role, and AWS opens the console for an access key only with a policy",
        "hatbox login --read-only jan-work",
        "--policy-arn arn:aws:iam::aws:policy/AdministratorAccess jan-work",
    ] {
        assert!(outcome.stderr.contains(text), "{text}: {}", outcome.stderr);
    }
    fixture.hatbox(&["login", "--stdout", "-n", "jan-work"]).run().expect_code(2);
    assert!(fixture.log().is_empty(), "nothing was called");
    let page = follow(&link(&fixture, &["--read-only", "jan-work"])).body;
    assert!(page.contains("<dd id=who>arn:aws:sts::111122223333:federated-user/hatbox-jan-work<"), "{page}");
    let call = calls(&fixture, "GetFederationToken").pop().unwrap();
    assert_eq!(call.parameters["PolicyArns.member.1.arn"], "arn:aws:iam::aws:policy/ReadOnlyAccess");
    assert_eq!(calls(&fixture, "GetSigninToken")[0].signed_with, SignedWith::FederationToken);
}

#[test]
fn the_credentials_of_a_shell_open_the_console_too() {
    let fixture = fixture();
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    let inner = ["exec", "reader", "--", hatbox, "login", "--stdout"];
    let page = follow(fixture.hatbox(&inner).run().ok().stdout.trim()).body;
    assert!(page.contains("assumed-role/reader/") && page.contains("<dd id=region>eu-west-1<"), "{page}");
    let refused = fixture.hatbox(&inner).args(["--read-only"]).run().expect_code(3);
    assert!(refused.stderr.contains("`--read-only` needs a profile"), "{}", refused.stderr);
    let endless = fixture.key(ENDLESS);
    let outcome = fixture
        .hatbox(&["login", "--stdout"])
        .env("AWS_ACCESS_KEY_ID", &endless.id)
        .env("AWS_SECRET_ACCESS_KEY", endless.secret.expose())
        .env("AWS_SESSION_TOKEN", ENDLESS_TOKEN)
        .run()
        .expect_code(1);
    assert!(outcome.stderr.contains("does not accept the credentials (HTTP 400)"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("not those of GetSessionToken"), "{}", outcome.stderr);
    let nothing = fixture.hatbox(&["login", "--stdout"]).run().expect_code(2);
    assert!(nothing.stderr.contains("no profile given"), "{}", nothing.stderr);
    assert!(nothing.stderr.contains("hatbox login --session"), "{}", nothing.stderr);
}

#[test]
fn a_permission_set_opens_by_the_portal_which_holds_no_credential() {
    let fixture = fixture();
    let own = |run: Run| run.without("AWS_ENDPOINT_URL");
    let (child, page) =
        start_run(&fixture, &own(fixture.hatbox(&["login", "--path", "iam/home#/roles", "dev"])));
    assert_eq!(
        page,
        "https://corp.awsapps.com/start/#/console?account_id=444455556666&role_name=Power%20User\
         &destination=https%3A%2F%2Fconsole.aws.amazon.com%2Fiam%2Fhome%23%2Froles"
    );
    let outcome = finish(child, "login").ok();
    assert!(
        outcome.stderr.contains("opened the console of `dev` in the access portal"),
        "{}",
        outcome.stderr
    );
    let printed = own(fixture.hatbox(&["login", "--stdout", "gov"])).run().ok().stdout;
    assert!(
        printed.starts_with("https://start.us-gov-home.awsapps.com/directory/corp/#/console?"),
        "{printed}"
    );
    assert!(
        printed.contains("destination=https%3A%2F%2Fus-gov-east-1.console.amazonaws-us-gov.com%2F"),
        "{printed}"
    );
    let refused = own(fixture.hatbox(&["login", "--stdout", "--read-only", "dev"])).run().expect_code(3);
    assert!(refused.stderr.contains("cannot be restricted by a session policy"), "{}", refused.stderr);
    assert!(fixture.log().is_empty());
}

#[test]
fn the_portal_leads_to_the_console_of_each_partition() {
    let fixture = fixture();
    for (region, console) in [
        ("us-east-1", "console.aws.amazon.com"),
        ("eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("cn-north-1", "console.amazonaws.cn"),
        ("cn-northwest-1", "cn-northwest-1.console.amazonaws.cn"),
        ("us-gov-west-1", "console.amazonaws-us-gov.com"),
        ("us-gov-east-1", "us-gov-east-1.console.amazonaws-us-gov.com"),
        ("eusc-de-east-1", "console.amazonaws-eusc.eu"),
        ("us-iso-east-1", "console.c2shome.ic.gov"),
        ("us-isob-east-1", "console.sc2shome.sgov.gov"),
        ("eu-isoe-west-1", "console.csphome.adc-e.uk"),
        ("us-isof-south-1", "console.csphome.hci.ic.gov"),
    ] {
        fixture.write_config(&format!(
            "[profile x]\nsso_start_url = https://x.awsapps.com/start\nsso_region = {region}\n\
             sso_account_id = 444455556666\nsso_role_name = Auditor\nregion = {region}\n"
        ));
        let run = fixture.hatbox(&["login", "--stdout", "x"]).without("AWS_ENDPOINT_URL").run().ok();
        let destination =
            format!("&destination=https%3A%2F%2F{console}%2Fconsole%2Fhome%3Fregion%3D{region}\n");
        assert!(run.stdout.ends_with(&destination), "{region}: {}", run.stdout);
    }
}

/// Signs in with no region, so that only the role's ARN names the partition.
#[test]
fn a_role_leads_to_the_console_of_its_partition() {
    let fixture = fixture();
    for (partition, console) in [
        ("aws", "console.aws.amazon.com"),
        ("aws-cn", "console.amazonaws.cn"),
        ("aws-us-gov", "console.amazonaws-us-gov.com"),
        ("aws-eusc", "console.amazonaws-eusc.eu"),
        ("aws-iso", "console.c2shome.ic.gov"),
        ("aws-iso-b", "console.sc2shome.sgov.gov"),
        ("aws-iso-e", "console.csphome.adc-e.uk"),
        ("aws-iso-f", "console.csphome.hci.ic.gov"),
    ] {
        fixture.write_config(&format!(
            "[profile x]\nsource_profile = bare\nrole_arn = arn:{partition}:iam::444455556666:role/reader\n"
        ));
        let granted =
            Granted::until(3600).of_role("reader").replace("arn:aws:", &format!("arn:{partition}:"));
        let sts = Stub::answering(move || granted.clone(), None);
        let sign_in = Stub::answering(|| r#"{"SigninToken":"t"}"#.to_owned(), None);
        let run = fixture.hatbox(&["login", "--stdout", "x"]).env("AWS_ENDPOINT_URL_STS", sts.url());
        let printed = run.env("AWS_ENDPOINT_URL_SIGNIN", sign_in.url()).run().ok().stdout;
        let destination = format!("&Destination=https%3A%2F%2F{console}%2Fconsole%2Fhome&SigninToken=t\n");
        assert!(printed.ends_with(&destination), "{partition}: {printed}");
    }
}

#[test]
fn without_a_browser_nothing_is_asked_and_the_way_out_is_named() {
    let fixture = fixture();
    for (name, value, why) in [
        ("SSH_CONNECTION", "1 2 3 4", "this is an SSH session"),
        ("X", "", "there is no desktop session here"),
    ] {
        let outcome = fixture.hatbox(&["login", "guarded"]).env(name, value).run().expect_code(1);
        assert!(outcome.stderr.contains("error: no browser can be opened: "), "{}", outcome.stderr);
        assert!(
            outcome.stderr.contains(why) || outcome.stderr.contains("this is a container"),
            "{}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains("hatbox login --stdout guarded"), "{}", outcome.stderr);
    }
    let outcome =
        fixture.hatbox(&["login", "reader"]).env("HATBOX_BROWSER", "no-such-browser").run().expect_code(1);
    assert!(outcome.stderr.contains("no browser could be started"), "{}", outcome.stderr);
}

#[test]
fn a_sign_out_comes_before_the_sign_in() {
    let fixture = fixture();
    let (child, page) = start_run(&fixture, &fixture.hatbox(&["login", "--auto-logout", "reader"]));
    let shown = get(&page);
    assert_eq!(shown.status, 200);
    assert!(
        shown.body.contains("/oauth?Action=logout\"") && shown.body.contains("SigninToken="),
        "{}",
        shown.body
    );
    finish(child, "login").ok();
    let wrapped = link(&fixture, &["-a", "reader"]);
    assert!(wrapped.contains("/oauth?Action=logout&redirect_uri=http%3A%2F%2F127.0.0.1"), "{wrapped}");
    follow(&get(&wrapped).location());
}

#[test]
fn what_is_no_page_of_the_console_is_refused() {
    let fixture = fixture();
    for (arguments, text) in [
        (&["--service", "S3 x"][..], "invalid --service `S3 x`: expected the name of a service"),
        (&["--path", "https://evil.example/"], "invalid --path `https://evil.example/`: expected a path"),
        (&["--session", "--stdout"], "cannot be used with"),
        (&["--remote"], "--session"),
    ] {
        let outcome = fixture.hatbox(&["login"]).args(arguments).args(["reader"]).run().expect_code(2);
        assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
    }
    fixture.write_program(
        "helper",
        r#"echo '{"Version":1,"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"x"}'"#,
    );
    let outcome = fixture.hatbox(&["login", "--stdout", "process"]).run().expect_code(2);
    assert!(outcome.stderr.contains("the console takes temporary credentials"), "{}", outcome.stderr);
}

#[test]
fn called_as_aws_vault_login_takes_its_flags() {
    let fixture = fixture();
    let arguments = ["login", "-s", "--path", "/s3/buckets", "--region", "eu-west-1", "-d", "1h", "plain"];
    let printed = fixture.aws_vault(&arguments).run().ok().stdout;
    let page = follow(printed.trim()).body;
    assert!(page.contains("<dd id=path>/s3/buckets<") && page.contains("<dd id=region>eu-west-1<"), "{page}");
    fixture.aws_vault(&["login", "-s", "-a", "-n", "plain"]).run().ok();
}

#[test]
fn a_guard_holds_at_the_console_too() {
    let fixture = fixture();
    fixture.write_config(&format!(
        "{CONFIG}\n[profile asked]\nsource_profile = bare\nrole_arn = arn:aws:iam::444455556666:role/reader\n\
         hatbox_confirm = true\n[profile limited]\nsource_profile = bare\n\
         role_arn = arn:aws:iam::444455556666:role/reader\nhatbox_read_only_for_agents = true\n\
         [profile portal]\ninclude_profile = dev\nhatbox_read_only_for_agents = true\n"
    ));
    let refused = fixture.hatbox(&["login", "--stdout", "asked"]).run().expect_code(3);
    assert!(refused.stderr.contains("profile `asked` requires confirmation"), "{}", refused.stderr);
    let as_agent =
        |profile: &str| fixture.hatbox(&["login", "--stdout", profile]).env("CLAUDECODE", "1").run();
    follow(as_agent("limited").ok().stdout.trim());
    let call = calls(&fixture, "AssumeRole").pop().unwrap();
    assert_eq!(call.parameters["PolicyArns.member.1.arn"], "arn:aws:iam::aws:policy/ReadOnlyAccess");
    let refused = as_agent("portal").expect_code(3);
    assert_eq!(refused.stdout, "", "a link to the portal cannot be restricted");
}

#[test]
fn the_policy_of_a_user_is_named_once_in_the_profile() {
    let fixture = fixture();
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    fixture.write_config(&format!("[profile jan-work]\nhatbox_console_policy_arn = {arn}\n"));
    let outcome = fixture.hatbox(&["login", "--stdout", "jan-work"]).run().ok();
    assert!(outcome.stderr.contains(&format!("the session is restricted to {arn}")), "{}", outcome.stderr);
    follow(outcome.stdout.trim());
    let call = calls(&fixture, "GetFederationToken").pop().unwrap();
    assert_eq!(call.parameters["PolicyArns.member.1.arn"], arn);
}

#[test]
fn a_key_about_browsers_does_not_hide_the_guard_of_the_source_profile() {
    let fixture = fixture();
    fixture.write_config(
        "[profile bare]\nhatbox_confirm = true\n[profile shown]\nsource_profile = bare\nhatbox_browser = firefox\n",
    );
    let refused = fixture.hatbox(&["export", "shown"]).run().expect_code(3);
    assert!(refused.stderr.contains("requires confirmation"), "{}", refused.stderr);
}

#[test]
fn a_length_that_aws_refuses_is_left_out_with_a_warning() {
    let fixture = fixture();
    let stub = Stub::start(|request, mut client| {
        let (status, body) = if request.contains("SessionDuration=") {
            ("400 Bad Request", "")
        } else {
            ("200 OK", r#"{"SigninToken":"t"}"#)
        };
        let head =
            format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        client.write_all(format!("{head}{body}").as_bytes()).ok();
    });
    let run = fixture.hatbox(&["login", "--stdout", "-d", "2h", "plain"]);
    let outcome = run.env("AWS_ENDPOINT_URL_SIGNIN", stub.url()).run().ok();
    assert!(outcome.stdout.ends_with("&SigninToken=t\n"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("AWS did not accept a console session of 2h"), "{}", outcome.stderr);
    assert_eq!(stub.requests().len(), 2);
}

#[test]
fn an_answer_that_is_no_token_gives_no_link() {
    let fixture = fixture();
    let elsewhere = Stub::start(|_, _| ());
    let redirect = format!("302 Found\r\nLocation: {}/federation", elsewhere.url());
    let long = format!(r#"{{"SigninToken":"{}"}}"#, "t".repeat(9000));
    let endless = "x".repeat(2 << 20);
    for (status, body, text) in [
        (redirect.as_str(), "", "the federation endpoint returned HTTP 302"),
        ("200 OK", "<html>", "unexpected response"),
        ("200 OK", r#"{"SigninToken":""}"#, "returned no sign-in token"),
        ("200 OK", r#"{"SigninToken":"a\nb"}"#, "returned no sign-in token"),
        ("200 OK", &long, "returned no sign-in token"),
        ("200 OK", &endless, "is too long for"),
    ] {
        let head =
            format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        let answer = format!("{head}{body}");
        let stub = Stub::start(move |_, mut client| {
            client.write_all(answer.as_bytes()).ok();
        });
        let run = fixture.hatbox(&["login", "--stdout", "plain"]).env("AWS_ENDPOINT_URL_SIGNIN", stub.url());
        let outcome = run.run().expect_code(1);
        assert_eq!(outcome.stdout, "");
        assert!(outcome.stderr.contains(text), "{text}: {}", outcome.stderr);
    }
    assert!(elsewhere.requests().is_empty(), "credentials go to no other address");
}

#[test]
fn a_sandboxs_console_gets_no_keys_but_its_own() {
    let fixture = fixture();
    let outcome = fixture
        .hatbox(&["login", "--stdout"])
        .env("HATBOX_SANDBOX", fixture.world().id)
        .env("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "canary")
        .env("AWS_SESSION_TOKEN", "canary")
        .run()
        .expect_code(3);
    assert!(outcome.stderr.contains("was not created by this sandbox"), "{}", outcome.stderr);
    assert!(fixture.log().is_empty());
}

#[test]
fn credentials_of_the_environment_are_guarded_and_logged_as_their_profile_is() {
    let fixture = fixture();
    let guarded = |name: &str, line: &str| {
        format!(
            "[profile {name}]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/reader\n{line}\n"
        )
    };
    fixture.write_config(&format!(
        "[profile jan-work]\n{}{}{}",
        guarded("plain", ""),
        guarded("careful", "hatbox_read_only_for_agents = true"),
        guarded("asked", "hatbox_confirm = true")
    ));
    let exported = fixture.hatbox(&["export", "--format", "json", "plain"]).run().ok().stdout;
    let keys: serde_json::Value = serde_json::from_str(&exported).unwrap();
    let login = |profile: &str, agent: bool| {
        let text = |name: &str| keys[name].as_str().unwrap().to_owned();
        let run = fixture
            .hatbox(&["login", "--stdout"])
            .env("AWS_ACCESS_KEY_ID", text("AccessKeyId"))
            .env("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey"))
            .env("AWS_SESSION_TOKEN", text("SessionToken"))
            .env("HATBOX", profile);
        if agent { run.env("CLAUDECODE", "1") } else { run }.run()
    };
    for profile in ["plain", "careful", "elsewhere", ""] {
        login(profile, false).ok();
    }
    login("plain", true).ok();
    let refused = login("careful", true).expect_code(3);
    assert!(
        refused.stderr.contains("profile `careful` is read-only for coding agents (CLAUDECODE is set)"),
        "{}",
        refused.stderr
    );
    for agent in [false, true] {
        let unasked = login("asked", agent).expect_code(3);
        assert!(unasked.stderr.contains("profile `asked` requires confirmation"), "{}", unasked.stderr);
    }
    let settings = std::fs::read_to_string(fixture.path("home/.config/hatbox/config.toml")).unwrap();
    fixture.write_settings(&format!("{settings}read_only_for_agents = true\naudit_log = \"required\"\n"));
    for profile in ["plain", "elsewhere", ""] {
        login(profile, true).expect_code(3);
        login(profile, false).ok();
    }
    let log = fixture.hatbox(&["log", "--json"]).run().ok().stdout;
    let log: Vec<serde_json::Value> = serde_json::from_str(&log).unwrap();
    let profiles: Vec<_> = log.iter().map(|entry| entry["profile"].as_str().unwrap()).collect();
    assert_eq!(profiles, ["", "elsewhere", "plain"]);
    assert!(log.iter().all(|entry| entry["exit"] == "login" && entry["access_key_id"].is_string()));
    let path = fixture.path("home/.local/state/hatbox/log/audit.jsonl");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let signed_in = calls(&fixture, "GetSigninToken").len();
    let unlogged = login("plain", false).expect_code(1);
    assert!(unlogged.stderr.contains("`audit_log` requires the log"), "{}", unlogged.stderr);
    assert_eq!(calls(&fixture, "GetSigninToken").len(), signed_in);
}
