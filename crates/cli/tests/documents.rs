//! README and docs are true: their commands run, their transcripts match the output, their links work, and the
//! reference is the program's own help.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "test helpers may panic, like tests"
)]

#[path = "documents/links.rs"]
mod links;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const HATBOX: &str = env!("CARGO_BIN_EXE_hatbox");

/// Commands that are only checked for their syntax, by how they begin, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("./run ", "builds and tests everything; `.ci/run` runs both"),
    (".ci/run", "runs this test"),
    ("cargo ", "builds; `.ci/run` does it"),
    ("curl -fsSL ", "downloads from the web; tests/install.rs has a mirror"),
    ("strace ", "strace need not be here; tests/network.rs runs it"),
    ("hatbox add jan-work", "asks a person for the access key"),
    ("hatbox profile add dev-infra-admin", "asks a person for the rest; tests/flow/add_check.rs answers"),
    ("hatbox mfa register", "asks a person with an authenticator app"),
    ("hatbox mfa store-seed", "asks a person for the seed"),
    ("hatbox login dev-infra-admin", "opens a browser; tests/flow/console.rs has one"),
    ("hatbox serve", "runs until it is stopped"),
    ("openssl req", "tests/counterparts/containers.rs runs it"),
    ("socat ", "runs until it is stopped; tests/counterparts/containers.rs runs it"),
    ("ssh -R", "needs a second machine"),
    ("hatbox sandbox demo", "takes a minute; `.ci/run` plays it"),
    ("hatbox sandbox shell", "waits for a person"),
    ("aws-vault exec --no-session", "aws-vault is not here"),
    ("age ", "asks a person for the passphrase"),
    ("for item in items/", "needs what `age` made"),
    ("shred ", "needs what `age` made"),
    ("hatbox store migrate", "the sandbox has only one backend; tests/flow runs it with others"),
    ("age-plugin-yubikey ", "needs a YubiKey"),
    ("hatbox store wrap add plugin", "needs what `age-plugin-yubikey` made"),
    ("hatbox import aws-vault", "needs aws-vault's files; tests/flow/import.rs has some"),
    ("AWS_ACCESS_KEY_ID=\"$(op read", "op is not here"),
    ("hatbox sso populate", "needs a person's sign-in; tests/flow/sso_populate.rs has one"),
    ("secret-tool search", "needs a desktop's keyring"),
    ("hatbox rotate ", "replaces the key that the other commands use; tests/flow/rotate.rs runs it"),
    ("pass init", "needs a GnuPG key; tests/flow/program_backends.rs has one"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// README, the other documents at the root, and docs.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in [root(), root().join("docs"), root().join("docs/commands")] {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    assert!(found.len() >= 12, "documents are missing: {found:?}");
    found.sort();
    found
}

/// A command in a document.
#[derive(Debug, PartialEq)]
struct Shown {
    line: usize,
    command: String,
    /// The output shown below it, in a `console` block.
    output: Option<Vec<String>>,
}

/// The commands of the blocks tagged `sh` and `console`, in order.
fn commands(text: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    let mut block = None;
    for (number, line) in text.lines().enumerate() {
        if let Some(tag) = line.strip_prefix("```") {
            block = if block.is_some() { None } else { Some(tag) };
            continue;
        }
        let shown = |command: &str, output| Shown { line: number + 1, command: command.to_owned(), output };
        match block {
            Some("sh") if !line.trim().is_empty() => found.push(shown(line, None)),
            Some("console") => {
                if let Some(command) = line.strip_prefix("$ ") {
                    found.push(shown(command, Some(Vec::new())));
                } else {
                    let last = found.last_mut().and_then(|last| last.output.as_mut());
                    last.expect("a console block starts with `$ `").push(line.trim_end().to_owned());
                }
            }
            _ => {}
        }
    }
    assert!(block.is_none(), "a block is not closed");
    found
}

