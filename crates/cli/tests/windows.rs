//! The program on Windows, or under Wine: with a key in the Credential Manager, or in the encrypted store.
#![cfg(windows)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helpers may panic, like tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::windows::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use windows_sys::Win32::System::Console::{CTRL_C_EVENT, GenerateConsoleCtrlEvent, SetConsoleCtrlHandler};
use windows_sys::Win32::System::Threading::CREATE_NO_WINDOW;

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// A home directory for one test. All tests share the user's Credential Manager, so each has its own profiles.
struct Home(tempfile::TempDir);

impl Home {
    fn new(profile: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        let config = format!("[profile {profile}]\r\nregion = us-east-1\r\n");
        std::fs::write(home.path().join(".aws").join("config"), config).unwrap();
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn hatbox(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hatbox"));
        command.args(words).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.env("USERPROFILE", self.path());
        for (name, below) in [("APPDATA", "Roaming"), ("LOCALAPPDATA", "Local")] {
            command.env(name, self.path().join(below));
        }
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.hatbox(words).output().unwrap()
    }

    /// The output of a command, with `\n` as line end.
    fn stdout(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
    }

    fn add(&self, profile: &str) {
        let mut command = self.hatbox(&["add", "--env", "--force", profile]);
        command.env("AWS_ACCESS_KEY_ID", ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).replace("\r\n", "\n")
}

#[test]
fn help_names_no_command_that_this_build_lacks() {
    let help = Home::new("x").stdout(&["--help"]);
    assert!(help.contains("Usage: hatbox") && help.contains("  exec "), "{help}");
    assert!(!help.contains("sandbox"), "{help}");
}

#[test]
fn a_key_is_kept_in_the_credential_manager_and_handed_over() {
    let profile = format!("flow-{}", std::process::id());
    let home = Home::new(&profile);
    home.add(&profile);
    let settings = std::fs::read_to_string(home.path().join("Roaming/hatbox/config.toml")).unwrap();
    assert_eq!(settings, "backend = \"wincred\"\n", "the first write chose it");
    let listed = home.stdout(&["list"]);
    assert!(listed.contains(&format!("{profile}  {profile}")), "{listed}");
    let exported = home.stdout(&["export", &profile, "-n", "--format", "json"]);
    assert!(exported.contains(ID) && exported.contains(SECRET), "{exported}");
    let explained = home.stdout(&["explain", &profile]);
    assert!(explained.contains("GetSessionToken") && !explained.contains(ID), "{explained}");
    let status = home.stdout(&["store", "status"]);
    assert!(status.contains("* wincred  ready"), "{status}");
    assert!(status.contains("  file     empty"), "{status}");
    home.stdout(&["remove", &profile, "--force"]);
    let listed = home.stdout(&["list"]);
    assert!(!listed.contains(&format!("{profile}  {profile}")), "{listed}");
}

#[test]
fn a_command_gets_its_environment_and_its_exit_code_is_passed_on() {
    let profile = format!("exec-{}", std::process::id());
    let home = Home::new(&profile);
    home.add(&profile);
    let words = ["exec", &profile, "-n", "--", "cmd", "/C"];
    let script =
        "echo %AWS_ACCESS_KEY_ID% %AWS_SECRET_ACCESS_KEY% %AWS_REGION% [%aws_session_token%]& exit 7";
    let mut command = home.hatbox(&[&words[..], &[script]].concat());
    // Names are case-insensitive on Windows, so this is a session token, and must be removed.
    command.env("Aws_Session_Token", "foreign");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.trim_end(), format!("{ID} {SECRET} us-east-1 [%aws_session_token%]"));
    // An exit code that is larger than other systems allow.
    let large = home.run(&["exec", &profile, "-n", "--", "cmd", "/C", "exit 1000"]);
    assert_eq!(large.status.code(), Some(1000), "{}", stderr(&large));
    let broken = home.path().join("broken.exe");
    std::fs::write(&broken, "not a program").unwrap();
    for (profile, command, code) in
        [(&*profile, "no-such-command", 127), (&profile, broken.to_str().unwrap(), 126), ("none", "cmd", 125)]
    {
        let failed = home.run(&["exec", profile, "-n", "--", command]);
        assert_eq!(failed.status.code(), Some(code), "{command}: {}", stderr(&failed));
    }
    home.stdout(&["remove", &profile, "--force"]);
}

#[test]
fn each_runs_a_command_with_several_profiles_and_an_empty_stdin() {
    let profile = format!("each-{}", std::process::id());
    let home = Home::new(&profile);
    home.add(&profile);
    let config = format!(
        "[profile {profile}]\r\nregion = us-east-1\r\n\
         [profile {profile}-b]\r\nregion = eu-west-1\r\nsource_profile = {profile}\r\n"
    );
    std::fs::write(home.path().join(".aws").join("config"), config).unwrap();
    let script = home.path().join("each.cmd");
    let lines = [
        "@echo off",
        "set line=",
        "set /p line=",
        "echo %HATBOX% %AWS_REGION% [%line%]",
        "echo to stderr 1>&2",
        "if %AWS_REGION%==eu-west-1 exit 3",
    ];
    std::fs::write(&script, lines.join("\r\n") + "\r\n").unwrap();
    let each = |flags: &[&str]| {
        let mut command = home.hatbox(&["each", "-n", "-j", "1", &format!("{profile}*")]);
        command.args(flags).args(["--", "cmd", "/C"]).arg(&script).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The commands do not get it. hatbox may end before it is written.
        drop(child.stdin.take().unwrap().write_all(b"from the stdin of hatbox\r\n"));
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(3),
            "the exit code of the command that failed: {}",
            stderr(&output)
        );
        (String::from_utf8(output.stdout.clone()).unwrap().replace("\r\n", "\n"), stderr(&output))
    };
    let (shown, said) = each(&[]);
    let lines = format!("{profile}   | {profile} us-east-1 []\n{profile}-b | {profile}-b eu-west-1 []\n");
    assert_eq!(shown, lines, "{said}");
    assert!(said.contains(&format!("{profile}-b | to stderr")), "{said}");
    let summary = format!("1 of 2 profiles succeeded; failed: {profile}-b (exit code 3)");
    assert!(said.contains(&summary), "{said}");
    let (records, _) = each(&["--json"]);
    let records: Vec<&str> = records.lines().collect();
    for (record, name, code) in [(records[0], &profile, 0), (records[1], &format!("{profile}-b"), 3)] {
        let start = format!("{{\"profile\":\"{name}\",");
        let code = format!("\"exit_code\":{code},\"signal\":null,");
        assert!(record.starts_with(&start) && record.contains(&code), "{record}");
    }
    home.stdout(&["remove", &profile, "--force"]);
}

