//! The passphrase without a prompt: from a descriptor, variable, file or command; and none of it reaches the child.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::fixture::{Fixture, PASSPHRASE};
use crate::run::{Outcome, Run};
use crate::terminal::Terminal;

const CONFIG: &str = "[profile jan-work]\n";
/// Prints everything that a child can see of its environment.
const LOOK: &str = "env -0; echo; ls -l /proc/self/fd; cat /proc/self/cmdline";

fn locked() -> Fixture {
    let fixture = Fixture::with_config(CONFIG);
    fixture.hatbox(&["lock"]).run().ok();
    fixture
}

#[track_caller]
fn assert_child_has_nothing(outcome: &Outcome) {
    assert!(!outcome.stdout.contains(PASSPHRASE), "{}", outcome.stdout);
    let names = [
        "HATBOX_FILE_PASSPHRASE",
        "AWS_VAULT_FILE_PASSPHRASE",
        "HATBOX_PASSPHRASE_FD",
        "HATBOX_PASSPHRASE_FILE",
    ];
    for name in names {
        assert!(!outcome.stdout.contains(name), "{name}");
    }
    assert_eq!(outcome.stderr, "");
}

/// Runs hatbox in a shell after `script`, such as `exec 7<...`.
fn run_after(fixture: &Fixture, script: &str, arguments: &[&str]) -> Outcome {
    let line = format!("{script} exec \"$0\" \"$@\"");
    let shell = Run::new("/bin/sh", fixture.variables()).without("HATBOX_FILE_PASSPHRASE");
    shell.args(["-c", &line, env!("CARGO_BIN_EXE_hatbox")]).args(arguments).run()
}

#[test]
fn a_descriptor_gives_it_and_does_not_reach_the_child() {
    let exec = ["exec", "-n", "jan-work", "--", "sh", "-c", LOOK];
    let with_flag = ["exec", "--passphrase-fd", "7", "-n", "jan-work", "--", "sh", "-c", LOOK];
    for end in ["", "\n"] {
        for (before, arguments) in [
            ("exec 7<\"$HOME/secret\";", &with_flag[..]),
            ("export HATBOX_PASSPHRASE_FD=7; exec 7<\"$HOME/secret\";", &exec),
            // The child must not inherit it, even if it is not needed.
            ("exec 7<\"$HOME/secret\";", &with_flag),
        ] {
            let fixture = locked();
            std::fs::write(fixture.path("home/secret"), format!("{PASSPHRASE}{end}")).unwrap();
            let outcome = run_after(&fixture, before, arguments).ok();
            assert_child_has_nothing(&outcome);
            assert!(!outcome.stdout.contains("/secret"), "the descriptor: {}", outcome.stdout);
            let again = run_after(&fixture, before, arguments).ok();
            assert!(!again.stdout.contains("/secret"), "when it was not needed: {}", again.stdout);
        }
    }
    let fixture = locked();
    std::fs::write(fixture.path("home/secret"), format!("{PASSPHRASE}\n\n")).unwrap();
    let wrong = run_after(&fixture, "exec 7<\"$HOME/secret\";", &with_flag).expect_code(125);
    assert!(wrong.stderr.contains("the passphrase is wrong"), "only one line end is cut: {}", wrong.stderr);
    let closed = run_after(&fixture, "exec 7<&-;", &with_flag).expect_code(125);
    assert!(closed.stderr.starts_with("hatbox: error: descriptor 7 for the passphrase is not open\n"));
    std::fs::write(fixture.path("home/secret"), "\n").unwrap();
    let empty = run_after(&fixture, "exec 7<\"$HOME/secret\";", &with_flag).expect_code(125);
    assert!(empty.stderr.contains("is empty"), "{}", empty.stderr);
    let negative = run_after(&fixture, "", &["export", "--passphrase-fd=-1", "jan-work"]);
    negative.expect_code(2);
}