/// A sandbox with a cached session of the role that requires MFA, so that no command asks for a code.
struct Sandbox {
    directory: tempfile::TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let sandbox = Self { directory: tempfile::tempdir().unwrap() };
        let up = sandbox.hatbox(&["up", "--detach"]);
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
        sandbox.make_stand_ins();
        // The accounts for the `hatbox trust` commands.
        let example = root().join("docs/example-accounts.json");
        assert!(sandbox.run(&format!("cp '{}' iam.json", example.display())).status.success());
        let warm = sandbox.run("hatbox exec -t \"$(hatbox sandbox code)\" dev-infra-admin -- true");
        assert!(warm.status.success(), "{}", String::from_utf8_lossy(&warm.stdout));
        sandbox
    }

    /// `aws` and `terraform` may not be installed, so stand-ins check what matters to them: that there are credentials,
    /// and for `aws s3` that they work, except with a metadata server. The counterparts test the real programs.
    fn make_stand_ins(&self) {
        let bin = self.directory.path().join("bin");
        fs::create_dir(&bin).unwrap();
        for name in ["aws", "terraform"] {
            let script = "#!/bin/sh\n\
                          test -n \"$AWS_EC2_METADATA_V1_DISABLED\" && exit\n\
                          test -n \"$AWS_SESSION_TOKEN$AWS_CONTAINER_CREDENTIALS_FULL_URI\" || exit 255\n\
                          if [ \"${0##*/} $1\" = 'aws s3' ]; then exec hatbox sandbox \"$@\"; fi\n";
            fs::write(bin.join(name), script).unwrap();
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    fn hatbox(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(HATBOX);
        command.arg("sandbox").args(arguments.first()).arg("--dir").arg(self.directory.path().join("it"));
        command.args(&arguments[1..]).env("PATH", self.path()).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command line in the sandbox's environment, without a terminal.
    fn run(&self, line: &str) -> Output {
        self.hatbox(&["run", "--", "setsid", "--wait", "sh", "-c", &format!("exec 2>&1; cd && {line}")])
    }

    fn path(&self) -> String {
        format!(
            "{}:{}",
            self.directory.path().join("bin").display(),
            std::env::var("PATH").unwrap_or_default()
        )
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.hatbox(&["run", "--", "hatbox", "lock"]);
        self.hatbox(&["down"]);
    }
}

/// Replaces what differs between runs: key ids, ports, times and remaining lifetimes.
fn render_masked(line: &str) -> String {
    let line = line.trim_end();
    let mut masked = String::new();
    for word in line.split_inclusive(' ') {
        let (word, space) = word.split_at(word.trim_end().len());
        let is_left = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_digit())
                && text.ends_with(['h', 'm', 's'])
                && text.chars().all(|c| c.is_ascii_digit() || "hms".contains(c))
        };
        match word.rsplit_once(':') {
            _ if word.starts_with("****") => masked.push_str("****"),
            Some(("http://127.0.0.1", _)) => masked.push_str("http://127.0.0.1:PORT"),
            Some((label, left)) if label.starts_with("sts.") && is_left(left) => {
                masked.push_str(label);
                masked.push_str(":LEFT");
            }
            _ if line.ends_with(" left") && is_left(word) => masked.push_str("LEFT"),
            _ => masked.push_str(word),
        }
        masked.push_str(space);
    }
    masked
}

/// Whether `printed` matches `shown`. A line `…` matches any number of lines, and `…` in a line any text.
fn is_as_shown(shown: &[String], printed: &[String]) -> bool {
    let Some((first, rest)) = shown.split_first() else { return printed.is_empty() };
    if first == "…" {
        return (0..=printed.len()).any(|skipped| is_as_shown(rest, &printed[skipped..]));
    }
    let Some((line, others)) = printed.split_first() else { return false };
    let (first, line) = (render_masked(first), render_masked(line));
    let mut parts = first.split('…');
    let Some(mut left) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut has_gap = false;
    for part in parts {
        has_gap = true;
        let Some(at) = left.rfind(part) else { return false };
        left = &left[at + part.len()..];
    }
    (left.is_empty() || has_gap && first.ends_with('…')) && is_as_shown(rest, others)
}

fn check_syntax(shell: &str, line: &str) -> bool {
    Command::new(shell).args(["-n", "-c", line]).status().unwrap().success()
}

