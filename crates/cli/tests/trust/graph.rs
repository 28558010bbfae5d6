//! `trust graph`: its formats, where it writes, and the picture in README.

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
home 111122223333                          prod 444455556666
alice ──mfa──> Ops ┈┈no mfa┈┈> Audit       Ops
      ──mfa──> Admin                       Admin   only alice
bob   ──mfa──> Ops                         Audit   reachable without MFA through Ops
carol ────────> Legacy   ! no MFA          Legacy  ! no MFA
4 roles, 3 users, 2 warnings.  -- mfa required, ┈ chained (max 1 h), ! lets plain access keys in
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
fn the_ending_of_the_file_or_the_flag_tells_the_format() {
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
        "hatbox: error: the ending of `picture.png` tells no format\n\
         hatbox: hint: the endings are .svg, .txt, .dot and .json; for any other file say `--format svg`\n"
    );
}

#[test]
fn sources_that_cannot_be_read_are_no_picture() {
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
