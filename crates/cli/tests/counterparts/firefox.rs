//! `hatbox login` with a real Firefox, headless and with an empty profile directory. hatbox starts it with the address
//! of a page that works once, and that page redirects it to the console.
//!
//! The extension for containers is only on Mozilla's site, so a stand-in handles its addresses here.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::scene::{Background, Scene, succeeded};

const DRIVER: &str = include_str!("python/firefox.py");
const STAND_IN: &str = include_str!("python/container_stand_in.py");

/// No welcome pages, no questions and no background requests.
const PREFERENCES: [(&str, &str); 15] = [
    ("app.normandy.enabled", "false"),
    ("app.update.disabledForTesting", "true"),
    ("browser.aboutwelcome.enabled", "false"),
    ("browser.shell.checkDefaultBrowser", "false"),
    ("browser.startup.homepage_override.mstone", "\"ignore\""),
    ("datareporting.policy.dataSubmissionEnabled", "false"),
    ("datareporting.policy.dataSubmissionPolicyBypassNotification", "true"),
    ("extensions.autoDisableScopes", "0"),
    ("extensions.getAddons.cache.enabled", "false"),
    ("marionette.port", "0"),
    ("network.captive-portal-service.enabled", "false"),
    ("network.connectivity-service.enabled", "false"),
    ("privacy.userContext.enabled", "true"),
    ("services.settings.server", "\"data:,\""),
    // The stand-in is not signed. Debian's Firefox allows that with this preference.
    ("xpinstall.signatures.required", "false"),
];

/// A Firefox that hatbox has yet to start. Dropping the value ends it.
struct Firefox {
    profile: PathBuf,
    /// The program that starts it, for HATBOX_BROWSER.
    opener: PathBuf,
    pid: PathBuf,
}

impl Firefox {
    /// `None` when Firefox or what drives it is missing; the reason is printed.
    fn find(scene: &Scene) -> Option<Self> {
        let program =
            ["/usr/bin/firefox-esr", "/usr/bin/firefox"].into_iter().find(|path| Path::new(path).exists());
        let Some(program) = program else {
            println!("skipped: there is no Firefox");
            return None;
        };
        if Command::new("python3").arg("--version").output().is_err() {
            println!("skipped: there is no python3, which drives Firefox");
            return None;
        }
        let path = |name: &str| scene.home.path().join(name);
        let firefox = Self { profile: path("firefox"), opener: path("opener"), pid: path("firefox.pid") };
        std::fs::create_dir(&firefox.profile).unwrap();
        let line = |(name, value): &(&str, &str)| format!("user_pref(\"{name}\", {value});\n");
        let preferences: String = PREFERENCES.iter().map(line).collect();
        std::fs::write(firefox.profile.join("user.js"), preferences).unwrap();
        let script = format!(
            "#!/bin/sh\necho $$ >'{}'\nexec {program} --headless --marionette -remote-allow-system-access \
             --no-remote --profile '{}' \"$@\"\n",
            firefox.pid.display(),
            firefox.profile.display()
        );
        std::fs::write(&firefox.opener, script).unwrap();
        std::fs::set_permissions(&firefox.opener, std::fs::Permissions::from_mode(0o755)).unwrap();
        Some(firefox)
    }

    /// Installs the stand-in for the extension.
    fn install_stand_in(&self, scene: &Scene) {
        let extensions = self.profile.join("extensions");
        std::fs::create_dir(&extensions).unwrap();
        let mut pack = scene.home.command("python3");
        pack.args(["-c", STAND_IN]).arg(extensions.join("stand-in@hatbox.example.xpi"));
        succeeded(&mut pack);
    }

    /// hatbox with this browser.
    fn hatbox(&self, scene: &Scene, arguments: &[&str]) -> Command {
        let mut command = scene.home.hatbox(arguments);
        command.env("HATBOX_BROWSER", &self.opener);
        command
    }

