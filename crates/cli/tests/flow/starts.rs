//! The unlocked state in real sessions: started by `su`, `cron` and `sshd`, with and without pam_keyinit.
//!
//! Each session is started in its own mount namespace, in which `/etc/passwd` has an additional user and `/etc/pam.d`
//! says whether the session gets its own keyring. The machine itself is not changed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::fixture::{Fixture, PASSPHRASE};
use crate::run::Run;

/// An unused uid, so no other process uses its keyrings.
const UID: u32 = 61_235;
const USER: &str = "hatbox-test";
const LIMIT: Duration = Duration::from_secs(30);

/// `ENTER DIRECTORY COMMAND...` runs the command with the files of DIRECTORY in place of the machine's.
const ENTER: &str = r#"exec unshare --mount --propagation private sh -ec '
    mount --bind "$0/pam.d" /etc/pam.d
    mount --bind "$0/passwd" /etc/passwd
    mount --bind "$0/cron.d" /etc/cron.d
    mount --bind "$0/crontab" /etc/crontab
    mount -t tmpfs tmpfs /var/spool/cron
    mount -t tmpfs tmpfs /run
    mkdir /run/sshd
    mount --bind "$PROGRAM" "$0/hatbox"
    exec "$@"' "$@""#;

/// Whether the session's PAM modules create a keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pam {
    WithKeyinit,
    WithoutKeyinit,
}

/// The program that starts the session.
#[derive(Debug, Clone, Copy)]
enum Way {
    Su,
    Cron,
    Ssh,
}

/// A locked store of `USER`, and the files that the sessions need.
struct Scene {
    fixture: Fixture,
    directory: PathBuf,
    way: Way,
}

impl Scene {
    /// Returns `None` and prints the reason if this machine cannot do it.
    fn new(way: Way) -> Option<Self> {
        if let Some(why) = why_not(way) {
            eprintln!("skipped: {why}");
            return None;
        }
        let fixture = Fixture::with_keys(&["jan-work"]);
        fixture.write_config("[profile jan-work]\n");
        let directory = fixture.path("starts");
        for below in ["pam.d", "cron.d"] {
            fs::create_dir_all(directory.join(below)).unwrap();
        }
        let scene = Self { fixture, directory, way };
        let home = scene.fixture.home();
        let passwd = fs::read_to_string("/etc/passwd").unwrap();
        scene.write("passwd", &format!("{passwd}{USER}:x:{UID}:{UID}::{}:/bin/sh\n", home.display()));
        scene.write("crontab", "");
        scene.write("hatbox", "");
        if matches!(way, Way::Ssh) {
            scene.make_ssh();
        }
        run("chown", &["-R", &format!("{UID}:{UID}"), home.to_str().unwrap()]);
        fs::set_permissions(scene.fixture.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        Some(scene)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Creates keys of the server and the user, and a server for one connection that runs as a command without a port.
    fn make_ssh(&self) {
        for name in ["host", "me"] {
            let path = self.directory.join(name);
            run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", path.to_str().unwrap()]);
        }
        let shown = self.directory.display();
        let config = format!(
            "HostKey {shown}/host\nAuthorizedKeysFile {shown}/me.pub\nStrictModes no\nUsePAM yes\nPidFile none\n"
        );
        self.write("sshd_config", &config);
        let proxy = format!(
            "#!/bin/sh\nset -- {shown} /usr/sbin/sshd -i -f {shown}/sshd_config -E {shown}/sshd.log\n{ENTER}\n"
        );
        let proxy = self.write("proxy", &proxy);
        fs::set_permissions(proxy, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs `script` in a session of the user, in which `$H` is hatbox and `unlocked CMD` has the passphrase. Returns
    /// its exit status and its output.
    fn start(&self, pam: Pam, script: &str) -> (i32, String) {
        self.save_pam(pam);
        let home = self.fixture.home();
        let (output, status) = (home.join("output"), home.join("status"));
        fs::remove_file(&status).ok();
        let line = self.save_script(&format!(
            "{{ {script}\n}} >'{output}' 2>&1\necho $? >'{status}.new'; mv '{status}.new' '{status}'\n",
            output = output.display(),
            status = status.display(),
        ));
        match self.way {
            Way::Su => self.enter(&["su", USER, "-c", &line]).run().ok(),
            Way::Ssh => self.connect(&line).run().ok(),
            Way::Cron => {
                self.write("cron.d/job", &format!("SHELL=/bin/sh\n@reboot {USER} {line}\n"));
                let mut cron = self.enter(&["/usr/sbin/cron", "-f"]).spawn();
                let start = Instant::now();
                while !status.exists() && start.elapsed() < LIMIT {
                    std::thread::sleep(Duration::from_millis(5));
                }
                cron.kill().unwrap();
                crate::run::finish(cron, "cron")
            }
        };
        let code = fs::read_to_string(status).unwrap().trim().parse().unwrap();
        (code, fs::read_to_string(output).unwrap())
    }

    /// Writes a script that also sets the environment, which none of the programs passes on. Returns the command to run
    /// it.
    fn save_script(&self, script: &str) -> String {
        let variables = self.fixture.variables();
        let mut text = String::from("unset HATBOX_FILE_PASSPHRASE\n");
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
            let value = variables[OsStr::new(name)].to_str().unwrap();
            text.push_str(&format!("export {name}='{value}'\n"));
        }
        text.push_str(&format!(
            "H='{}/hatbox'\nunlocked() {{ HATBOX_FILE_PASSPHRASE='{PASSPHRASE}' \"$@\"; }}\n{script}",
            self.directory.display()
        ));
        format!("sh {}", self.write("script", &text).display())
    }

    fn save_pam(&self, pam: Pam) {
        let keyinit = "session required pam_keyinit.so force revoke\n";
        let stack = format!(
            "auth sufficient pam_rootok.so\naccount required pam_permit.so\nsession required pam_permit.so\n{}",
            if pam == Pam::WithKeyinit { keyinit } else { "" }
        );
        for name in ["su", "cron", "sshd"] {
            self.write(&format!("pam.d/{name}"), &stack);
        }
    }

    fn enter(&self, command: &[&str]) -> Run {
        Run::new("/bin/sh", self.fixture.variables())
            .env("PROGRAM", env!("CARGO_BIN_EXE_hatbox"))
            .args(["-ec", ENTER, "sh"])
            .args([&self.directory])
            .args(command)
    }

    fn connect(&self, line: &str) -> Run {
        let proxy = format!("ProxyCommand={}", self.directory.join("proxy").display());
        let known = format!("UserKnownHostsFile={}", self.directory.join("known").display());
        let options = ["BatchMode=yes", "StrictHostKeyChecking=no", "LogLevel=ERROR", &known, &proxy];
        Run::new("ssh", self.fixture.variables())
            .env("PROGRAM", env!("CARGO_BIN_EXE_hatbox"))
            .args(["-F", "/dev/null", "-i", self.directory.join("me").to_str().unwrap()])
            .args(options.iter().flat_map(|option| ["-o", *option]))
            .args([format!("{USER}@here").as_str(), line])
    }
}

/// Returns what this machine lacks for `way`.
fn why_not(way: Way) -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root can start a session of another user".to_owned());
    }
    let programs: &[&str] = match way {
        Way::Su => &["/usr/bin/su", "/bin/su"],
        Way::Cron => &["/usr/sbin/cron"],
        Way::Ssh => &["/usr/sbin/sshd"],
    };
    if !programs.iter().any(|program| Path::new(program).exists()) {
        return Some(format!("there is no {}", programs[0]));
    }
    let succeeds = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    if matches!(way, Way::Ssh) && Command::new("ssh").arg("-V").output().is_err() {
        return Some("there is no ssh".to_owned());
    }
    if !succeeds("keyctl", &["session", "-", "keyctl", "add", "user", "hatbox-test", "x", "@s"]) {
        return Some("there is no keyctl, or the kernel keyring is denied".to_owned());
    }
    if !succeeds("sh", &["-c", "ls /usr/lib/*/security/pam_keyinit.so /lib/*/security/pam_keyinit.so"]) {
        return Some("there is no pam_keyinit".to_owned());
    }
    if !succeeds("unshare", &["--mount", "--propagation", "private", "mount", "-t", "tmpfs", "tmpfs", "/run"])
    {
        return Some("a mount namespace cannot be made".to_owned());
    }
    None
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program}: {status}");
}