#[test]
fn cmd_sets_what_is_printed_for_it_and_unsets_it_again() {
    let profile = format!("export-{}", std::process::id());
    let home = Home::new(&profile);
    home.add(&profile);
    let set = home.stdout(&["export", "-n", "--format", "cmd", &profile]);
    let unset = home.stdout(&["export", "--format", "cmd", "--unset"]);
    for (name, text) in [("on.cmd", set.as_str()), ("off.cmd", &unset)] {
        std::fs::write(home.path().join(name), text.replace('\n', "\r\n")).unwrap();
    }
    let show = "echo %AWS_ACCESS_KEY_ID% %AWS_SECRET_ACCESS_KEY% %AWS_REGION% [%AWS_SESSION_TOKEN%]\r\n";
    let script = format!("@echo off\r\ncall on.cmd\r\n{show}call off.cmd\r\n{show}");
    std::fs::write(home.path().join("both.cmd"), script).unwrap();
    let mut command = Command::new("cmd");
    command.args(["/C", "both.cmd"]).current_dir(home.path()).stdin(Stdio::null());
    command.env_remove("AWS_REGION").env("AWS_SESSION_TOKEN", "foreign");
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n");
    assert_eq!(
        said,
        format!("{ID} {SECRET} us-east-1 []\n   []\n"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // The line of docs/export.md, with each % doubled, as in a batch file.
    let line = |arguments: &str| {
        format!("for /f \"tokens=1*\" %%i in ('hatbox export --format cmd {arguments}') do @set %%j\r\n")
    };
    let script = format!("@echo off\r\n{}{show}{}{show}", line(&format!("-n {profile}")), line("--unset"));
    std::fs::write(home.path().join("lines.cmd"), script).unwrap();
    let program = std::path::absolute(env!("CARGO_BIN_EXE_hatbox")).unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(program.parent().unwrap().to_owned()).chain(std::env::split_paths(&path));
    let mut command = Command::new("cmd");
    command.args(["/C", "lines.cmd"]).current_dir(home.path()).stdin(Stdio::null());
    for (name, value) in home.hatbox(&[]).get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("PATH", std::env::join_paths(path).unwrap());
    command.env_remove("AWS_REGION").env("AWS_SESSION_TOKEN", "foreign");
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout.clone()).unwrap().replace("\r\n", "\n");
    assert_eq!(said, format!("{ID} {SECRET} us-east-1 []\n   []\n"), "{}", stderr(&output));
    home.stdout(&["remove", &profile, "--force"]);
}

#[test]
#[ignore = "the command of the next test"]
fn a_command_that_waits() {
    std::thread::sleep(Duration::from_mins(1));
}

/// A directory cannot be removed while a program works in it.
#[test]
fn commands_end_when_hatbox_is_killed() {
    let profile = format!("killed-{}", std::process::id());
    let home = Home::new(&profile);
    home.add(&profile);
    for verb in ["exec", "each"] {
        let directory = home.path().join(verb);
        std::fs::create_dir(&directory).unwrap();
        let mut command = home.hatbox(&[verb, "-n", &profile, "--"]);
        command.arg(std::env::current_exe().unwrap());
        command.args(["--exact", "a_command_that_waits", "--ignored"]).current_dir(&directory);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("running 1 test")), "{verb}");
        assert!(
            std::fs::remove_dir(&directory).is_err(),
            "{verb}: the command's working directory is in use"
        );
        child.kill().unwrap();
        child.wait().unwrap();
        let begun = Instant::now();
        while let Err(error) = std::fs::remove_dir(&directory) {
            assert!(begun.elapsed() < Duration::from_secs(30), "{verb}: the command still runs: {error}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    home.stdout(&["remove", &profile, "--force"]);
}

/// How often Ctrl-C reached this process.
static INTERRUPTED: AtomicUsize = AtomicUsize::new(0);

extern "system" fn on_ctrl_c(signal: u32) -> i32 {
    if signal == CTRL_C_EVENT {
        INTERRUPTED.fetch_add(1, Ordering::SeqCst);
    }
    i32::from(signal == CTRL_C_EVENT)
}

#[expect(unsafe_code, reason = "console handlers have no safe interface in std")]
fn count_ctrl_c() {
    // SAFETY: the handler is a function of this program that only touches an atomic.
    assert_ne!(unsafe { SetConsoleCtrlHandler(Some(on_ctrl_c), 1) }, 0);
}

#[test]
#[ignore = "the command of the next tests"]
fn a_command_that_handles_ctrl_c() {
    count_ctrl_c();
    println!("it waits for Ctrl-C");
    let begun = Instant::now();
    while INTERRUPTED.load(Ordering::SeqCst) == 0 && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("it got Ctrl-C {} times", INTERRUPTED.load(Ordering::SeqCst));
    std::process::exit(41);
}

/// Runs a command line in a console of its own, types Ctrl-C there once the command waits for it, and prints what came of it.
#[test]
#[ignore = "the program of the next test"]
#[expect(unsafe_code, reason = "console events have no safe interface in std")]
fn a_console_in_which_ctrl_c_is_typed() {
    count_ctrl_c();
    let words = std::env::var("TEST_WORDS").unwrap();
    let mut hatbox = Command::new(env!("CARGO_BIN_EXE_hatbox"));
    hatbox.args(words.split(' ')).arg("--").arg(std::env::current_exe().unwrap());
    hatbox.args(["--exact", &std::env::var("TEST_COMMAND").unwrap(), "--ignored", "--nocapture"]);
    let mut hatbox = hatbox.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(hatbox.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains(&std::env::var("TEST_READY").unwrap()) {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it runs");
    }
    // SAFETY: the call takes two numbers; group 0 is every process of this console.
    assert_ne!(unsafe { GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) }, 0);
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    println!("[{line}{rest}] code {:?}", hatbox.wait().unwrap().code());
}

#[test]
fn ctrl_c_reaches_the_command_and_hatbox_passes_on_how_it_ended() {
    let profile = format!("ctrl-c-{}", std::process::id());
    let home = Home::new(&profile);
    home.add(&profile);
    // STATUS_CONTROL_C_EXIT, by which shells know what happened. Wine ends such a program with 0.
    let ended_by_it = [0xC000_013A_u32.cast_signed(), 0];
    let handles = ("a_command_that_handles_ctrl_c", "it waits for Ctrl-C");
    let waits = ("a_command_that_waits", "running 1 test");
    for (verb, (command, ready), codes) in [
        ("exec -n", handles, &[41][..]),
        ("exec -n", waits, &ended_by_it),
        ("each -n", handles, &[130]),
        ("each -n", waits, &[130]),
    ] {
        let hatbox = home.hatbox(&[]);
        let mut typed = Command::new(std::env::current_exe().unwrap());
        typed.args(["--exact", "a_console_in_which_ctrl_c_is_typed", "--ignored", "--nocapture"]);
        for (name, value) in hatbox.get_envs() {
            match value {
                Some(value) => typed.env(name, value),
                None => typed.env_remove(name),
            };
        }
        typed.env("TEST_WORDS", format!("{verb} {profile}")).env("TEST_COMMAND", command);
        typed.env("TEST_READY", ready);
        let output = typed.stdin(Stdio::null()).creation_flags(CREATE_NO_WINDOW).output().unwrap();
        let (all, said) = (String::from_utf8_lossy(&output.stdout), stderr(&output));
        assert!(output.status.success(), "{verb} {command}: {all}{said}");
        let (shown, code) = all.split_once("] code ").unwrap();
        let is_expected = |wanted: &i32| code.starts_with(&format!("Some({wanted})"));
        assert!(codes.iter().any(is_expected), "{verb} {command}: {all}{said}");
        if command == waits.0 {
            assert!(!shown.contains("1 passed"), "{verb}: it was not interrupted: {all}{said}");
            continue;
        }
        assert!(shown.contains("it got Ctrl-C 1 times"), "{verb}: {all}{said}");
        if verb == "each -n" {
            let summary = format!("0 of 1 profile succeeded; failed: {profile} (exit code 41)");
            assert!(said.contains(&summary), "{all}{said}");
        }
    }
    home.stdout(&["remove", &profile, "--force"]);
}

#[test]
fn the_file_store_asks_each_time_and_takes_its_passphrase_from_a_variable_or_stdin() {
    let home = Home::new("kept");
    let with_passphrase = |words: &[&str]| {
        let mut command = home.hatbox(words);
        command.env("HATBOX_FILE_PASSPHRASE", "correct horse").env("HATBOX_BACKEND", "file");
        command
    };
    let mut add = with_passphrase(&["add", "--env", "kept"]);
    let output = add.env("AWS_ACCESS_KEY_ID", ID).env("AWS_SECRET_ACCESS_KEY", SECRET).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(home.path().join("Local/hatbox/store/identity.passphrase.1.age").exists());
    let output = with_passphrase(&["export", "kept", "-n", "--format", "json"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains(SECRET), "{}", stderr(&output));

    let locked = home.run(&["--backend", "file", "export", "kept", "-n"]);
    assert_eq!(locked.status.code(), Some(4), "there is no terminal to ask on: {}", stderr(&locked));
    let mut command = home.hatbox(&["--backend", "file", "--passphrase-fd", "0", "export", "kept", "-n"]);
    let passphrase = home.path().join("passphrase");
    std::fs::write(&passphrase, "correct horse\n").unwrap();
    let output = command.stdin(std::fs::File::open(&passphrase).unwrap()).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains(SECRET), "{}", stderr(&output));
    let other = home.run(&["--backend", "file", "--passphrase-fd", "3", "export", "kept", "-n"]);
    assert_eq!(other.status.code(), Some(2), "{}", stderr(&other));
}

/// The sandbox runs outside of Wine: `cargo run -p xtask -- cross wine` starts it and passes its address.
#[test]
fn roles_are_assumed_with_a_code_and_their_sessions_are_cached() {
    let given = |name: &str| std::env::var(format!("TEST_{name}"));
    let Ok(url) = given("AWS_ENDPOINT_URL") else {
        println!("skipped: there is no sandbox to call");
        return;
    };
    let user = format!("calls-{}", std::process::id());
    let home = Home::new(&user);
    let mfa = "arn:aws:iam::111122223333:mfa/jan";
    let role = |name: &str, more: &str| {
        let arn = format!("arn:aws:iam::444455556666:role/{name}");
        format!("[profile {name}]\nregion = us-east-1\nsource_profile = {user}\nrole_arn = {arn}\n{more}\n")
    };
    let mfa = format!("mfa_serial = {mfa}\n");
    let config = [
        format!("[profile {user}]\nregion = us-east-1\n{mfa}"),
        role("security-auditor", ""),
        role("dev-infra-admin", &mfa),
    ];
    std::fs::write(home.path().join(".aws").join("config"), config.concat()).unwrap();
    let run = |words: &[&str]| {
        let mut command = home.hatbox(words);
        command.env("AWS_ENDPOINT_URL", &url);
        for name in ["HATBOX_SANDBOX", "NO_PROXY"] {
            command.env(name, given(name).unwrap());
        }
        if words[0] == "add" {
            for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
                command.env(name, given(name).unwrap());
            }
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", stderr(&output));
        (String::from_utf8_lossy(&output.stdout).trim_end().to_owned(), stderr(&output))
    };
    run(&["add", "--env", "--no-add-config", &user]);
    let code = given("MFA_CODE").unwrap();
    let echo = |role: &str, more: &[&str]| {
        let command = ["--", "cmd", "/C", "echo %AWS_ACCESS_KEY_ID%"];
        run(&[&["exec", role], more, &command].concat())
    };
    let (admin, said) = echo("dev-infra-admin", &["--mfa-token", &code]);
    assert!(admin.starts_with("ASIA") && said.contains("not AWS"), "{admin}: {said}");
    let (auditor, _) = echo("security-auditor", &[]);
    assert!(auditor.starts_with("ASIA") && auditor != admin, "{auditor}");
    for (role, id) in [("dev-infra-admin", &admin), ("security-auditor", &auditor)] {
        let (again, said) = echo(role, &[]);
        assert_eq!((&again, said.as_str()), (id, ""), "no prompt and no call");
    }
    run(&["clear"]);
    run(&["remove", &user, "--force"]);
}

#[test]
fn processes_that_change_the_store_at_once_lose_nothing() {
    let home = Home::new("one");
    let add = |profile: &str| {
        let mut command = home.hatbox(&["--backend", "file", "add", "--env", "--no-add-config", profile]);
        command.env("HATBOX_FILE_PASSPHRASE", "correct horse");
        command.env("AWS_ACCESS_KEY_ID", ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..4).map(|number| add(&format!("p{number}"))).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let mut list = home.hatbox(&["--backend", "file", "list", "--credentials"]);
    let listed = list.env("HATBOX_FILE_PASSPHRASE", "correct horse").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed.split_whitespace().collect::<Vec<_>>(), ["p0", "p1", "p2", "p3"]);
}
