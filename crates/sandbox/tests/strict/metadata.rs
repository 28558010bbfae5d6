//! The metadata services of a machine: which requests get the role's credentials.

use hatbox_sandbox::CONTAINER_PATH;
use hatbox_sandbox::world::{WORK_ACCOUNT, load_world};
use serde_json::Value;

use crate::client::{Answer, Keys, Sandbox};

const TOKEN: &str = "/latest/api/token";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
const TOKEN_HEADER: &str = "x-aws-ec2-metadata-token";
const LIFE_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const WORKER: &str = "arn:aws:sts::444455556666:assumed-role/worker/";

fn send(sandbox: &Sandbox, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    sandbox.send(&sandbox.s3_raw(method, path, headers, b""))
}

fn token(sandbox: &Sandbox, life: &str) -> String {
    send(sandbox, "PUT", TOKEN, &[(LIFE_HEADER, life)]).ok().body.clone()
}

/// Checks that the credentials in the response work, and returns the response.
fn check_keys(sandbox: &Sandbox, answer: &Answer) -> Value {
    let given: Value = serde_json::from_str(&answer.ok().body).unwrap();
    let text = |name: &str| given[name].as_str().unwrap().to_owned();
    let keys = Keys { id: text("AccessKeyId"), secret: text("SecretAccessKey"), token: Some(text("Token")) };
    let caller = sandbox.sts(&keys, "GetCallerIdentity", &[]);
    assert!(caller.text("Arn").starts_with(WORKER), "{}", caller.body);
    sandbox.s3(&keys, "GET", "/work-logs", &[], b"").ok();
    assert_eq!(text("AccountId"), WORK_ACCOUNT);
    assert!(text("Expiration").ends_with('Z'));
    given
}

#[test]
fn an_instance_gets_a_token_then_its_roles_name_then_credentials() {
    let sandbox = Sandbox::start();
    let answer = send(&sandbox, "PUT", TOKEN, &[(LIFE_HEADER, "300")]);
    assert_eq!(answer.ok().header(LIFE_HEADER), "300");
    let with_token = [(TOKEN_HEADER, answer.body.as_str())];
    assert_eq!(send(&sandbox, "GET", ROLES, &with_token).ok().body, "worker");
    let given = check_keys(&sandbox, &send(&sandbox, "GET", &format!("{ROLES}worker"), &with_token));
    assert_eq!((given["Code"].as_str(), given["Type"].as_str()), (Some("Success"), Some("AWS-HMAC")));
    assert_eq!(send(&sandbox, "GET", &format!("{ROLES}other"), &with_token).status, 404);
    let log = sandbox.control().log(0).unwrap();
    let entry = log.iter().find(|entry| entry.action == "GetInstanceCredentials").unwrap();
    assert_eq!(entry.resource.as_deref(), Some("arn:aws:iam::444455556666:role/worker"));
    assert_eq!(entry.granted_seconds, Some(21600));
    let text = serde_json::to_string(&log).unwrap();
    assert!(!text.contains(&answer.body), "the token is in the log");
}

#[test]
fn version_1_and_forwarded_requests_get_nothing() {
    let mut sandbox = Sandbox::start();
    for headers in [&[][..], &[(TOKEN_HEADER, "x")], &[(TOKEN_HEADER, "")]] {
        assert_eq!(send(&sandbox, "GET", ROLES, headers).status, 401);
        assert_eq!(send(&sandbox, "GET", &format!("{ROLES}worker"), headers).status, 401);
    }
    let forwarded = [(LIFE_HEADER, "60"), ("x-forwarded-for", "10.0.0.1")];
    assert_eq!(send(&sandbox, "PUT", TOKEN, &forwarded).status, 403);
    for life in ["0", "21601", "-1", "soon"] {
        assert_eq!(send(&sandbox, "PUT", TOKEN, &[(LIFE_HEADER, life)]).status, 400, "{life}");
    }
    assert_eq!(send(&sandbox, "PUT", TOKEN, &[]).status, 400);
    assert_eq!(send(&sandbox, "GET", TOKEN, &[(LIFE_HEADER, "60")]).status, 404);
    let token = token(&sandbox, "60");
    send(&sandbox, "GET", ROLES, &[(TOKEN_HEADER, &token)]).ok();
    sandbox.advance(61);
    assert_eq!(send(&sandbox, "GET", ROLES, &[(TOKEN_HEADER, &token)]).status, 401);
}

#[test]
fn a_container_needs_its_token() {
    let sandbox = Sandbox::start();
    let world = load_world(&sandbox.directory).unwrap().unwrap();
    let token = world.machine.unwrap().container_token;
    check_keys(&sandbox, &send(&sandbox, "GET", CONTAINER_PATH, &[("authorization", token.expose())]));
    for headers in [&[][..], &[("authorization", "x")], &[("authorization", "")]] {
        let answer = send(&sandbox, "GET", CONTAINER_PATH, headers);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, body["Code"].as_str()), (403, Some("AccessDenied")));
    }
}

#[test]
fn a_world_without_a_machine_says_so_and_a_bucket_may_be_called_latest() {
    let sandbox = Sandbox::start_with(|world| {
        world.machine = None;
        // Makes this no longer a demo world, to which the sandbox would add a machine.
        world.accounts.remove(WORK_ACCOUNT);
    });
    assert_eq!(send(&sandbox, "PUT", TOKEN, &[(LIFE_HEADER, "60")]).status, 404);
    assert_eq!(send(&sandbox, "GET", CONTAINER_PATH, &[("authorization", "x")]).status, 404);
    let sandbox = Sandbox::start();
    let answer = sandbox.s3(&sandbox.jan, "GET", "/latest/x", &[], b"");
    assert!(answer.body.contains("NoSuchBucket"), "{}", answer.body);
}
