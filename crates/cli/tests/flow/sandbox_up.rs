//! `hatbox sandbox up` in the foreground.

use std::os::unix::process::ExitStatusExt;

use crate::fixture::Fixture;
use crate::run::Run;
use crate::strace::is_strace_there;
use crate::terminal::Terminal;

#[test]
fn in_the_foreground_it_says_how_to_get_in_and_shows_each_call_until_ctrl_c() {
    let fixture = Fixture::empty(&[]);
    let directory = fixture.path("own");
    let directory = directory.to_str().unwrap();
    let sandbox = |words: &[&str]| fixture.hatbox(&["sandbox", "--dir", directory]).args(words);
    let mut terminal = Terminal::start_wide(&sandbox(&["up"]), 300);
    terminal.wait_for("running until Ctrl-C; calls are shown here:", 1);
    let said = terminal.transcript();
    assert!(said.contains("export AWS_ENDPOINT_URL=http://127.0.0.1:"), "{said}");
    assert!(said.contains(&format!("`hatbox sandbox --dir {directory} shell` opens a shell")), "{said}");
    assert!(!said.contains("sts:"), "{said}");
    call(&sandbox(&["run", "--"]), "security-auditor");
    // Shown while it runs, and not at its end.
    terminal.wait_for("sts:AssumeRole on role security-auditor", 1);
    call(&sandbox(&["run", "--"]), "security-auditor");
    terminal.wait_for("sts:AssumeRole on role security-auditor", 2);
    terminal.type_keys("\x03");
    assert_eq!(terminal.wait().signal(), Some(2), "{}", terminal.transcript());
    sandbox(&["status"]).run().expect_code(1);
}

/// A flush takes 10 ms on a slow disk. A power cut may lose the sandbox's last calls; nothing else can.
#[test]
fn no_call_waits_for_the_disk() {
    if !is_strace_there() {
        return;
    }
    let fixture = Fixture::empty(&[]);
    let flushes = |calls: usize| {
        let (directory, trace) =
            (fixture.path(&format!("own{calls}")), fixture.path(&format!("trace{calls}")));
        let sandbox =
            |words: &[&str]| fixture.hatbox(&["sandbox", "--dir", directory.to_str().unwrap()]).args(words);
        let flags = ["-f", "-qq", "-e", "trace=fsync,fdatasync,sync,syncfs,sync_file_range,msync"];
        let up = sandbox(&["up"]).under("strace", &[&flags[..], &["-o", trace.to_str().unwrap()]].concat());
        let mut terminal = Terminal::start_wide(&up, 300);
        terminal.wait_for("running until Ctrl-C", 1);
        for _ in 0..calls {
            call(&sandbox(&["run", "--"]), "security-auditor");
        }
        terminal.wait_for("sts:AssumeRole", calls);
        terminal.type_keys("\x03");
        assert_eq!(terminal.wait().signal(), Some(2), "{}", terminal.transcript());
        let text = std::fs::read_to_string(trace).unwrap();
        text.lines().filter(|line| line.contains("sync(")).count()
    };
    let without = flushes(0);
    assert!(without > 0, "it flushes at its end");
    assert_eq!(flushes(3), without);
}

fn call(run: &Run, profile: &str) {
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    run.clone().args([hatbox, "exec", "--fresh", profile, "--", "true"]).run().ok();
}