#[test]
fn a_pipe_gives_it_too_and_the_other_descriptors_of_the_caller_stay_open() {
    let fixture = locked();
    std::fs::write(fixture.path("home/mine"), "for the child").unwrap();
    let script = format!("printf '%s' '{PASSPHRASE}' | (exec 5<\"$HOME/mine\"; ");
    let line = format!("{script} exec \"$0\" --passphrase-fd 0 exec -n jan-work -- sh -c 'cat <&5')");
    let shell = Run::new("/bin/sh", fixture.variables()).without("HATBOX_FILE_PASSPHRASE");
    let outcome = shell.args(["-c", &line, env!("CARGO_BIN_EXE_hatbox")]).run().ok();
    assert_eq!(outcome.stdout, "for the child");
}

#[test]
fn a_variable_gives_it_and_ours_goes_before_aws_vaults() {
    for (variables, works) in [
        (&[("HATBOX_FILE_PASSPHRASE", PASSPHRASE)][..], true),
        (&[("AWS_VAULT_FILE_PASSPHRASE", PASSPHRASE)], true),
        (&[("HATBOX_FILE_PASSPHRASE", PASSPHRASE), ("AWS_VAULT_FILE_PASSPHRASE", "wrong")], true),
        (&[("HATBOX_FILE_PASSPHRASE", "wrong"), ("AWS_VAULT_FILE_PASSPHRASE", PASSPHRASE)], false),
    ] {
        let fixture = locked();
        let mut run = fixture.hatbox(&["exec", "-n", "jan-work", "--", "sh", "-c", LOOK]);
        run = run.without("HATBOX_FILE_PASSPHRASE");
        for (name, value) in variables {
            run = run.env(name, value);
        }
        if works {
            assert_child_has_nothing(&run.run().ok());
        } else {
            let wrong = run.run().expect_code(125);
            assert!(wrong.stderr.contains("caused by: the passphrase is wrong"), "{}", wrong.stderr);
        }
    }
}

#[test]
fn a_command_gives_it_and_sees_no_secret_of_ours() {
    let fixture = locked();
    let (seen, secret) = (fixture.path("home/seen"), fixture.path("home/secret"));
    std::fs::write(&secret, PASSPHRASE).unwrap();
    fixture.write_program("opener", &format!("env >'{}'; cat '{}'", seen.display(), secret.display()));
    fixture.write_settings("passphrase_command = \"opener\"\n");
    let run = || {
        let run = fixture.hatbox(&["exec", "-n", "jan-work", "--", "sh", "-c", LOOK]);
        run.without("HATBOX_FILE_PASSPHRASE").run()
    };
    assert_child_has_nothing(&run().ok());
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("HOME=") && !seen.contains("PASSPHRASE"), "{seen}");
    for (script, why) in [
        ("exit 3", "`passphrase_command` returned no passphrase: it failed: exit status: 3"),
        ("printf ''", "the passphrase from `passphrase_command` is empty"),
        ("yes | head -c 100000", "`passphrase_command` returned no passphrase: it printed more than 64 KiB"),
        ("printf '\\377\\376'", "`passphrase_command` returned no passphrase: it is not UTF-8"),
        ("echo wrong", "caused by: the passphrase is wrong"),
    ] {
        fixture.hatbox(&["lock"]).run().ok();
        fixture.write_program("opener", script);
        let failed = run().expect_code(125);
        assert!(failed.stderr.contains(why), "{script}: {}", failed.stderr);
    }
    // Commands that never prompt use a passphrase that is available without a prompt.
    fixture.write_program("opener", &format!("cat '{}'", secret.display()));
    let list = fixture.hatbox(&["list", "--credentials"]).without("HATBOX_FILE_PASSPHRASE").run().ok();
    assert_eq!(list.stdout, "jan-work\n");
}

#[test]
fn the_environment_of_hatbox_itself_cannot_be_read_by_another_process_of_the_user() {
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: root may read everything");
        return;
    }
    let fixture = locked();
    fixture.write_settings("passphrase_command = \"cat /proc/$PPID/environ >&2; echo x\"\n");
    let run = fixture.hatbox(&["list"]).without("HATBOX_FILE_PASSPHRASE").env("CANARY", "canary").run();
    assert!(!run.stderr.contains("canary"));
}

/// Denies the kernel keyring, as a container's seccomp profile does. Returns `None` and prints the reason if that is
/// not possible.
fn without_keyring(run: Run) -> Option<Run> {
    if !std::process::Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: strace is not installed");
        return None;
    }
    let inject = "inject=add_key,request_key,keyctl:error=EPERM";
    Some(run.under("strace", &["-f", "-qqq", "-e", inject, "-o", "/dev/null"]))
}

