//! The sandbox's Identity Center with real clients: boto3 signs in, refreshes and lists, and a headless Chromium goes
//! through the page of the authorization code flow.

use std::path::Path;

use hatbox_sandbox::control::Revoked;
use hatbox_sandbox::world::START_URL;
use serde_json::{Value, json};

use crate::python::Python;
use crate::scene::{HATBOX, Scene, failed, succeeded};

const BROWSER: &str = concat!(include_str!("python/chromium.py"), include_str!("python/browser.py"));

/// Runs a script that prints one JSON value.
fn run(python: &Python, scene: &Scene, script: &str, words: &[&str]) -> Value {
    let mut command = scene.home.command(python.interpreter());
    let text = succeeded(command.args(["-c", script]).args(words));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Defines `client` and `token`: a client that signed in by device code, with `hatbox sandbox sign-in` as the browser.
const SIGN_IN: &str = r#"
import boto3, json, subprocess, sys
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
hatbox, directory, start_url = sys.argv[1:4]
unsigned = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
oidc = boto3.client("sso-oidc", region_name="us-east-1", config=unsigned)
sso = boto3.client("sso", region_name="us-east-1", config=unsigned)
def refused(call, *exceptions):
    try:
        call()
    except exceptions as error:
        return [type(error).__name__, error.response["Error"]["Code"], error.response.get("error")]
def sign_in():
    client = oidc.register_client(clientName="counterpart", clientType="public", scopes=["sso:account:access"])
    asked = {"clientId": client["clientId"], "clientSecret": client["clientSecret"]}
    device = oidc.start_device_authorization(startUrl=start_url, **asked)
    asked.update(grantType="urn:ietf:params:oauth:grant-type:device_code", deviceCode=device["deviceCode"])
    pending = refused(lambda: oidc.create_token(**asked), oidc.exceptions.AuthorizationPendingException)
    subprocess.run([hatbox, "sandbox", "sign-in", "--dir", directory, device["userCode"]], check=True)
    return client, asked, pending, oidc.create_token(**asked)
client, asked, pending, token = sign_in()
"#;

#[test]
fn boto3_signs_in_by_device_code_and_knows_every_error_by_its_class() {
    const REST: &str = r#"
out = {"pending": pending, "keys": sorted(k for k in token if k != "ResponseMetadata")}
out["used"] = refused(lambda: oidc.create_token(**asked), oidc.exceptions.InvalidGrantException)
access = token["accessToken"]
given = sso.get_role_credentials(accessToken=access, accountId="444455556666", roleName="ReadOnly")["roleCredentials"]
keys = [given[name] for name in ("accessKeyId", "secretAccessKey", "sessionToken")]
session = boto3.Session(*keys, region_name="us-east-1")
out["who"] = session.client("sts").get_caller_identity()["Arn"]
out["buckets"] = len(session.client("s3").list_buckets()["Buckets"])
pages = sso.get_paginator("list_accounts").paginate(accessToken=access, PaginationConfig={"PageSize": 1})
out["accounts"] = [account["accountName"] for page in pages for account in page["accountList"]]
roles = sso.list_account_roles(accessToken=access, accountId="444455556666")["roleList"]
out["roles"] = [role["roleName"] for role in roles]
out["forbidden"] = refused(
    lambda: sso.get_role_credentials(accessToken=access, accountId="111122223333", roleName="Developer"), ClientError)
out["nowhere"] = refused(
    lambda: sso.list_account_roles(accessToken=access, accountId="999999999999"), sso.exceptions.ResourceNotFoundException)
fresh = oidc.create_token(
    clientId=client["clientId"], clientSecret=client["clientSecret"], grantType="refresh_token",
    refreshToken=token["refreshToken"])
sso.logout(accessToken=fresh["accessToken"])
out["ended"] = refused(lambda: sso.list_accounts(accessToken=access), sso.exceptions.UnauthorizedException)
print(json.dumps(out))
"#;
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    let place = scene.place().display().to_string();
    let out = run(python, &scene, &[SIGN_IN, REST].concat(), &[HATBOX, &place, START_URL]);
    let class = |name: &str, code: &str| json!([name, name, code]);
    assert_eq!(out["pending"], class("AuthorizationPendingException", "authorization_pending"));
    assert_eq!(out["used"], class("InvalidGrantException", "invalid_grant"));
    assert_eq!(out["keys"], json!(["accessToken", "expiresIn", "refreshToken", "tokenType"]));
    let who = out["who"].as_str().unwrap();
    assert!(who.contains(":assumed-role/AWSReservedSSO_ReadOnly_") && who.ends_with("/jan"), "{who}");
    assert_eq!((&out["buckets"], &out["accounts"]), (&json!(3), &json!(["People", "Work"])));
    assert_eq!(out["roles"], json!(["Developer", "ReadOnly"]));
    // botocore's model of the service lacks this error.
    assert_eq!(out["forbidden"], json!(["ClientError", "ForbiddenException", null]));
    assert_eq!(out["nowhere"][0], "ResourceNotFoundException");
    assert_eq!(out["ended"][0], "UnauthorizedException");
}

#[test]
fn botocore_refreshes_a_token_of_its_cache_by_itself() {
    const REST: &str = r#"
import datetime, hashlib, os, pathlib
time = lambda seconds: datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
cache = pathlib.Path(os.environ["HOME"], ".aws/sso/cache")
cache.mkdir(parents=True)
path = cache / (hashlib.sha1(b"sandbox").hexdigest() + ".json")
now = datetime.datetime.now().timestamp()
path.write_text(json.dumps({
    "startUrl": start_url, "region": "us-east-1", "accessToken": token["accessToken"], "expiresAt": time(now + 60),
    "clientId": client["clientId"], "clientSecret": client["clientSecret"],
    "registrationExpiresAt": time(client["clientSecretExpiresAt"]), "refreshToken": token["refreshToken"]}))
with open(pathlib.Path(os.environ["HOME"], ".aws/config"), "a") as config:
    config.write(f"""
[sso-session sandbox]
sso_start_url = {start_url}
sso_region = us-east-1
[profile work-read-only]
region = us-east-1
sso_session = sandbox
sso_account_id = 444455556666
sso_role_name = ReadOnly
""")
who = boto3.Session(profile_name="work-read-only").client("sts").get_caller_identity()["Arn"]
after = json.loads(path.read_text())
print(json.dumps({"who": who, "is_new": after["accessToken"] != token["accessToken"],
    "rotated": after["refreshToken"] != token["refreshToken"]}))
"#;
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    let place = scene.place().display().to_string();
    let out = run(python, &scene, &[SIGN_IN, REST].concat(), &[HATBOX, &place, START_URL]);
    assert!(out["who"].as_str().unwrap().contains("AWSReservedSSO_ReadOnly_"), "{out}");
    assert_eq!((&out["is_new"], &out["rotated"]), (&json!(true), &json!(true)));
    // Register, device, two polls, one refresh.
    assert_eq!(scene.calls("CreateToken").len(), 3);
    scene.sandbox.client.revoke(Revoked::Sessions).unwrap();
}

/// The browser of this machine. `None` when there is none, which is printed.
pub(crate) fn find_chromium() -> Option<&'static str> {
    let found = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .into_iter()
        .find(|path| Path::new(path).exists());
    if found.is_none() {
        println!("skipped: there is no Chromium");
    }
    found
}

