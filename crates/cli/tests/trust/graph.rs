//! `trust graph`: its formats, its output files, and the picture in README.

use std::fs;

use super::{hatbox, sources};

fn example() -> String {
    sources("../docs/example-accounts.json").display().to_string()
}

#[test]
fn text_is_what_stdout_gets() {
    let ran = hatbox(&["trust", "graph", "--from", &example()], b"");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        "\
home 111122223333                      prod 444455556666
alice ──mfa──> Ops ┈┈no mfa┈┈> Audit   Ops
      ──mfa──> Admin                   Admin   only alice
bob   ──mfa──> Ops                     Audit   reachable without MFA through Ops
carol ────────> Legacy   ! no MFA      Legacy  ! no MFA
4 roles, 3 users, 2 warnings.
mfa: MFA required, ┈ chained (max 1 h), ! access keys are enough
Indirect access is not counted: changing policies or creating access keys.
"
    );
    let ascii = hatbox(&["trust", "graph", "--ascii", "--from", &example(), "-o", "-"], b"");
    assert!(
        ascii.stdout.is_ascii() && ascii.stdout.contains("carol --------> Legacy   ! no MFA"),
        "{}",
        ascii.stdout
    );
}

#[test]
fn the_picture_in_readme_is_what_the_example_looks_like() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("trust.svg");
    let ran = hatbox(&["trust", "graph", "--from", &example(), "-o", &file.display().to_string()], b"");
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
    let kept = fs::read_to_string(sources("../docs/trust.svg")).unwrap();
    let again = "cargo run -p hatbox -- trust graph --from docs/example-accounts.json -o docs/trust.svg";
    assert!(fs::read_to_string(file).unwrap() == kept, "docs/trust.svg is old; draw it again:\n{again}");
}

#[test]
fn the_ending_of_the_file_or_the_flag_decides_the_format() {
    let directory = tempfile::tempdir().unwrap();
    for (name, start) in
        [("a.dot", "digraph trust {"), ("a.json", "{\"schema\":1,"), ("a.txt", "home "), ("a.svg", "<svg ")]
    {
        let file = directory.path().join(name);
        let ran = hatbox(&["trust", "graph", "--from", &example(), "-o", &file.display().to_string()], b"");
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        assert!(fs::read_to_string(file).unwrap().starts_with(start), "{name}");
    }
    let json = hatbox(&["trust", "graph", "--from", &example(), "--format", "json"], b"");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["warnings"].as_array().unwrap().len(), 2);
    let unclear = hatbox(&["trust", "graph", "--from", &example(), "-o", "picture.png"], b"");
    assert_eq!(unclear.code, 2);
    assert_eq!(
        unclear.stderr,
        "hatbox: error: no format for the extension of `picture.png`\n\
         hatbox: hint: use .svg, .txt, .dot or .json, or give the format: --format svg\n"
    );
}

#[test]
fn sources_that_cannot_be_read_give_no_picture() {
    let none = hatbox(&["trust", "graph"], b"");
    assert_eq!(none.code, 2, "{}", none.stderr);
    let directory = tempfile::tempdir().unwrap();
    let cut = directory.path().join("cut.json");
    let text = fs::read(sources("../docs/example-accounts.json")).unwrap();
    fs::write(&cut, &text[..text.len() / 2]).unwrap();
    let picture = directory.path().join("trust.svg");
    let ran = hatbox(
        &["trust", "graph", "--from", &cut.display().to_string(), "-o", &picture.display().to_string()],
        b"",
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("cut.json:"), "{}", ran.stderr);
    assert!(!picture.exists());
}

/// What a shell script prints in which `graph` is `hatbox trust graph --format text`, and `$dir` is a writable
/// directory.
#[cfg(unix)]
fn in_shell(directory: &std::path::Path, script: &str) -> (String, String) {
    let output = std::process::Command::new("/bin/sh")
        .args([
            "-c",
            &format!(
                "graph() {{ \"$hatbox\" trust graph --format text --from \"$from\" \"$@\"; }}\n{script}"
            ),
        ])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", directory)
        .env("dir", directory)
        .env("hatbox", env!("CARGO_BIN_EXE_hatbox"))
        .env("from", example())
        .output()
        .unwrap();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[cfg(unix)]
#[test]
fn what_is_not_a_file_is_written_to_and_never_replaced() {
    let text = hatbox(&["trust", "graph", "--from", &example()], b"").stdout;
    let directory = tempfile::tempdir().unwrap();
    let run = |script: &str| in_shell(directory.path(), script);
    assert_eq!(run("graph -o /dev/stderr"), (String::new(), text.clone()));
    assert_eq!(run("graph -o /dev/stdout"), (text.clone(), String::new()));
    assert_eq!(run("graph -o /dev/fd/3 3>&1"), (text.clone(), String::new()));
    assert_eq!(
        run("graph -o /dev/null; [ -c /dev/null ] && echo there"),
        ("there\n".to_owned(), String::new())
    );
    // A log is appended to, not truncated.
    let logged = run(
        "echo before >$dir/log; graph -o /dev/stderr 2>>$dir/log; graph -o /dev/fd/4 4>>$dir/log; cat $dir/log",
    );
    assert_eq!(logged.0, format!("before\n{text}{text}"));
    let piped =
        run("mkfifo $dir/pipe; cat $dir/pipe & graph -o $dir/pipe; wait; [ -p $dir/pipe ] && echo there");
    assert_eq!(piped.0, format!("{text}there\n"));
    let linked = run(
        "echo old >$dir/file; ln -s file $dir/link; graph -o $dir/link; cat $dir/file; [ -L $dir/link ] && echo there",
    );
    assert_eq!(linked.0, format!("{text}there\n"));
    let refused = run("graph -o $dir; echo $?");
    assert!(refused.0 == "1\n" && refused.1.contains("is a directory, not a file"), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn the_file_of_a_failure_is_written_to_where_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let fail = |file: &str| format!("\"$hatbox\" exec --error-json {file} none -- true 2>$dir/log");
    let run = |script: &str| in_shell(directory.path(), script).0;
    let is_cause = |text: &str| text.starts_with("{\"kind\":\"usage\"") && text.lines().count() == 1;
    let text = run(&fail("/dev/stdout"));
    assert!(is_cause(&text), "{text}");
    let text = run(&format!("mkfifo $dir/pipe; cat $dir/pipe & {}; wait", fail("$dir/pipe")));
    assert!(is_cause(&text), "{text}");
    let text = run(&format!("{}; [ -p $dir/pipe ] && [ -c /dev/null ] && echo there", fail("/dev/null")));
    assert_eq!(text, "there\n");
    let text =
        run(&format!("echo old >$dir/file; ln -s file $dir/link; {}; cat $dir/file", fail("$dir/link")));
    assert!(is_cause(&text), "{text}");
    assert_eq!(run(&format!("{}; echo $?; [ -d $dir ] && echo there", fail("$dir"))), "125\nthere\n");
}