/// The memory-backed directory that every container has; hatbox creates its own directory in it.
fn boxes() -> PathBuf {
    PathBuf::from(format!("/dev/shm/hatbox-{}", rustix::process::geteuid().as_raw()))
}

fn box_of(fixture: &Fixture) -> Option<PathBuf> {
    let digest = fixture.state().file_name().unwrap().to_str().unwrap().to_owned();
    let mut entries = std::fs::read_dir(boxes()).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.find(|path| path.to_string_lossy().ends_with(&format!(":{digest}:box")))
}

#[test]
fn without_a_kernel_keyring_a_passphrase_at_hand_opens_the_store_once_and_then_a_box_in_memory() {
    let fixture = locked();
    let exec = ["exec", "jan-work", "--", "echo", "in"];
    let denied = |arguments: &[&str]| without_keyring(fixture.hatbox(arguments));
    let Some(first) = denied(&exec) else { return };
    if !std::path::Path::new("/dev/shm").is_dir() {
        eprintln!("skipped: there is no /dev/shm");
        return;
    }
    let login = PathBuf::from(format!("/run/user/{}", rustix::process::geteuid().as_raw()));
    let had_login = login.exists();
    let first = first.run().ok();
    assert_eq!(first.stdout, "in\n");
    assert_eq!(login.exists(), had_login, "the directory of a login is not hatbox's to make");
    assert!(!first.stderr.contains("keyring"), "{}", first.stderr);
    let held = box_of(&fixture).expect("a box");
    let about = std::fs::metadata(&held).unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(boxes()).unwrap().permissions().mode() & 0o777, 0o700);
    // The box is enough: no wrap is opened, so it works without one; but the stored key is not in the box.
    let wrap = fixture.wrap("passphrase");
    let kept = std::fs::read(&wrap).unwrap();
    std::fs::write(&wrap, "no wrap").unwrap();
    let warm = denied(&exec).unwrap().run().ok();
    assert_eq!((warm.stdout.as_str(), warm.stderr.as_str()), ("in\n", ""));
    denied(&["export", "-n", "jan-work"]).unwrap().run().expect_code(1);
    std::fs::write(&wrap, kept).unwrap();
    // A wrong passphrase does not open the box, and no passphrase opens a changed one.
    let wrong = denied(&exec).unwrap().env("HATBOX_FILE_PASSPHRASE", "wrong horse").run().expect_code(125);
    assert!(wrong.stderr.contains("the passphrase is wrong"), "{}", wrong.stderr);
    let good = std::fs::read(&held).unwrap();
    for at in [0, 16, 40, good.len() - 13, good.len() - 1] {
        let mut changed = good.clone();
        changed[at] ^= 1;
        std::fs::write(&held, changed).unwrap();
        denied(&exec).unwrap().run().ok();
    }
    denied(&["lock"]).unwrap().run().ok();
    assert_eq!(box_of(&fixture), None);
}