#[test]
fn chromium_walks_through_the_page_and_brings_the_code_back() {
    let Some(chromium) = find_chromium() else { return };
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    let out = run(python, &scene, BROWSER, &[chromium, &scene.sandbox.url(), START_URL, "allow"]);
    assert_eq!(
        out,
        json!({
            "client": "counterpart", "user": "jan", "scopes": "sso:account:access",
            "state": true, "error": null, "accounts": ["111122223333", "444455556666"],
        })
    );
    let out = run(python, &scene, BROWSER, &[chromium, &scene.sandbox.url(), START_URL, "deny"]);
    assert_eq!((&out["state"], &out["error"]), (&json!(true), &json!("access_denied")));
    assert_eq!(scene.calls("AnswerAuthorize").len(), 2);
}

#[test]
fn chromium_signs_hatbox_in_and_a_denial_is_reported() {
    let Some(chromium) = find_chromium() else { return };
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    let script = scene.home.path().join("browser.py");
    std::fs::write(&script, BROWSER).unwrap();
    let config = scene.home.path().join(".aws/config");
    let mut text = std::fs::read_to_string(&config).unwrap();
    text.push_str(&format!(
        "[sso-session sandbox]\nsso_start_url = {START_URL}\nsso_region = us-east-1\n\
         [profile work-read-only]\nregion = us-east-1\nsso_session = sandbox\n\
         sso_account_id = 444455556666\nsso_role_name = ReadOnly\n"
    ));
    std::fs::write(&config, text).unwrap();
    let login = |button: &str| {
        let browser = format!("{} {} {chromium} {button}", python.interpreter(), script.display());
        let mut command = scene.home.hatbox(&["sso", "login", "sandbox"]);
        command.env("HATBOX_BROWSER", browser);
        command
    };
    let (code, said) = failed(&mut login("deny"));
    assert!(code == 130 && said.contains("was denied in the browser"), "{code}: {said}");
    assert!(scene.calls("CreateToken").is_empty());
    let done = login("allow").output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && said.contains("signed in to `sandbox`"), "{said}");
    let who = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])";
    let arn = succeeded(&mut scene.exec("work-read-only", &[&python.interpreter(), "-c", who]));
    assert!(arn.contains(":assumed-role/AWSReservedSSO_ReadOnly_"), "{arn}");
    assert_eq!(scene.calls("CreateToken").len(), 1);
}