/// Checks both cases: a session with its own keyring keeps the unlocked state to itself and ends with it; without such
/// a module, the state is shared by the user's sessions.
fn check(way: Way) {
    let Some(scene) = Scene::new(way) else { return };
    let secret = scene.fixture.key("jan-work").secret.expose().to_owned();
    let unlock =
        "unlocked $H export -n jan-work >/dev/null && $H export -n jan-work && id -u && keyctl rdescribe @s";
    for pam in [Pam::WithKeyinit, Pam::WithoutKeyinit] {
        let (code, first) = scene.start(pam, unlock);
        assert_eq!(code, 0, "{way:?} {pam:?}: {first}");
        assert!(first.contains(&secret) && first.contains(&format!("\n{UID}\n")), "{way:?} {pam:?}: {first}");
        let (code, second) = scene.start(pam, "$H export -n jan-work");
        match pam {
            Pam::WithKeyinit => {
                assert!(first.ends_with(";_ses\n"), "{way:?}: {first}");
                assert_eq!(code, 4, "{way:?}: {second}");
                assert!(second.contains("the file store is locked"), "{way:?}: {second}");
            }
            Pam::WithoutKeyinit => {
                assert_eq!(code, 0, "{way:?}: {second}");
                assert!(second.contains(&secret), "{way:?}: {second}");
                scene.start(pam, "$H lock");
                assert_eq!(scene.start(pam, "$H export -n jan-work").0, 4, "{way:?}");
            }
        }
    }
}

#[test]
fn over_su_the_store_is_unlocked_for_the_session_or_for_the_user() {
    check(Way::Su);
}

#[test]
fn over_cron_the_store_is_unlocked_for_the_job_or_for_the_user() {
    check(Way::Cron);
}

#[test]
fn over_ssh_the_store_is_unlocked_for_the_connection_or_for_the_user() {
    check(Way::Ssh);
}

/// `su` without the module passes on the caller's session keyring, which the caller can read. So the unlocked state
/// goes to the user's own keyring.
#[test]
fn a_session_keyring_of_the_caller_that_su_hands_on_gets_nothing_of_the_users() {
    let Some(scene) = Scene::new(Way::Su) else { return };
    scene.save_pam(Pam::WithoutKeyinit);
    let line = scene
        .save_script("unlocked $H export -n jan-work >/dev/null; $H export -n jan-work; keyctl show @us");
    let as_user = scene.directory.join("as-user");
    fs::write(&as_user, format!("#!/bin/sh\nsu {USER} -c '{line}'; echo; echo caller:; keyctl show @s\n"))
        .unwrap();
    let run = scene.enter(&["sh", as_user.to_str().unwrap()]).under("keyctl", &["session", "-"]).run().ok();
    let (user, caller) = run.stdout.split_once("caller:").unwrap();
    assert!(user.contains(scene.fixture.key("jan-work").secret.expose()), "{user}");
    assert!(user.contains(&format!("hatbox:{UID}:")), "{user}");
    assert!(!caller.contains("hatbox:"), "{caller}");
}
