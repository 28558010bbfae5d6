//! `credential_source`: roles of instances and containers, from the metadata services of the machine.

use std::fs;
use std::io::Write;
use std::net::TcpStream;

use hatbox_sandbox::CONTAINER_PATH;
use hatbox_sandbox::control::{Fault, FaultKind};
use hatbox_sandbox::log::LogEntry;

use crate::cast::{CONTAINER_TOKEN, WORK};
use crate::fixture::Fixture;
use crate::run::Run;
use crate::stub::Stub;

const CONFIG: &str = "\
[profile batch]
role_arn = arn:aws:iam::444455556666:role/admin
credential_source = Ec2InstanceMetadata

[profile task]
role_arn = arn:aws:iam::444455556666:role/reader
credential_source = EcsContainer

[profile plain]
region = eu-west-1
";

const SHOW: [&str; 4] = ["--", "sh", "-c", "echo \"${AWS_SESSION_TOKEN:+session} $AWS_ACCOUNT_ID\""];

fn fixture() -> Fixture {
    Fixture::with_config(CONFIG)
}

/// Runs `exec` on an instance whose metadata service is at `url`.
fn on_instance(fixture: &Fixture, profile: &str, url: &str) -> Run {
    let run = fixture.hatbox(&["exec", profile]).args(SHOW).without("AWS_EC2_METADATA_DISABLED");
    run.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
}

/// Runs `exec` in a container whose endpoint is at `url`.
fn in_container(fixture: &Fixture, profile: &str, url: &str) -> Run {
    let run = fixture.hatbox(&["exec", profile]).args(SHOW);
    run.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER_TOKEN)
}

fn container_url(fixture: &Fixture) -> String {
    format!("{}{CONTAINER_PATH}", fixture.client().url())
}

fn actions(log: &[LogEntry]) -> Vec<&str> {
    log.iter().map(|entry| entry.action.as_str()).collect()
}

#[test]
fn an_instances_role_assumes_the_profiles_and_is_asked_for_it_alone() {
    let fixture = fixture();
    for _ in 0..2 {
        let outcome = on_instance(&fixture, "batch", &format!("{}/", fixture.client().url())).run().ok();
        assert_eq!(outcome.stdout, format!("session {WORK}\n"));
    }
    let log = fixture.log();
    let asked = ["PutToken", "ListRoles", "GetInstanceCredentials"];
    assert_eq!(actions(&log), [&asked[..], &["AssumeRole"], &asked].concat());
    let caller = log[3].caller.as_deref().unwrap();
    assert!(caller.starts_with("arn:aws:sts::444455556666:assumed-role/worker/i-"), "{caller}");
    let starts: Vec<_> = (0..20)
        .map(|_| {
            let run = on_instance(&fixture, "batch", &fixture.client().url());
            run.env("AWS_ROLE_ARN", "arn:aws:iam::444455556666:role/deploy").spawn()
        })
        .collect();
    for start in starts {
        crate::run::finish(start, "a cold start").ok();
    }
    let log = fixture.log();
    let assumed = log.iter().filter(|entry| entry.action == "AssumeRole").count();
    assert_eq!(assumed, 2, "{:?}", actions(&log));
}

