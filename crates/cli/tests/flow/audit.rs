//! The audit log: which uses are recorded, and `hatbox log`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::disk_faults::with_mounts;
use crate::fixture::Fixture;

const CONFIG: &str = "\
[profile jan-work]
[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
";

fn log_path(fixture: &Fixture) -> PathBuf {
    fixture.path("home/.local/state/hatbox/log/audit.jsonl")
}

/// A fixture with jan's key, a role, and this value of the setting.
fn with_log(value: &str) -> Fixture {
    let fixture = Fixture::with_config(CONFIG);
    let settings = fixture.path("home/.config/hatbox/config.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fixture.write_settings(&format!("{text}audit_log = \"{value}\"\n"));
    fixture
}

fn entries(fixture: &Fixture, flags: &[&str]) -> Vec<Value> {
    let run = fixture.hatbox(&["log", "--json"]).args(flags).run().ok();
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn a_use_is_one_line_without_a_secret_or_an_argument() {
    let fixture = with_log("on");
    let exec = ["exec", "--reason", "ticket 7", "reader", "--", "sh", "-c", "echo canary-argument"];
    fixture.hatbox(&exec).env("CLAUDECODE", "1").run().ok();
    let printed = fixture.hatbox(&["export", "--format", "json", "reader"]).run().ok().stdout;
    fixture.hatbox(&["exec", "--no-session", "jan-work", "--", "/bin/true"]).run().ok();
    let text = fs::read_to_string(log_path(&fixture)).unwrap();
    assert_eq!(text.lines().count(), 3);
    let credentials: Value = serde_json::from_str(&printed).unwrap();
    for secret in ["AccessKeyId", "SecretAccessKey", "SessionToken"] {
        assert!(!text.contains(credentials[secret].as_str().unwrap()), "{secret}");
    }
    assert!(!text.contains("canary"), "{text}");
    for (path, mode) in
        [(log_path(&fixture), 0o600), (log_path(&fixture).parent().unwrap().to_owned(), 0o700)]
    {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{path:?}");
    }
    let shown = entries(&fixture, &[]);
    let words =
        |entry: &Value, names: [&str; 5]| names.map(|name| entry[name].as_str().unwrap_or("-").to_owned());
    let names = ["exit", "profile", "command", "reason", "agent"];
    assert_eq!(words(&shown[2], names), ["exec", "reader", "sh", "ticket 7", "CLAUDECODE"]);
    assert_eq!(words(&shown[1], names), ["export", "reader", "-", "-", "-"]);
    assert_eq!(words(&shown[0], names), ["exec", "jan-work", "true", "-", "-"]);
    assert_eq!(shown[1]["role"], "arn:aws:iam::444455556666:role/reader");
    assert_eq!(
        (&shown[1]["account"], &shown[1]["expires_at"]),
        (&"444455556666".into(), &credentials["Expiration"])
    );
    assert_eq!(shown[0]["expires_at"], Value::Null);
    fixture.hatbox(&["login", "--stdout", "reader"]).run().ok();
    assert_eq!(words(&entries(&fixture, &["-L", "1"])[0], names), ["login", "reader", "-", "-", "-"]);
    fixture.hatbox(&["each", "--reason", "all", "reader", "--", "true", "x"]).run().ok();
    assert_eq!(words(&entries(&fixture, &["-L", "1"])[0], names), ["exec", "reader", "true", "all", "-"]);
    assert!(shown[2]["pid"].as_u64().unwrap() > 1);
    for flags in [&["exec", "reader"][..], &["exec", "--server", "reader"]] {
        let printed = fixture.hatbox(flags).args(["--", "sh", "-c", "echo $$"]).run().ok().stdout;
        let entry = &entries(&fixture, &["-L", "1"])[0];
        assert_eq!(entry["pid"].to_string(), printed.trim(), "hatbox became the command");
    }
}

#[test]
fn without_the_setting_only_uses_with_a_reason_are_written() {
    let fixture = Fixture::with_config(CONFIG);
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    assert!(!log_path(&fixture).parent().unwrap().exists());
    let empty = fixture.hatbox(&["log"]).run().ok();
    assert!(
        empty.stderr.contains("the audit log is off") && empty.stderr.contains("audit_log = \"on\""),
        "{}",
        empty.stderr
    );
    fixture.hatbox(&["export", "--reason", "why not", "reader"]).run().ok();
    assert_eq!(entries(&fixture, &[]).len(), 1);
    for reason in ["", "  ", &"x".repeat(501)] {
        fixture.hatbox(&["export", "--reason", reason, "reader"]).run().expect_code(2);
    }
    fixture.write_settings("audit_log = \"maybe\"\n");
    fixture.hatbox(&["export", "reader"]).run().expect_code(2);
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing_unless_it_is_required() {
    let run = |fixture: &Fixture| fixture.hatbox(&["exec", "reader", "--", "true"]).run();
    for (setting, code) in [("on", 0), ("required", 125)] {
        // hatbox does not write to a link, or to a file that others may read.
        let fixture = with_log(setting);
        run(&fixture).ok();
        let path = log_path(&fixture);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let open = run(&fixture).expect_code(code);
        assert!(open.stderr.contains("others may read or write it"), "{}", open.stderr);
        fs::remove_file(&path).unwrap();
        let elsewhere = fixture.path("elsewhere");
        fs::write(&elsewhere, "").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        let link = run(&fixture).expect_code(code);
        assert!(link.stderr.contains("is not a regular file"), "{}", link.stderr);
        assert_eq!(fs::read(&elsewhere).unwrap(), b"");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        run(&fixture).expect_code(code);
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path.parent().unwrap(), "in the way").unwrap();
        let blocked = run(&fixture).expect_code(code);
        let said =
            if code == 0 { "this use is not in the audit log" } else { "`audit_log` requires the log" };
        assert!(blocked.stderr.contains(said), "{}", blocked.stderr);
    }
}

/// Each way to hand over credentials, on a disk with room for only part of a line.
const ON_A_FULL_DISK: &str = r#"
log="$HOME/.local/state/hatbox/log"
mkdir -p "$log" && mount -t tmpfs -o size=64k,mode=700 tmpfs "$log" || exit 9
$H exec reader -- true || exit 8
size=$(wc -c <"$log/audit.jsonl")
head -c $((4096 - 20 - size)) /dev/zero | tr '\0' '\n' >>"$log/audit.jsonl"
dd if=/dev/zero of="$log/filler" bs=1k 2>/dev/null
try() { "$@"; echo "code $?"; }
try $H exec reader -- echo given
try $H exec reader -- echo given
try $H each reader -- echo given
try $H exec --server reader -- echo given
try $H export reader
try $H hat reader
try $H login --stdout reader
[ "$1" = on ] || try $H serve reader
rm "$log/filler"
try $H exec --reason 'room again' reader -- echo given
$H log --json
"#;

#[test]
fn on_a_full_disk_nothing_leaves_unlogged_where_the_log_is_required() {
    let fixture = with_log("required");
    let Some(run) = with_mounts(&fixture, ON_A_FULL_DISK) else { return };
    let full = run.args(["sh", "required"]).run().ok();
    let (tries, log) = full.stdout.split_once("given\ncode 0\n").unwrap();
    assert_eq!(tries.matches("code 1").count(), 8, "{tries}{}", full.stderr);
    assert!(!tries.contains("given") && !tries.contains("AWS") && !tries.contains("http"), "{tries}");
    assert!(full.stderr.matches("`audit_log` requires the log").count() >= 7, "{}", full.stderr);
    assert!(full.stderr.contains("No space left on device"), "{}", full.stderr);
    let log: Value = serde_json::from_str(log).unwrap();
    assert_eq!(log[0]["reason"], "room again", "the line behind a part of one is found");
    assert_eq!(log.as_array().unwrap().len(), 2, "{log}");
}

#[test]
fn on_a_full_disk_a_log_that_is_not_required_is_missed_aloud() {
    let fixture = with_log("on");
    let Some(run) = with_mounts(&fixture, ON_A_FULL_DISK) else { return };
    let full = run.args(["sh", "on"]).run().ok();
    assert!(full.stdout.contains("given\ncode 0\ngiven\ncode 0\nreader | given\n"), "{}", full.stdout);
    assert_eq!(full.stderr.matches("this use is not in the audit log: ").count(), 7, "{}", full.stderr);
}

#[test]
fn many_processes_write_whole_lines() {
    let fixture = with_log("on");
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    let children: Vec<_> = (0..24)
        .map(|_| fixture.hatbox(&["exec", "--reason", &"r".repeat(400), "reader", "--", "true"]).spawn())
        .collect();
    for child in children {
        crate::run::finish(child, "exec").ok();
    }
    let text = fs::read_to_string(log_path(&fixture)).unwrap();
    assert_eq!(text.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count(), 25);
    assert_eq!(text.lines().count(), 25);
}

#[test]
fn the_log_is_filtered_and_shown_without_escapes_and_damage_is_a_warning() {
    let fixture = with_log("on");
    let exec = |flags: &[&str], words: &[&str]| {
        fixture.hatbox(&["exec"]).args(flags).args(["reader", "--"]).args(words).run().ok();
    };
    exec(&[], &["true"]);
    fixture.advance(3600);
    exec(&["--reason", "red \u{1b}[31m\u{9b}2J\u{202e}text"], &["echo", "x"]);
    fixture.hatbox(&["export", "jan-work"]).env("AI_AGENT", "any").run().ok();
    let text = fs::read_to_string(log_path(&fixture)).unwrap();
    let cut = &text[..40];
    fs::write(log_path(&fixture), format!("{cut}{text}garbage \u{1b}[2J\n")).unwrap();
    let table = fixture.hatbox(&["log"]).run().ok();
    assert!(
        table.stderr.contains("2 damaged lines of `~/.local/state/hatbox/log/audit.jsonl` left out"),
        "{}",
        table.stderr
    );
    assert_eq!(table.stdout.lines().count(), 4, "{}", table.stdout);
    assert!(
        !table.stdout.contains(['\u{1b}', '\u{9b}', '\u{202e}']) && table.stdout.contains("\\u001b[31m"),
        "{}",
        table.stdout
    );
    let count = |flags: &[&str]| entries(&fixture, flags).len();
    assert_eq!(count(&[]), 3);
    assert_eq!(count(&["-L", "2"]), 2);
    assert_eq!(count(&["--profile", "read*"]), 2);
    assert_eq!(count(&["--command", "echo"]), 1);
    assert_eq!(count(&["--agent"]), 1);
    assert_eq!(count(&["--since", "30m"]), 2);
    assert_eq!(count(&["--since", "2h", "--profile", "reader", "--command", "t?ue"]), 1);
    let wrong = fixture.hatbox(&["log", "--since", "soon"]).run().expect_code(2);
    assert!(wrong.stderr.contains("invalid --since `soon`"), "{}", wrong.stderr);
}
