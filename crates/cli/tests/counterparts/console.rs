//! The console in a real browser: `hatbox login`, the page that it opens, and the sandbox's console behind it.

use std::os::unix::fs::PermissionsExt;

use hatbox_sandbox::world::START_URL;
use serde_json::{Value, json};

use crate::python::Python;
use crate::scene::{HATBOX, Scene, succeeded};
use crate::sso::find_chromium;

const CONSOLE: &str = concat!(include_str!("python/chromium.py"), include_str!("python/console.py"));

#[test]
fn chromium_opens_the_console_signs_out_keeps_several_sessions_and_goes_by_the_portal() {
    let Some(chromium) = find_chromium() else { return };
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    let config = scene.home.path().join(".aws/config");
    let mut text = std::fs::read_to_string(&config).unwrap();
    text.push_str(&format!(
        "[profile work-read-only]\nregion = us-east-1\nsso_start_url = {START_URL}\nsso_region = us-east-1\n\
         sso_account_id = 444455556666\nsso_role_name = ReadOnly\n"
    ));
    std::fs::write(&config, text).unwrap();
    let path = |name: &str| scene.home.path().join(name).display().to_string();
    let (opener, seen) = (path("opener"), path("seen"));
    std::fs::write(&opener, format!("#!/bin/sh\nprintf %s \"$1\" > {seen}.new && mv {seen}.new {seen}\n"))
        .unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();

    let mut command = scene.home.command(python.interpreter());
    let words = ["-c", CONSOLE, chromium, HATBOX, &opener, &seen];
    let out: Value = serde_json::from_str(&succeeded(command.args(words))).unwrap();
    let who = |step: &str| out[step]["who"].as_str().unwrap_or_default().to_owned();
    let auditor = "arn:aws:sts::444455556666:assumed-role/security-auditor/";
    assert!(who("role").starts_with(auditor), "{out}");
    let role = &out["role"];
    assert_eq!(
        (&role["region"], &role["path"], &role["sessions"]),
        (&json!("eu-west-1"), &json!("/s3/home"), &json!("1"))
    );
    let message = out["refused"]["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("You must first log out"), "{out}");
    assert_eq!(who("after_sign_out"), "arn:aws:sts::111122223333:federated-user/hatbox-jan-work");
    assert_eq!(out["after_sign_out"]["sessions"], "1");
    // The sign-out address answers 400 here; the browser signs in all the same.
    assert!(who("multi_session").starts_with(auditor), "{out}");
    assert_eq!(
        (&out["multi_session"]["multi"], &out["multi_session"]["sessions"]),
        (&json!("on"), &json!("2"))
    );
    assert!(who("portal").contains(":assumed-role/AWSReservedSSO_ReadOnly_"), "{out}");
    assert_eq!((&out["portal"]["path"], &out["portal"]["sessions"]), (&json!("/iam/home"), &json!("3")));
    let logouts = scene.calls("Logout");
    assert_eq!(logouts.iter().map(|call| call.status).collect::<Vec<_>>(), [200, 400]);
}
