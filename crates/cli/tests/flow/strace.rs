//! Uses strace to kill runs, or to make system calls fail, at one call after another.
//!
//! strace first counts the system calls of a whole run. The run is then repeated from the same state once for each
//! point, and strace kills it as it enters that call.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::Command;

use crate::fixture::Fixture;
use crate::run::Run;

/// One system call of a run: its name, and its number among the calls of that name in that process.
#[derive(Debug, Clone)]
struct Point {
    name: String,
    nth: usize,
    position: usize,
}

/// What is injected at a system call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Injected<'a> {
    /// The process is killed.
    Kill,
    /// The call fails with this error.
    Error(&'a str),
}

/// The system calls of a run, and which of them change files.
struct Trace {
    calls: Vec<Point>,
    /// The calls that create, write, flush, rename, link or delete a file.
    changes: Vec<usize>,
    /// The calls that send or receive.
    talks: Vec<usize>,
    first_write: usize,
    last_rename: usize,
}

pub(crate) fn is_strace_there() -> bool {
    let is_there = Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("skipped: strace is not installed");
    }
    is_there
}

impl Trace {
    /// Records `run` under strace until it starts the child.
    fn record(fixture: &Fixture, run: &Run) -> Self {
        let file = fixture.path("trace");
        let flags = ["-f", "-o", file.to_str().unwrap()];
        run.clone().under("strace", &flags).run().ok();
        let text = std::fs::read_to_string(&file).unwrap();
        let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
        let mut calls = Vec::new();
        let mut writes = Vec::new();
        let (mut changes, mut talks, mut created) = (Vec::new(), Vec::new(), HashSet::new());
        let mut own = None;
        for line in text.lines() {
            let Some((pid, call)) = line.split_once(' ') else { continue };
            let Some((name, arguments)) = call.trim_start().split_once('(') else { continue };
            if name.starts_with('<')
                || !name.bytes().all(|b| b.is_ascii_lowercase() || b"_0123456789".contains(&b))
            {
                continue;
            }
            let count = counts.entry((pid, name)).or_default();
            *count += 1;
            if name == "execve" {
                // The first execve is hatbox itself; a second one by the same process starts the child.
                if own.is_some_and(|own| own == pid) {
                    break;
                }
                own.get_or_insert(pid);
            }
            let position = calls.len();
            calls.push(Point { name: name.to_owned(), nth: *count, position });
            let makes_a_file =
                name == "openat" && arguments.contains("O_CREAT") && arguments.contains("O_EXCL");
            let is_moved = name.starts_with("rename") || name.starts_with("unlink");
            if makes_a_file || is_moved {
                writes.push(position);
            }
            if makes_a_file && let Some((_, descriptor)) = arguments.rsplit_once(" = ") {
                created.insert((pid, descriptor.to_owned()));
            }
            let descriptor = arguments.split([',', ')']).next().unwrap_or_default();
            let is_of_created = created.contains(&(pid, descriptor.to_owned()));
            match name {
                "close" => drop(created.remove(&(pid, descriptor.to_owned()))),
                "write" | "fsync" | "fdatasync" if is_of_created => changes.push(position),
                "sendto" | "sendmsg" | "writev" | "recvfrom" => talks.push(position),
                _ if makes_a_file || is_moved || name.starts_with("link") => changes.push(position),
                _ => {}
            }
        }
        let (first_write, last_rename) = (writes[0], writes[writes.len() - 1]);
        Self { calls, changes, talks, first_write, last_rename }
    }

    /// Returns `over_all` points evenly over the whole run, and `while_writing` points between the first write and the
    /// last rename.
    fn points(&self, over_all: usize, while_writing: usize) -> Vec<Point> {
        let spread = |from: usize, to: usize, count: usize| {
            (0..count).map(move |i| from + i * (to - from) / count).collect::<Vec<_>>()
        };
        // Starts at the second call: the first is the execve of hatbox.
        let mut positions = spread(1, self.calls.len(), over_all);
        positions.extend(spread(self.first_write, self.last_rename + 1, while_writing));
        // Also right after the last write.
        positions.push((self.last_rename + 1).min(self.calls.len() - 1));
        positions.into_iter().map(|position| self.calls[position].clone()).collect()
    }

    fn is_while_writing(&self, point: &Point) -> bool {
        (self.first_write..=self.last_rename).contains(&point.position)
    }
}