    /// Visits pages and returns what the last one shows; python/firefox.py describes `words`.
    fn visit(&self, scene: &Scene, words: &[&str]) -> Value {
        let mut command = scene.home.command("python3");
        command.args(["-c", DRIVER]).arg(&self.profile).args(words);
        serde_json::from_str(&succeeded(&mut command)).unwrap()
    }
}

impl Drop for Firefox {
    fn drop(&mut self) {
        let Ok(pid) = std::fs::read_to_string(&self.pid) else { return };
        let pid = pid.trim();
        // It writes into its profile until it ends.
        drop(Command::new("kill").args(["-KILL", pid]).stderr(Stdio::null()).status());
        let begun = Instant::now();
        while Path::new("/proc").join(pid).exists() && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn firefox_is_started_with_the_page_that_works_once_and_ends_in_the_console() {
    let scene = Scene::start();
    let Some(firefox) = Firefox::find(&scene) else { return };
    let login = ["login", "--service", "s3", "--region", "eu-west-1", "security-auditor"];
    let output = firefox.hatbox(&scene, &login).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("opened the console with the credentials of `security-auditor`"), "{said}");
    let page = firefox.visit(&scene, &["/console/", "#who"]);
    let who = page["who"].as_str().unwrap();
    assert!(who.starts_with("arn:aws:sts::444455556666:assumed-role/security-auditor/"), "{page}");
    assert_eq!((&page["region"], &page["path"]), (&"eu-west-1".into(), &"/s3/home".into()));
    assert_eq!(page["container"], Value::Null);
    let words =
        std::fs::read(format!("/proc/{}/cmdline", std::fs::read_to_string(&firefox.pid).unwrap().trim()));
    let words = String::from_utf8_lossy(&words.unwrap()).into_owned();
    assert!(words.contains("http://127.0.0.1:") && !words.contains("SigninToken"), "{words}");
}

#[test]
fn firefox_opens_the_console_in_the_container_that_the_profile_names() {
    let scene = Scene::start();
    let Some(firefox) = Firefox::find(&scene) else { return };
    firefox.install_stand_in(&scene);
    let config = scene.home.path().join(".aws/config");
    let text = std::fs::read_to_string(&config).unwrap();
    let keys = "hatbox_firefox_container = prod & co\nhatbox_firefox_container_color = red\n\
                hatbox_firefox_container_icon = fence\n";
    let section = "[profile security-auditor]\n";
    std::fs::write(&config, text.replace(section, &format!("{section}{keys}"))).unwrap();
    // hatbox looks for `firefox` in PATH; in a container, only if it is named.
    let programs = scene.home.path().join("bin");
    std::fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(&firefox.opener, programs.join("firefox")).unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(programs).chain(std::env::split_paths(&path));
    let mut login = scene.home.hatbox(&["login", "security-auditor"]);
    login.env("PATH", std::env::join_paths(path).unwrap()).env("DISPLAY", ":99");
    if Path::new("/.dockerenv").exists() {
        login.env("BROWSER", "firefox");
    }
    let output = login.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = firefox.visit(&scene, &["/console/", "#who"]);
    assert_eq!(page["container"], serde_json::json!(["prod & co", "red", "fence"]), "{page}");
}

#[test]
fn a_person_signs_in_at_the_page_of_the_sign_in_service_in_firefox() {
    let scene = Scene::start();
    let Some(firefox) = Firefox::find(&scene) else { return };
    let mut login = firefox.hatbox(&scene, &["login", "--session", "--region", "us-east-1", "me"]);
    let login = login.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut login = Background(login);
    let page = firefox.visit(
        &scene,
        &["/v1/authorize", "select[name=identity]", "button[value=allow]", "/oauth/callback", "body"],
    );
    assert!(page["url"].as_str().unwrap().contains("/oauth/callback?"), "{page}");
    assert!(login.0.wait().unwrap().success());
    let who = succeeded(&mut scene.home.hatbox(&["exec", "me", "--", "printenv", "AWS_ACCESS_KEY_ID"]));
    assert!(who.starts_with("ASIA"), "{who}");
}
