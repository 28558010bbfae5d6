//! The demo succeeds wherever it is started, and leaves nothing behind however it ends.
#![cfg(all(target_os = "linux", feature = "sandbox"))]
#![expect(clippy::unwrap_used, reason = "tests may panic")]
#![expect(unsafe_code, reason = "session and system call filter of a child are set between fork and exec")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Whether the kernel keyring can be used.
#[derive(Clone, Copy, PartialEq)]
enum Keyctl {
    AsItIs,
    Denied,
}

/// A machine for the demo: a directory for temporary files, and programs.
struct Machine {
    directory: tempfile::TempDir,
    path: PathBuf,
}

impl Machine {
    /// Without `aws` and `terraform`: PATH has only `cat`, which reads the store's passphrase.
    fn bare() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bin");
        fs::create_dir_all(&path).unwrap();
        fs::create_dir_all(directory.path().join("tmp")).unwrap();
        fs::create_dir_all(directory.path().join("home")).unwrap();
        let cat = ["/bin/cat", "/usr/bin/cat"].into_iter().find(|path| Path::new(path).exists()).unwrap();
        symlink(cat, path.join("cat")).unwrap();
        Self { directory, path }
    }

    fn tmp(&self) -> PathBuf {
        self.directory.path().join("tmp")
    }

    /// The demo without a terminal: in a new session, and with pipes.
    fn demo(&self, keyctl: Keyctl) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hatbox"));
        command
            .args(["sandbox", "demo"])
            .env_clear()
            .env("PATH", &self.path)
            .env("TMPDIR", self.tmp())
            .env("HOME", self.directory.path().join("home"))
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // SAFETY: system calls only; the filter stays on the closure's stack until it returns.
        unsafe {
            command.pre_exec(move || {
                rustix::process::setsid()?;
                if keyctl == Keyctl::Denied { deny_keyctl() } else { Ok(()) }
            });
        }
        command
    }

    /// Checks that the demo left no file and no process.
    fn assert_clean(&self) {
        let left: Vec<_> = fs::read_dir(self.tmp()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        let tmp = self.tmp().display().to_string();
        let until = Instant::now() + Duration::from_secs(5);
        loop {
            let processes: Vec<_> = processes_that_name(&tmp);
            if processes.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "still running: {processes:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn processes_that_name(directory: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.bytes().all(|byte| byte.is_ascii_digit()) || name == std::process::id().to_string() {
            continue;
        }
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let all = [read("cmdline"), read("environ")].concat();
        let cwd = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        if String::from_utf8_lossy(&all).contains(directory) || cwd.display().to_string().contains(directory)
        {
            found.push(format!("{name}: {}", String::from_utf8_lossy(&read("cmdline"))));
        }
    }
    found
}

