//! What another process of the same user can read from a running hatbox, which has secrets in memory: nothing, while
//! the same attacks succeed on a program without protection.

use std::process::{Command, Stdio};

use crate::fixture::{Fixture, PASSPHRASE};
use crate::run::Run;
use crate::terminal::Terminal;

/// An unused uid: root could read everything, and Yama may restrict the developer's own.
const UID: &str = "61235";
const SECRET: &str = "canary of the environment";

/// Tries each attack on the process `$1`, and prints the names of those that succeeded.
const ATTACKS: &str = r#"
import ctypes, os, sys
pid, needle = int(sys.argv[1]), sys.argv[2].encode()
libc = ctypes.CDLL(None, use_errno=True)

def environ():
    return needle in open(f"/proc/{pid}/environ", "rb").read()

def areas():
    for line in open(f"/proc/{pid}/maps"):
        span, rights = line.split()[:2]
        if rights.startswith("rw"):
            yield [int(text, 16) for text in span.split("-")]

def mem():
    with open(f"/proc/{pid}/mem", "rb") as file:
        for start, end in areas():
            file.seek(start)
            if needle in file.read(end - start):
                return True

class Area(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

def process_vm_readv():
    for start, end in areas():
        buffer = ctypes.create_string_buffer(end - start)
        here, there = Area(ctypes.addressof(buffer), end - start), Area(start, end - start)
        got = libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
        if got > 0 and needle in buffer.raw:
            return True

def ptrace():
    PTRACE_ATTACH, PTRACE_DETACH = 16, 17
    if libc.ptrace(PTRACE_ATTACH, pid, None, None) != 0:
        return False
    os.waitpid(pid, 0)
    libc.ptrace(PTRACE_DETACH, pid, None, None)
    return True

for way in (environ, mem, process_vm_readv, ptrace):
    try:
        worked = way()
    except OSError:
        worked = False
    if worked:
        print(way.__name__)
"#;

fn as_user(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={UID}"), &format!("--regid={UID}"), "--clear-groups", program]);
    command
}

fn attack(pid: impl std::fmt::Display, needle: &str) -> String {
    let output =
        as_user("/usr/bin/python3").args(["-c", ATTACKS, &pid.to_string(), needle]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_process_of_the_same_user_gets_nothing_out_of_a_hatbox_that_waits_with_its_secrets() {
    let is_there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let programs = ["setpriv", "keyctl", "/usr/bin/python3"];
    if !rustix::process::geteuid().is_root() || !programs.iter().all(|program| is_there(program)) {
        eprintln!("skipped: it takes root, setpriv, keyctl and /usr/bin/python3 to be another user");
        return;
    }
    let mut plain = as_user("sleep").arg("60").env("SECRET", SECRET).stdout(Stdio::null()).spawn().unwrap();
    // The process runs the program once it has its name.
    let name = format!("/proc/{}/comm", plain.id());
    while std::fs::read_to_string(&name).unwrap().trim() != "sleep" {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let ways = attack(plain.id(), SECRET);
    plain.kill().unwrap();
    plain.wait().unwrap();
    assert!(ways.contains("environ"), "the attacks find nothing anywhere: {ways}");
    println!("on a program without a defence: {}", ways.replace('\n', " "));

    let fixture = Fixture::with_keys(&["jan-work"]);
    fixture.write_config("[profile jan-work]\nmfa_serial = arn:aws:iam::111122223333:mfa/jan\n");
    fixture.hatbox(&["lock"]).run().ok();
    let binary = fixture.path("hatbox");
    std::fs::copy(env!("CARGO_BIN_EXE_hatbox"), &binary).unwrap();
    let owner = format!("{UID}:{UID}");
    assert!(Command::new("chown").args(["-R", &owner]).arg(fixture.path("")).status().unwrap().success());
    // Runs in its own session keyring, which ends with it.
    let run = Run::new(&binary, fixture.variables())
        .args(["exec", "jan-work", "--", "true"])
        .env("SECRET", SECRET)
        .under("keyctl", &["session", "-"])
        .under("setpriv", &[&format!("--reuid={UID}"), &format!("--regid={UID}"), "--clear-groups"]);
    let mut terminal = Terminal::start(&run);
    terminal.wait_for_prompt("MFA code");
    let secret = fixture.key("jan-work").secret.expose().to_owned();
    for needle in [SECRET, PASSPHRASE, &secret] {
        assert_eq!(attack(terminal.pid(), needle), "", "{needle}");
    }
    // Even root cannot see what opened the store in the environment that the kernel shows.
    let environ = std::fs::read(format!("/proc/{}/environ", terminal.pid())).unwrap();
    let has = |text: &str| environ.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(has(SECRET) && has("HATBOX_FILE_PASSPHRASE="));
    assert!(!has(PASSPHRASE), "the passphrase lies in the memory of the environment");
    terminal.type_keys("\x03");
    terminal.wait();
}