#[test]
fn every_command_in_the_documents_runs_and_prints_what_is_shown() {
    let mut problems = Vec::new();
    let mut used = [false; NOT_RUN.len()];
    for path in documents() {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let mut sandbox = None;
        for shown in commands(&fs::read_to_string(&path).unwrap()) {
            let place = format!("{name}:{}: {}", shown.line, shown.command);
            assert!(check_syntax("sh", &shown.command), "{place}: this is invalid shell syntax");
            if let Some(exception) = NOT_RUN.iter().position(|(start, _)| shown.command.starts_with(start)) {
                used[exception] = true;
                continue;
            }
            let ran = sandbox.get_or_insert_with(Sandbox::new).run(&shown.command);
            let printed =
                format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
            let Some(expected) = &shown.output else {
                if !ran.status.success() {
                    problems.push(format!("{place}\n{}\n{printed}", ran.status));
                }
                continue;
            };
            let printed: Vec<String> = printed.lines().map(str::to_owned).collect();
            if !is_as_shown(expected, &printed) {
                problems.push(format!("{place}\nprinted:\n{}", printed.join("\n")));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
    for ((start, _), used) in NOT_RUN.iter().zip(used) {
        assert!(used, "no document contains `{start}` any more");
    }
}

/// The help texts of docs/commands, by command.
fn load_reference() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root().join("docs/commands")).unwrap() {
        let page = entry.unwrap().path();
        for section in fs::read_to_string(&page).unwrap().split("# hatbox").skip(1) {
            let (words, body) = section.split_once('\n').unwrap();
            let help = body.split_once("```text\n").unwrap().1.split_once("\n```").unwrap().0;
            let place = words.split(' ').nth(1).unwrap_or("README");
            assert_eq!(page.file_stem().unwrap(), place, "`hatbox{words}` is on another command's page");
            assert!(
                found.insert(format!("hatbox{words}"), help.to_owned()).is_none(),
                "`hatbox{words}` appears twice"
            );
        }
    }
    found
}

/// Drops the options that every command has, which only the first page shows.
fn without_global_options(help: &str) -> String {
    let Some((before, block)) = help.split_once("Options of every command:\n") else {
        return help.to_owned();
    };
    let rest = block.lines().skip_while(|line| line.is_empty() || line.starts_with(' '));
    format!("{before}{}", rest.collect::<Vec<_>>().join("\n"))
}

#[test]
fn the_reference_is_what_the_program_says() {
    let mut shown = load_reference();
    let mut commands = vec!["hatbox".to_owned()];
    while let Some(command) = commands.pop() {
        let output = Command::new(HATBOX)
            .args(command.split(' ').skip(1))
            .arg("--help")
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        let page = shown.remove(&command).unwrap_or_default();
        let again = "`cargo run -p xtask -- reference` writes it again";
        assert_eq!(page, without_global_options(&help).trim_end(), "{command}: {again}");
        commands.extend(subcommands(&help).iter().map(|name| format!("{command} {name}")));
    }
    assert!(shown.is_empty(), "there is no such command: {:?}", shown.keys());
}

fn subcommands(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    list.take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .filter(|name| name != "help")
        .collect()
}

/// The names in backticks in the first column of the table below `heading`.
fn names_of_table(text: &str, heading: &str) -> Vec<String> {
    let table = text.split_once(heading).unwrap().1.lines().skip_while(|line| !line.starts_with('|'));
    let cells =
        table.skip(2).take_while(|line| line.starts_with('|')).map(|line| line.split('|').nth(1).unwrap());
    cells.map(|cell| cell.split('`').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn the_backends_are_those_that_the_program_has() {
    let output = Command::new(HATBOX)
        .args(["store", "status", "--json"])
        .env_clear()
        .env("HOME", tempfile::tempdir().unwrap().path())
        .output()
        .unwrap();
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = status["backends"].as_array().unwrap().iter();
    let known: BTreeSet<_> = rows.map(|row| row["backend"].as_str().unwrap().to_owned()).collect();
    let text = fs::read_to_string(root().join("docs/store.md")).unwrap();
    let shown: BTreeSet<_> = names_of_table(&text, "# The store").into_iter().collect();
    // Each of these is built for one system only.
    let elsewhere = ["keychain", "wincred"].map(str::to_owned).into();
    assert_eq!(shown, &known | &elsewhere);
}

/// docs/SUMMARY.md decides which pages the website has.
#[test]
fn the_summary_lists_every_page_once() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let listed: Vec<_> =
        summary.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned()).collect();
    let once: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(once.len(), listed.len(), "a page is listed twice: {listed:?}");
    let pages = documents().into_iter().map(|path| match path.strip_prefix(root().join("docs")) {
        Ok(below) => below.display().to_string(),
        Err(_) => format!("../{}", path.file_name().unwrap().display()),
    });
    assert_eq!(once, pages.filter(|page| page != "SUMMARY.md").collect());
}

#[test]
fn commands_are_found_and_differences_are_seen() {
    let text = "```sh\na\n\nb\n```\n```text\nc\n```\n```console\n$ d\nx\n$ e\n```\n";
    let found: Vec<_> = commands(text).into_iter().map(|s| (s.line, s.command, s.output)).collect();
    let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        found,
        [
            (2, "a".to_owned(), None),
            (4, "b".to_owned(), None),
            (10, "d".to_owned(), Some(lines(&["x"]))),
            (12, "e".to_owned(), Some(vec![])),
        ]
    );
    for (shown, printed, is_same) in [
        (lines(&["a", "…", "z"]), lines(&["a", "b", "c", "z"]), true),
        (lines(&["a", "…", "z"]), lines(&["a", "b"]), false),
        (lines(&["a … c"]), lines(&["a b c"]), true),
        (lines(&["a … c"]), lines(&["a b c d"]), false),
        (lines(&["…c"]), lines(&["a b c"]), true),
        (lines(&["a"]), lines(&["a", "b"]), false),
        (lines(&["id ****7S54"]), lines(&["id ****ABCD"]), true),
        (lines(&["id ****7S54"]), lines(&["id AKIA"]), false),
        (lines(&["sts.AssumeRole:59m59s"]), lines(&["sts.AssumeRole:1h"]), true),
        (lines(&["sts.AssumeRole:59m59s"]), lines(&["sts.AssumeRole:-"]), false),
    ] {
        assert_eq!(is_as_shown(&shown, &printed), is_same, "{shown:?} {printed:?}");
    }
}