#[test]
fn a_container_sends_its_token_from_a_variable_or_a_file() {
    let fixture = fixture();
    let url = container_url(&fixture);
    in_container(&fixture, "task", &url).run().ok();
    assert_eq!(actions(&fixture.log()), ["GetContainerCredentials", "AssumeRole"]);
    let file = fixture.path("home/token");
    fs::write(&file, format!("{CONTAINER_TOKEN}\n")).unwrap();
    let by_file = in_container(&fixture, "plain", &url)
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "wrong")
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &file);
    assert_eq!(by_file.run().ok().stdout, format!("session {WORK}\n"));
    fs::remove_file(&file).unwrap();
    let outcome = by_file.run().expect_code(125);
    assert!(outcome.stderr.contains("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names `"), "{}", outcome.stderr);

    let wrong =
        in_container(&fixture, "plain", &url).env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "canary-wrong");
    let outcome = wrong.run().expect_code(125);
    assert!(
        outcome.stderr.contains("HTTP 403: AccessDenied: the Authorization header"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("hint: check the token in AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    assert!(!outcome.stderr.contains("canary"), "{}", outcome.stderr);
    let split = wrong.env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "canary\r\nx: y").run().expect_code(125);
    assert!(split.stderr.contains("has a character that a header cannot have"), "{}", split.stderr);
    let before = fixture.log().len();
    let absent = fixture.hatbox(&["exec", "task", "--fresh"]).args(SHOW).run().expect_code(125);
    assert!(absent.stderr.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI is not set"), "{}", absent.stderr);
    assert_eq!(fixture.log().len(), before);
}

#[test]
fn a_containers_role_serves_a_profile_without_identity_and_is_not_saved() {
    let fixture = fixture();
    let run = in_container(&fixture, "plain", &container_url(&fixture));
    for _ in 0..2 {
        assert_eq!(run.run().ok().stdout, format!("session {WORK}\n"));
    }
    assert_eq!(actions(&fixture.log()), ["GetContainerCredentials"; 2]);
    let explain = fixture
        .hatbox(&["explain", "plain"])
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", container_url(&fixture))
        .run()
        .ok();
    assert!(explain.stdout.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI\n"), "{}", explain.stdout);
    assert!(
        explain.stdout.contains("no: the service on this machine is called each time"),
        "{}",
        explain.stdout
    );
    run.without("AWS_CONTAINER_CREDENTIALS_FULL_URI").run().expect_code(125);
}

#[test]
fn a_role_on_top_belongs_to_the_credentials_that_assumed_it() {
    let fixture = fixture();
    let export = fixture.hatbox(&["export", "plain", "--format", "json"]);
    let export = export
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", container_url(&fixture))
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER_TOKEN)
        .run()
        .ok();
    // All pods have the same URL; the token identifies the pod.
    let of_pod_a = export.stdout.replace("\"SessionToken\"", "\"Token\"");
    let of_pod_b = "{\"AccessKeyId\":\"ASIAIOSFODNN7EXAMPLE\",\"SecretAccessKey\":\"x\",\"Token\":\"x\",\
                    \"Expiration\":\"2100-01-01T00:00:00Z\"}";
    let stub = Stub::start(move |request, client| {
        answer(client, 200, if request.contains("pod-a") { &of_pod_a } else { of_pod_b });
    });
    let run =
        |pod| in_container(&fixture, "task", &stub.url()).env("AWS_CONTAINER_AUTHORIZATION_TOKEN", pod).run();
    for _ in 0..2 {
        run("pod-a").ok();
    }
    let refused = run("pod-b").expect_code(125);
    assert!(refused.stderr.contains("InvalidClientTokenId"), "{}", refused.stderr);
    let assumed =
        fixture.log().iter().filter(|entry| entry.action == "AssumeRole" && entry.is_allowed()).count();
    assert_eq!(assumed, 1, "{:?}", actions(&fixture.log()));
    let explain =
        fixture.hatbox(&["explain", "task"]).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", stub.url()).run().ok();
    assert!(
        explain.stdout.contains("not known: it depends on the machine's credentials"),
        "{}",
        explain.stdout
    );
}

#[test]
fn a_service_that_is_not_awss_is_named() {
    let fixture = fixture();
    let url = container_url(&fixture);
    let outcome = in_container(&fixture, "plain", &url).run().ok();
    let named = format!("using the container credentials endpoint {url} (not AWS)");
    assert_eq!(outcome.stderr.matches(&named).count(), 1, "{}", outcome.stderr);
    let url = fixture.client().url();
    let outcome = on_instance(&fixture, "batch", &url).run().ok();
    let named = format!("using the instance metadata endpoint {url} (not AWS)");
    assert_eq!(outcome.stderr.matches(&named).count(), 1, "{}", outcome.stderr);
    // An endpoint that does not answer is named too, as it would have received the token.
    let outcome = in_container(&fixture, "plain", "https://127.0.0.1:1/x").run().expect_code(125);
    assert!(outcome.stderr.contains("endpoint https://127.0.0.1:1/x (not AWS)"), "{}", outcome.stderr);
}

#[test]
fn a_service_that_is_overloaded_is_asked_again() {
    let fixture = fixture();
    let action = Some("GetContainerCredentials".to_owned());
    let fault = Fault { kind: FaultKind::Unavailable, times: Some(2), action };
    fixture.client().add_fault(&fault).unwrap();
    in_container(&fixture, "plain", &container_url(&fixture)).run().ok();
    assert_eq!(fixture.log().len(), 3);
}

#[test]
fn instance_metadata_can_be_turned_off() {
    let fixture = fixture();
    let run = on_instance(&fixture, "batch", &fixture.client().url());
    let outcome = run.env("AWS_EC2_METADATA_DISABLED", "True").run().expect_code(125);
    assert!(
        outcome.stderr.contains("AWS_EC2_METADATA_DISABLED turns instance metadata off"),
        "{}",
        outcome.stderr
    );
    assert!(fixture.log().is_empty());
}

#[test]
fn plain_http_goes_no_further_than_the_machine() {
    let fixture = fixture();
    for url in ["http://10.0.0.1/x", "http://metadata.example/", "http://169.254.1.1"] {
        for run in [on_instance(&fixture, "batch", url), in_container(&fixture, "task", url)] {
            let outcome = run.run().expect_code(125);
            assert!(
                outcome.stderr.contains("plain http to another machine would expose the credentials"),
                "{}",
                outcome.stderr
            );
        }
    }
}

fn answer(mut client: TcpStream, status: u16, body: &str) {
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // The client may already have closed the connection.
    client.write_all(format!("{head}{body}").as_bytes()).ok();
}

#[test]
fn version_1_is_not_asked_where_version_2_is_refused() {
    let fixture = fixture();
    for status in [403, 404, 405] {
        let stub = Stub::start(move |request, client| {
            answer(client, if request.starts_with("PUT ") { status } else { 200 }, "canary");
        });
        let outcome = on_instance(&fixture, "batch", &stub.url()).run().expect_code(125);
        let expected = format!("it returned no token (HTTP {status})");
        assert!(outcome.stderr.contains(&expected), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("hint: hatbox uses IMDSv2 only"), "{}", outcome.stderr);
        let requests = stub.requests();
        assert!(requests.iter().all(|request| request.starts_with("PUT /latest/api/token ")), "{requests:?}");
    }
}

#[test]
fn what_is_no_answer_of_instance_metadata_is_an_error_that_says_why() {
    let fixture = fixture();
    let long = "x".repeat(2_000_000);
    for (role, credentials, expected) in [
        ("../../canary", "", "`../../canary` is not the name of a role"),
        ("", "", "`` is not the name of a role"),
        (&long, "", "is too long for instance metadata"),
        ("worker", "", "the output is empty"),
        ("worker", "canary", "invalid credentials JSON"),
        ("worker", &long, "is too long for instance metadata"),
        (
            "worker",
            "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"no\"}",
            "AssumeRoleUnauthorizedAccess: no",
        ),
        (
            "worker",
            "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIAIOSFODNN7EXAMPLE\",\"SecretAccessKey\":\"canary\",\"Token\":\"canary\",\
             \"Expiration\":\"2020-01-01T00:00:00Z\"}",
            "the credentials expired",
        ),
        (
            "worker",
            "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIAIOSFODNN7EXAMPLE\",\"SecretAccessKey\":\"canary\"}",
            "the JSON has no `Token`",
        ),
    ] {
        let (role, credentials) = (role.to_owned(), credentials.to_owned());
        let stub = Stub::start(move |request, client| {
            let path = request.split(' ').nth(1).unwrap();
            let body = match path {
                "/latest/api/token" => "token",
                "/latest/meta-data/iam/security-credentials/" => &role,
                _ => &credentials,
            };
            answer(client, 200, body);
        });
        let outcome = on_instance(&fixture, "batch", &stub.url()).run().expect_code(125);
        let headline = "could not get the instance's role for profile `batch` from http://127.0.0.1:";
        assert!(outcome.stderr.contains(headline) && outcome.stderr.contains(expected), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("canary\"") && outcome.stderr.contains("--> ~/.aws/config:3"));
    }
    let silent = Stub::start(|_, client| std::mem::forget(client));
    let outcome = on_instance(&fixture, "batch", &silent.url()).run().expect_code(125);
    assert!(outcome.stderr.contains("no response came within 2 s"), "{}", outcome.stderr);
    assert_eq!(silent.requests().len(), 1, "a silent one is not asked again");
    let outcome = on_instance(&fixture, "batch", "http://127.0.0.1:1").run().expect_code(125);
    assert!(
        outcome.stderr.contains("hint: instance metadata exists only on EC2 instances"),
        "{}",
        outcome.stderr
    );
}