/// keyctl(2), add_key(2) and request_key(2) fail with EPERM, as in most containers.
#[expect(clippy::cast_possible_truncation, reason = "small constants of the kernel")]
fn deny_keyctl() -> std::io::Result<()> {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let code = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    // The number of the call is the first word of seccomp_data (seccomp(2)).
    let mut filter = [
        code(LOAD, 0, 0, 0),
        code(EQUAL, 3, 0, libc::SYS_keyctl as u32),
        code(EQUAL, 2, 0, libc::SYS_add_key as u32),
        code(EQUAL, 1, 0, libc::SYS_request_key as u32),
        code(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
        code(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the program points to a filter that outlives both calls.
    let denied = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    };
    if denied { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

fn assert_all_well(output: &Output, steps: usize) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    assert!(errors.is_empty(), "{errors}");
    assert!(text.contains(&format!("All {steps} steps went as described.")), "{text}");
    assert!(!text.contains('\x1b') && !text.contains('\r'), "colours without a terminal: {text:?}");
    text
}

#[test]
fn without_terminal_aws_or_terraform_every_step_does_what_it_says() {
    let machine = Machine::bare();
    let begun = Instant::now();
    let text = assert_all_well(&machine.demo(Keyctl::AsItIs).output().unwrap(), 9);
    assert!(begun.elapsed() < Duration::from_secs(90), "{:?}", begun.elapsed());
    for expected in [
        "No `aws` is on PATH, so it uses `hatbox sandbox s3`.",
        "No `terraform` is on PATH, so its steps are skipped.",
        "\n$ hatbox add jan-work\n",
        "\n$ hatbox exec security-auditor -- hatbox sandbox s3 ls\n",
        "\n2024-05-01 10:00:00 work-terraform-state\n",
        "\nMFA code for arn:aws:iam::111122223333:mfa/jan: ",
        "\nupload: ./report.txt to s3://work-logs/report.txt\n",
        "is not authorized to perform: s3:PutObject",
        "`aws:MultiFactorAuthPresent` fails, the key is absent",
        "\n$ hatbox trust graph --from live:jan-work --from live:security-auditor\n",
        "3 roles, 1 user",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
    }
    let codes: Vec<_> = text.lines().filter(|line| line.starts_with("MFA code for")).collect();
    assert_eq!(codes.len(), 2, "a wrong one and a right one: {codes:?}");
    assert_ne!(codes[0], codes[1]);
    machine.assert_clean();
}

#[test]
fn a_sign_in_to_identity_center_is_played_on_the_real_page() {
    let machine = Machine::bare();
    let text = assert_all_well(&machine.demo(Keyctl::AsItIs).arg("--sso").output().unwrap(), 6);
    for expected in [
        "\n$ hatbox sso login sandbox\n",
        "\n$ hatbox exec work-read-only -- hatbox sandbox s3 ls\n",
        "\nupload: ./report.txt to s3://work-logs/report.txt\n",
        "is not authorized to perform: s3:PutObject",
        "sso:GetRoleCredentials on role",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
    }
    machine.assert_clean();
}

#[test]
fn it_plays_whatever_its_file_is_called() {
    let machine = Machine::bare();
    let other = machine.directory.path().join("aws-vault");
    fs::copy(env!("CARGO_BIN_EXE_hatbox"), &other).unwrap();
    let command = machine.demo(Keyctl::AsItIs);
    let mut renamed = Command::new("/bin/sh");
    renamed
        .args(["-c", "exec \"$0\" sandbox demo"])
        .arg(&other)
        .env_clear()
        .current_dir(machine.directory.path());
    renamed.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    assert_all_well(&renamed.output().unwrap(), 9);
    machine.assert_clean();
}

#[test]
fn where_keyctl_is_denied_it_passes_all_the_same_without_a_word() {
    let machine = Machine::bare();
    let text = assert_all_well(&machine.demo(Keyctl::Denied).output().unwrap(), 9);
    // The passphrase is available, so no kernel keyring is needed, and none is mentioned.
    assert!(!text.contains("kernel keyring"), "{text}");
    machine.assert_clean();
}

#[test]
fn the_real_aws_and_terraform_are_used_where_they_are() {
    let mut machine = Machine::bare();
    let Some(path) = std::env::var_os("PATH") else { return };
    let find = |name: &str| std::env::split_paths(&path).any(|directory| directory.join(name).is_file());
    if !find("aws") || !find("terraform") {
        eprintln!("skipped: aws or terraform is not on PATH");
        return;
    }
    machine.path = PathBuf::from(&path);
    let mut command = machine.demo(Keyctl::AsItIs);
    for name in ["PYENV_ROOT", "PYENV_VERSION"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.contains("does not run with another HOME") || text.contains("older than") {
        eprintln!("skipped: aws or terraform does not run here");
        return;
    }
    let text = assert_all_well(&output, 11);
    assert!(text.contains("Apply complete! Resources: 1 added"), "{text}");
    assert!(!text.contains("-- hatbox sandbox s3"), "{text}");
    machine.assert_clean();
}

#[test]
fn a_signal_ends_it_and_nothing_is_left_behind() {
    for (signal, at_step) in [(Signal::INT, "4/"), (Signal::TERM, "5/"), (Signal::HUP, "1/")] {
        let machine = Machine::bare();
        let mut child = machine.demo(Keyctl::AsItIs).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut port = None;
        loop {
            let mut line = String::new();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "it ended before step {at_step}");
            if let Some((_, rest)) = line.split_once("http://127.0.0.1:") {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                port = port.or(digits.parse::<u16>().ok());
            }
            if line.starts_with(at_step) {
                break;
            }
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        stdout.read_to_end(&mut Vec::new()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.signal(), Some(signal.as_raw()), "{}", output.status);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(errors, "hatbox: the demo was stopped; its server is stopped and its directory removed\n");
        machine.assert_clean();
        assert!(std::net::TcpStream::connect(("127.0.0.1", port.unwrap())).is_err(), "the server still runs");
    }
}

#[test]
fn a_viewer_who_goes_away_ends_it_quietly() {
    let machine = Machine::bare();
    let mut child = machine.demo(Keyctl::AsItIs).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    machine.assert_clean();
}

/// Runs the demo on a terminal and presses Enter at each screen that waits for it. Returns what was shown, and the exit
/// status.
fn play_on_terminal(mut command: Command) -> (String, ExitStatus) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let slave = File::options().read(true).write(true).custom_flags(libc::O_NOCTTY).open(name).unwrap();
    command.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap());
    command.stderr(slave.try_clone().unwrap()).env("TERM", "xterm");
    // SAFETY: one system call, after the session was made by the closure before this one.
    unsafe {
        command.pre_exec(move || Ok(rustix::process::ioctl_tiocsctty(&slave)?));
    }
    let mut child = command.spawn().unwrap();
    // Closes the last copy of the terminal on this side, so that reading it ends.
    drop(command);
    let (mut master, mut shown, mut buffer) = (File::from(master), String::new(), [0; 4096]);
    let mut answered = 0;
    // Reading fails once no process has the terminal open (pty(7)).
    while let Ok(length) = master.read(&mut buffer) {
        if length == 0 {
            break;
        }
        shown.push_str(&String::from_utf8_lossy(buffer.get(..length).unwrap()));
        // The line is redrawn each second; only the first one of a screen is answered.
        let screens = shown.split("(Enter continues").count() - 1;
        if screens > answered
            && shown.rsplit("(Enter continues").next().is_some_and(|rest| !rest.contains('\n'))
        {
            answered = screens;
            master.write_all(b"\r").unwrap();
        }
    }
    (shown, child.wait().unwrap())
}

#[test]
fn on_a_terminal_dense_screens_wait_for_enter() {
    let machine = Machine::bare();
    let mut command = machine.demo(Keyctl::AsItIs);
    command.args(["--pace", "0.3"]);
    let (shown, status) = play_on_terminal(command);
    assert!(status.success(), "{status}\n{shown}");
    assert!(shown.contains("All 9 steps went as described."), "{shown}");
    for step in ["3/9", "7/9", "8/9", "9/9"] {
        let screen = shown.split(step).nth(1).unwrap().split("/9 ").next().unwrap();
        assert!(screen.contains("(Enter continues"), "{step}: {screen}");
    }
    machine.assert_clean();
}
