//! A sandbox never touches the real world: whatever the environment says, it opens none of the user's files and
//! connects to nothing but 127.0.0.1. The tests check its system calls.
#![cfg(all(target_os = "linux", feature = "sandbox"))]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests may panic, and print why they are skipped"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A user's machine with files that a sandbox must not touch. All of them are below `real`.
struct RealWorld {
    directory: tempfile::TempDir,
}

impl RealWorld {
    fn new() -> Self {
        let world = Self { directory: tempfile::tempdir().unwrap() };
        for (path, text) in [
            ("home/.aws/config", "[default]\nregion = eu-west-1\ncredential_process = touch /nonexistent\n"),
            (
                "home/.aws/credentials",
                "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n",
            ),
            ("home/.config/hatbox/config.toml", "passphrase_command = \"false\"\n"),
            ("home/.bashrc", "exit 9\n"),
            ("home/.shrc", "exit 9\n"),
            ("home/.terraformrc", "broken {\n"),
            ("home/.awsvault/keys/x", "x\n"),
            ("elsewhere/config", "[profile jan-work]\nregion = eu-west-1\n"),
            ("elsewhere/credentials", "[jan-work]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"),
            ("elsewhere/bundle.pem", "x\n"),
            ("xdg/config/hatbox/config.toml", "backend = \"file\"\nfile_dir = \"/nonexistent\"\n"),
            ("xdg/data/hatbox/store/index", "x\n"),
        ] {
            let path = world.real().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::create_dir_all(world.tmp()).unwrap();
        world
    }

    fn real(&self) -> PathBuf {
        self.directory.path().join("real")
    }

    fn tmp(&self) -> PathBuf {
        self.directory.path().join("tmp")
    }

    /// Every variable that could mislead a sandbox, each with a path below `real` or another host.
    fn hostile(&self) -> Vec<(String, String)> {
        let below = |path: &str| self.real().join(path).display().to_string();
        let proxy = "http://192.0.2.1:3128".to_owned();
        let mut variables: Vec<(&str, String)> = vec![
            ("HOME", below("home")),
            ("AWS_CONFIG_FILE", below("elsewhere/config")),
            ("AWS_SHARED_CREDENTIALS_FILE", below("elsewhere/credentials")),
            ("AWS_CA_BUNDLE", below("elsewhere/bundle.pem")),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "canary-real-secret".to_owned()),
            ("AWS_SESSION_TOKEN", "canary-real-token".to_owned()),
            ("AWS_PROFILE", "production".to_owned()),
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_ENDPOINT_URL", "http://192.0.2.1".to_owned()),
            ("AWS_ENDPOINT_URL_STS", "http://192.0.2.2".to_owned()),
            ("AWS_ENDPOINT_URL_S3", "http://192.0.2.3".to_owned()),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.4/".to_owned()),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", below("elsewhere/token")),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://192.0.2.5".to_owned()),
            ("AWS_VAULT", "production".to_owned()),
            ("AWS_VAULT_BACKEND", "pass".to_owned()),
            ("AWS_VAULT_FILE_PASSPHRASE", "canary-passphrase".to_owned()),
            ("AWS_VAULT_PROMPT", "ykman".to_owned()),
            ("HATBOX", "production".to_owned()),
            ("HATBOX_BACKEND", "file".to_owned()),
            ("HATBOX_FILE_DIR", below("xdg/data/hatbox/store")),
            ("HATBOX_FILE_PASSPHRASE", "canary-passphrase".to_owned()),
            ("HATBOX_SANDBOX", "another".to_owned()),
            ("XDG_CONFIG_HOME", below("xdg/config")),
            ("XDG_DATA_HOME", below("xdg/data")),
            ("XDG_CACHE_HOME", below("xdg/cache")),
            ("XDG_STATE_HOME", below("xdg/state")),
            ("XDG_RUNTIME_DIR", below("xdg/run")),
            ("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", below("xdg/run/bus"))),
            ("SSH_AUTH_SOCK", below("xdg/run/agent")),
            ("BASH_ENV", below("home/.bashrc")),
            ("ENV", below("home/.shrc")),
            ("TF_CLI_CONFIG_FILE", below("home/.terraformrc")),
            ("TF_PLUGIN_CACHE_DIR", below("xdg/cache/terraform")),
            ("PYTHONSTARTUP", below("home/.pythonrc")),
            ("PYTHONPATH", below("elsewhere")),
            ("LD_LIBRARY_PATH", below("elsewhere")),
            ("BOTO_CONFIG", below("elsewhere/boto")),
            ("ZDOTDIR", below("home")),
        ];
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            variables.push((name, proxy.clone()));
        }
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Runs hatbox there under strace. Returns its system calls for files and connections, `None` if tracing is not
    /// possible.
    fn trace(&self, path: &str, arguments: &[&str]) -> Option<String> {
        let strace = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .map(|directory| directory.join("strace"))
            .find(|path| path.is_file());
        let Some(strace) = strace else {
            eprintln!("skipped: strace is not installed");
            return None;
        };
        let log = self.directory.path().join("calls");
        let output = Command::new(strace)
            .args(["-f", "-qq", "-s", "4096", "-e", "trace=%file,connect,sendto", "-o"])
            .arg(&log)
            .arg(env!("CARGO_BIN_EXE_hatbox"))
            .args(arguments)
            .env_clear()
            // The dynamic loader uses this one before hatbox runs. Another test checks that the sandbox's
            // commands do not get it.
            .envs(self.hostile().into_iter().filter(|(name, _)| name != "LD_LIBRARY_PATH"))
            .env("PATH", path)
            .env("TMPDIR", self.tmp())
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let (text, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if errors.contains("ptrace") && errors.contains("not permitted") {
            eprintln!("skipped: tracing is not permitted here");
            return None;
        }
        assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
        for canary in ["canary", "AKIAIOSFODNN7EXAMPLE"] {
            assert!(!text.contains(canary) && !errors.contains(canary), "{canary} in:\n{text}\n{errors}");
        }
        Some(fs::read_to_string(log).unwrap())
    }

    fn assert_untouched(&self, calls: &str) {
        let real = self.real().display().to_string();
        let touched: Vec<_> = calls.lines().filter(|call| call.contains(&real)).collect();
        assert!(touched.is_empty(), "{touched:#?}");
        let elsewhere: Vec<_> = calls.lines().filter(|call| is_talk_to_another(call)).collect();
        assert!(elsewhere.is_empty(), "{elsewhere:#?}");
        assert!(
            calls.lines().any(|call| call.contains("connect(") && call.contains("127.0.0.1")),
            "it did nothing"
        );
    }
}