fn copy_tree(from: &Path, to: &Path) {
    if to.exists() {
        std::fs::remove_dir_all(to).unwrap();
    }
    let status = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(status.success());
}

/// Kills `run` at points of it, each time from the same state, and calls `check` on the result. Returns how many points
/// were between the first write and the last rename.
pub(crate) fn kill_at_points(
    fixture: &Fixture,
    run: &Run,
    (over_all, while_writing): (usize, usize),
    check: impl Fn(&str),
) -> usize {
    let saved = fixture.path("saved");
    copy_tree(&fixture.home(), &saved);
    let trace = Trace::record(fixture, run);
    let points = trace.points(over_all, while_writing);
    let (mut killed, mut writing) = (0, 0);
    for point in &points {
        copy_tree(&saved, &fixture.home());
        let inject = format!("inject={}:signal=SIGKILL:when={}", point.name, point.nth);
        // -e trace=none avoids output, and --seccomp-bpf would lose the count.
        let flags = ["-f", "-qqq", "-e", &inject, "-o", "/dev/null"];
        let outcome = run.clone().under("strace", &flags).run();
        if outcome.signal() == Some(9) {
            killed += 1;
            writing += usize::from(trace.is_while_writing(point));
        } else {
            assert_eq!(outcome.code(), Some(0), "not killed at {point:?}, and failed: {}", outcome.stderr);
        }
        check(&format!("killed at {point:?} of {}", trace.calls.len()));
    }
    // Two runs differ by a few calls, so a point near the end may be missed.
    assert!(
        killed + 1 + points.len() / 20 >= points.len(),
        "only {killed} of {} points were reached",
        points.len()
    );
    writing
}

/// Makes each file system call of `run` fail once, each time from the same state, and calls `check` on the result.
/// Returns how many calls failed.
pub(crate) fn fail_at_each_call(fixture: &Fixture, run: &Run, error: &str, check: impl Fn(&str)) -> usize {
    const CALLS: [&str; 17] = [
        "openat",
        "write",
        "pwrite64",
        "fsync",
        "fdatasync",
        "rename",
        "renameat",
        "renameat2",
        "link",
        "linkat",
        "unlink",
        "unlinkat",
        "mkdir",
        "mkdirat",
        "ftruncate",
        "flock",
        "fchmod",
    ];
    let saved = fixture.path("saved");
    copy_tree(&fixture.home(), &saved);
    let trace = Trace::record(fixture, run);
    // The calls before that only start the program and read files.
    let writing = trace.calls.iter().filter(|point| trace.is_while_writing(point));
    let points: Vec<_> = writing.filter(|point| CALLS.contains(&point.name.as_str())).collect();
    for point in &points {
        copy_tree(&saved, &fixture.home());
        let inject = format!("inject={}:error={error}:when={}", point.name, point.nth);
        let flags = ["-f", "-qqq", "-e", &inject, "-o", "/dev/null"];
        let outcome = run.clone().under("strace", &flags).run();
        let when = format!("{error} at {point:?} of {}", trace.calls.len());
        assert!(outcome.code().is_some(), "{when}: ended by a signal: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("panicked"), "{when}: {}", outcome.stderr);
        check(&when);
    }
    points.len()
}

/// Injects an error or a kill into `run` at each call that changes a file, and a kill also at each call that sends or
/// receives. `check` must restore a state like the one before, as the sandbox's state cannot be put back. Returns how
/// many points there were.
pub(crate) fn inject_at_each_write(
    fixture: &Fixture,
    run: &Run,
    injected: Injected<'_>,
    check: impl Fn(&str),
) -> usize {
    let trace = Trace::record(fixture, run);
    let mut positions = trace.changes.clone();
    let what = match injected {
        Injected::Kill => {
            positions.extend(&trace.talks);
            "signal=SIGKILL".to_owned()
        }
        Injected::Error(error) => format!("error={error}"),
    };
    positions.retain(|position| (trace.first_write..=trace.last_rename).contains(position));
    for position in &positions {
        let point = &trace.calls[*position];
        let inject = format!("inject={}:{what}:when={}", point.name, point.nth);
        let flags = ["-f", "-qqq", "-e", &inject, "-o", "/dev/null"];
        let outcome = run.clone().under("strace", &flags).run();
        let when = format!("{what} at {point:?} of {}", trace.calls.len());
        assert!(!outcome.stderr.contains("panicked"), "{when}: {}", outcome.stderr);
        check(&when);
    }
    positions.len()
}