#[test]
fn a_file_gives_it_by_variable_or_setting_and_only_one_that_no_one_else_can_change() {
    let fixture = locked();
    let file = fixture.path("home/passphrase");
    std::fs::write(&file, format!("{PASSPHRASE}\n")).unwrap();
    let set_mode = |mode| std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    let run = |named: Option<&Path>| {
        fixture.hatbox(&["lock"]).run().ok();
        let run = fixture.hatbox(&["exec", "-n", "jan-work", "--", "sh", "-c", LOOK]);
        let run = run.without("HATBOX_FILE_PASSPHRASE");
        match named {
            Some(path) => run.env("HATBOX_PASSPHRASE_FILE", path.to_str().unwrap()).run(),
            None => run.run(),
        }
    };
    set_mode(0o600);
    assert_child_has_nothing(&run(Some(&file)).ok());
    fixture.write_settings("passphrase_file = \"~/passphrase\"\n");
    assert_child_has_nothing(&run(None).ok());
    // The variable takes precedence over the setting, and a passphrase in a variable over both.
    let missing = run(Some(&fixture.path("home/none"))).expect_code(125);
    let why = "none` (HATBOX_PASSPHRASE_FILE) returned no passphrase: No such file or directory";
    assert!(missing.stderr.contains(why), "{}", missing.stderr);
    let both =
        fixture.hatbox(&["exec", "-n", "jan-work", "--", "true"]).env("HATBOX_FILE_PASSPHRASE", PASSPHRASE);
    both.env("HATBOX_PASSPHRASE_FILE", "/nonexistent").run().ok();
    let empty = fixture.hatbox(&["list"]).without("HATBOX_FILE_PASSPHRASE").env("HATBOX_PASSPHRASE_FILE", "");
    assert!(empty.run().expect_code(2).stderr.contains("HATBOX_PASSPHRASE_FILE is empty"));
    let refused = |why: &str| {
        let failed = run(Some(&file)).expect_code(125);
        assert!(failed.stderr.contains(why), "{why}: {}", failed.stderr);
    };
    set_mode(0o620);
    refused("others may write to it; try: chmod go-w ");
    set_mode(0o644);
    if rustix::process::geteuid().is_root() {
        // Containers mount secrets this way.
        run(Some(&file)).ok();
    } else {
        refused("others may read it (mode 0644); try: chmod 600 ");
    }
    set_mode(0o600);
    for (content, why) in [
        (&b"\n"[..], "the passphrase from `"),
        (b"\xff", "returned no passphrase: it is not UTF-8"),
        (&[b'x'; 5000], "returned no passphrase: it is longer than 4096 bytes"),
        (b"wrong", "caused by: the passphrase is wrong"),
    ] {
        std::fs::write(&file, content).unwrap();
        refused(why);
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    refused("returned no passphrase: it is not a regular file");
    std::fs::remove_dir(&file).unwrap();
    // hatbox does not wait for a pipe without a writer.
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    refused("returned no passphrase: it is not a regular file");
    fixture.write_settings("passphrase_file = \"x\"\n");
    let failed = run(None).expect_code(125);
    assert!(failed.stderr.contains("`passphrase_file` must be an absolute path, or begin with `~/`"));
    fixture.write_settings("passphrase_file = \"/x\"\npassphrase_command = \"cat /x\"\n");
    let failed = run(None).expect_code(125);
    assert!(failed.stderr.contains("`passphrase_file` and `passphrase_command` are both set"));
}

#[test]
fn a_box_is_opened_by_a_descriptor_and_by_a_command_each_of_which_is_read_once() {
    let fixture = locked();
    fixture.write_program("give", "#!/bin/sh\necho x >> \"$HOME/asked\"\nprintf 'canary correct horse'\n");
    let command =
        format!("backend = \"file\"\npassphrase_command = \"{}\"\n", fixture.path("bin/give").display());
    fixture.write_settings(&command);
    let exec = ["exec", "jan-work", "--", "echo", "in"];
    for times in 1..=2 {
        let run = fixture.hatbox(&exec).without("HATBOX_FILE_PASSPHRASE");
        let Some(run) = without_keyring(run) else { return };
        assert_eq!(run.run().ok().stdout, "in\n");
        assert_eq!(std::fs::read_to_string(fixture.path("home/asked")).unwrap().lines().count(), times);
    }
    let line = "exec 7<<'E'\ncanary correct horse\nE\nexec \"$0\" --passphrase-fd 7 exec jan-work -- echo in";
    for _ in 0..2 {
        let shell = Run::new("/bin/sh", fixture.variables()).without("HATBOX_FILE_PASSPHRASE");
        let shell = shell.args(["-c", line, env!("CARGO_BIN_EXE_hatbox")]);
        assert_eq!(without_keyring(shell).unwrap().run().ok().stdout, "in\n");
    }
    fixture.hatbox(&["lock"]).run().ok();
}

/// With neither an available passphrase nor a keyring, each command asks; the note names the setting that helps.
#[test]
fn where_the_kernel_keyring_is_denied_each_command_asks_and_says_what_saves_the_question() {
    let fixture = locked();
    let run = fixture.hatbox(&["list", "--unlock"]).without("HATBOX_FILE_PASSPHRASE");
    let Some(run) = without_keyring(run) else { return };
    let mut terminal = Terminal::start(&run);
    terminal.wait_for_prompt("Passphrase of the hatbox store: ");
    terminal.type_keys(&format!("{PASSPHRASE}\n"));
    assert!(terminal.wait().success());
    let shown = terminal.screen().join(" ");
    assert!(shown.contains("the kernel keyring cannot be used here"), "{shown}");
    assert!(shown.replace("  ", " ").contains("runtime-dir"), "{shown}");
    assert_eq!(box_of(&fixture), None, "a typed passphrase leaves no box");
    let denied = |arguments: &[&str]| {
        without_keyring(fixture.hatbox(arguments).without("HATBOX_FILE_PASSPHRASE")).unwrap()
    };
    let nobody = denied(&["export", "-n", "jan-work"]).run();
    assert!(nobody.expect_code(4).stderr.contains("there is no way to ask for its passphrase"));
    assert!(denied(&["list"]).run().ok().stdout.contains("locked"));
    denied(&["lock"]).run().ok();
}

#[test]
fn a_short_new_passphrase_is_asked_about_on_a_terminal_and_warned_of_elsewhere() {
    let fixture = Fixture::empty(&["jan-work"]);
    let add = || fixture.add_run("jan-work", &["--no-add-config", "--force"]);
    let mut terminal = Terminal::start(&add().without("HATBOX_FILE_PASSPHRASE"));
    for (typed, question) in [("short", true), ("a", true)] {
        terminal.wait_for_prompt("New passphrase: ");
        terminal.type_keys(&format!("{typed}\n"));
        assert!(question);
        terminal.wait_for_prompt("Use it anyway? (y|N) ");
        terminal.type_keys(if typed == "a" { "y\n" } else { "\n" });
    }
    terminal.wait_for_prompt("Repeat the passphrase: ");
    terminal.type_keys("a\n");
    assert!(terminal.wait().success(), "{}", terminal.transcript());
    assert!(terminal.screen().join(" ").contains("fewer than 8 characters"), "{:?}", terminal.screen());
    let other = Fixture::empty(&["jan-work"]);
    let warning = "hatbox: warning: the passphrase has fewer than 8 characters";
    let run = |passphrase: &str| {
        other.hatbox(&["lock"]).run();
        other
            .add_run("jan-work", &["--no-add-config", "--force"])
            .env("HATBOX_FILE_PASSPHRASE", passphrase)
            .run()
    };
    assert!(run("1234567").ok().stderr.contains(warning));
    assert!(!run("1234567").ok().stderr.contains(warning), "only of a new one");
    std::fs::remove_dir_all(other.path("home/.local")).unwrap();
    // The length is in characters, not bytes.
    assert!(!run("12345678").ok().stderr.contains(warning));
    std::fs::remove_dir_all(other.path("home/.local")).unwrap();
    assert!(run("\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}").ok().stderr.contains(warning));
}

/// scrypt needs 128 MiB. If the process may not allocate that much, it is an ordinary error.
#[test]
fn too_little_memory_for_the_passphrase_is_an_error_and_no_abort() {
    let fixture = Fixture::empty(&["jan-work"]);
    fixture.add_run("jan-work", &[]).without("HATBOX_TEST_WORK_FACTOR").run().ok();
    fixture.hatbox(&["lock"]).run().ok();
    let limited = |kilobytes: u32, arguments: &str| {
        let line = format!("ulimit -v {kilobytes}; exec \"$0\" {arguments}");
        Run::new("/bin/sh", fixture.variables()).args(["-c", &line, env!("CARGO_BIN_EXE_hatbox")]).run()
    };
    for kilobytes in [100_000, 120_000, 150_000] {
        let refused = limited(kilobytes, "export -n jan-work");
        assert!(refused.code() == Some(1), "{kilobytes}: {:?} {}", refused.signal(), refused.stderr);
        assert!(refused.stderr.contains("needs 132 MB of memory"), "{}", refused.stderr);
    }
    limited(4_000_000, "export -n jan-work").ok();
}

/// An unreadable settings file must not keep a store unlocked.
#[test]
fn lock_works_where_the_settings_cannot_be_read() {
    let fixture = Fixture::with_config(CONFIG);
    let asks_nothing = || fixture.hatbox(&["list", "--json"]).without("HATBOX_FILE_PASSPHRASE").run().ok();
    for broken in ["backend = [", "backend = \"file\"\nfile_dir = \"relative\"\n"] {
        fixture.write_settings("");
        fixture.hatbox(&["list", "--unlock"]).run().ok();
        let before = asks_nothing().stdout;
        fixture.write_settings(broken);
        let locked = fixture.hatbox(&["lock"]).without("HATBOX_FILE_PASSPHRASE").run().ok();
        assert!(locked.stderr.contains("all stores are locked"), "{}", locked.stderr);
        fixture.write_settings("");
        let after = asks_nothing().stdout;
        assert!(after.contains("\"locked\""), "{after}");
        if before.contains("\"locked\"") {
            eprintln!("skipped: the kernel keyring holds nothing here");
            return;
        }
    }
    // With an available passphrase, a box is opened instead.
    let Some(exec) = without_keyring(fixture.hatbox(&["exec", "-n", "jan-work", "--", "true"])) else {
        return;
    };
    exec.run().ok();
    if box_of(&fixture).is_none() {
        eprintln!("skipped: there is no place in memory for a box");
        return;
    }
    fixture.write_settings("backend = [");
    without_keyring(fixture.hatbox(&["lock"])).unwrap().run().ok();
    assert_eq!(box_of(&fixture), None);
    fixture.write_settings("");
}

/// Most programs end right after their output. Waiting a whole polling interval for that would take longer than the
/// rest of a cached start.
#[test]
fn the_end_of_a_passphrase_command_is_looked_for_soon_after_its_output_ended() {
    let fixture = locked();
    let secret = fixture.path("home/secret");
    std::fs::write(&secret, PASSPHRASE).unwrap();
    // The output ends before the program does, so hatbox has to wait for its end.
    let command = format!("cat '{}'; exec >&-; sleep 0.05", secret.display());
    fixture.write_settings(&format!("passphrase_command = \"{command}\"\n"));
    let trace = fixture.path("trace");
    let run = fixture.hatbox(&["export", "-n", "jan-work"]).without("HATBOX_FILE_PASSPHRASE");
    if !std::process::Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: strace is not installed");
        return;
    }
    let calls = "trace=pidfd_open,clock_nanosleep,nanosleep";
    run.under("strace", &["-qqq", "-e", calls, "-o", trace.to_str().unwrap()]).run().ok();
    let trace = std::fs::read_to_string(trace).unwrap();
    let waits = |line: &&str| line.contains("pidfd_open(") || line.contains("nanosleep(");
    let first = trace.lines().find(waits).expect("a wait");
    // With a pidfd the kernel reports the end; otherwise a short sleep comes first.
    let is_said = first.contains("pidfd_open(") && !first.contains("= -1");
    let nanos = || first.split("tv_nsec=").nth(1).and_then(|rest| rest.split('}').next()).unwrap();
    assert!(is_said || first.contains("tv_sec=0") && nanos().parse::<u64>().unwrap() <= 1_000_000, "{first}");
    fixture.write_settings("");
}

/// As far as the limit on locked memory allows: SECURITY.md says which secrets are.
#[cfg(target_os = "linux")]
#[test]
fn the_identity_and_the_keys_derived_from_it_are_kept_out_of_swap() {
    if rustix::process::getrlimit(rustix::process::Resource::Memlock).current == Some(0) {
        eprintln!("skipped: no memory may be locked here");
        return;
    }
    let fixture = Fixture::with_config(
        "[profile guarded]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/Ops\n\
         mfa_serial = arn:aws:iam::111122223333:mfa/jan\n[profile jan-work]\n",
    );
    fixture.hatbox(&["lock"]).run().ok();
    let mut terminal = Terminal::start(&fixture.hatbox(&["exec", "guarded", "--", "true"]));
    terminal.wait_for_prompt("MFA code");
    let status = std::fs::read_to_string(format!("/proc/{}/status", terminal.pid())).unwrap();
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap().trim();
    assert_ne!(locked, "0 kB", "{status}");
    terminal.type_keys("\x03");
    terminal.wait();
}