/// Whether a call connects or sends to anything but 127.0.0.1.
///
/// The only local socket that is allowed is nscd's, which libc asks for the user's name.
fn is_talk_to_another(call: &str) -> bool {
    let Some((_, address)) = call.split_once("sa_family=") else { return false };
    let is_loopback = address.starts_with("AF_INET,") && address.contains("inet_addr(\"127.0.0.1\")");
    let is_nscd = address.starts_with("AF_UNIX,") && address.contains("sun_path=\"/var/run/nscd/socket\"");
    !is_loopback && !is_nscd
}

#[test]
fn the_witness_differs_between_machines() {
    let connect = |address: &str| format!("7 connect(3, {{{address}}}, 16) = 0");
    assert!(!is_talk_to_another(&connect(
        "sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"127.0.0.1\")"
    )));
    assert!(is_talk_to_another(&connect(
        "sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"192.0.2.1\")"
    )));
    assert!(is_talk_to_another(&connect("sa_family=AF_INET6, sin6_port=htons(80)")));
    assert!(is_talk_to_another(&connect("sa_family=AF_UNIX, sun_path=\"/run/user/0/bus\"")));
    assert!(!is_talk_to_another("7 openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 3"));
}

#[test]
fn the_demo_touches_nothing_of_the_users() {
    let world = RealWorld::new();
    let Some(calls) = world.trace("/usr/bin:/bin", &["sandbox", "demo"]) else { return };
    world.assert_untouched(&calls);
    // The trace does show files that are opened: it has the sandbox's own.
    assert!(calls.contains("/home/.aws/config"), "the sandbox's own config was not read");
}

#[test]
fn the_real_aws_in_the_sandbox_touches_nothing_of_the_users() {
    let path = std::env::var("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|directory| directory.join("aws").is_file()) {
        eprintln!("skipped: aws is not on PATH");
        return;
    }
    let world = RealWorld::new();
    let sandbox = world.directory.path().join("sandbox");
    let words = ["hatbox", "exec", "security-auditor", "--", "aws", "s3", "ls"];
    let arguments = [["sandbox", "--dir", path_text(&sandbox), "run", "--"].as_slice(), &words].concat();
    let Some(calls) = world.trace(&path, &arguments) else { return };
    world.assert_untouched(&calls);
}

#[test]
fn a_command_in_the_sandbox_gets_none_of_the_users_variables() {
    let world = RealWorld::new();
    let sandbox = world.directory.path().join("sandbox");
    let output = Command::new(env!("CARGO_BIN_EXE_hatbox"))
        .args(["sandbox", "--dir", path_text(&sandbox), "run", "--", "env"])
        .env_clear()
        .envs(world.hostile())
        .envs([("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("TZ", "UTC"), ("PYENV_ROOT", "/opt/pyenv")])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for passed in ["LANG=C.UTF-8", "TZ=UTC", "PYENV_ROOT=/opt/pyenv"] {
        assert!(text.lines().any(|line| line == passed), "{passed} is not in:\n{text}");
    }
    for (name, value) in world.hostile() {
        assert!(!text.lines().any(|line| line == format!("{name}={value}")), "{name} was passed on:\n{text}");
    }
    let real = world.real().display().to_string();
    assert!(!text.contains(&real) && !text.contains("192.0.2.") && !text.contains("canary"), "{text}");
    let set: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .filter(|name| ["AWS_", "HATBOX", "XDG_"].iter().any(|prefix| name.starts_with(prefix)))
        .collect();
    let expected = [
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR",
        "AWS_ENDPOINT_URL",
        "AWS_EC2_METADATA_DISABLED",
        "HATBOX_SANDBOX_DIR",
        "HATBOX_SANDBOX",
    ];
    for name in &expected {
        assert!(set.contains(name), "{name} is not replaced: {set:?}");
    }
    assert_eq!(set.len(), expected.len(), "{set:?}");
}

#[test]
fn a_command_in_the_sandbox_has_no_signal_held_back_and_keeps_its_exit_code() {
    let world = RealWorld::new();
    let sandbox = world.directory.path().join("sandbox");
    let run = |command: &[&str]| {
        let words = [["sandbox", "--dir", path_text(&sandbox), "run", "--"].as_slice(), command].concat();
        Command::new(env!("CARGO_BIN_EXE_hatbox"))
            .args(words)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", world.real().join("home"))
            .output()
            .unwrap()
    };
    let mask = run(&["grep", "SigBlk", "/proc/self/status"]);
    assert_eq!(String::from_utf8_lossy(&mask.stdout), "SigBlk:\t0000000000000000\n");
    assert_eq!(run(&["sh", "-c", "exit 7"]).status.code(), Some(7));
    assert_eq!(run(&["sh", "-c", "kill -TERM $$"]).status.code(), Some(128 + 15));
    assert_eq!(run(&["no-such-command"]).status.code(), Some(127));
}

fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}
