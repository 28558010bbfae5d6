//! Real shells read quoted words as the words.
#![expect(clippy::disallowed_types, reason = "the crate starts no programs; its tests ask shells")]

use std::process::Command;

use hatbox_types::text::shell::{quote_path, quote_word};

const HOSTILE: &[&str] = &[
    "",
    "plain",
    "it's",
    "''",
    "$(exit 3)`exit 3`",
    "${HOME} $HOME ~ ~root",
    "a;exit 3",
    "a\nexit 3\n",
    "a\\",
    "\\'",
    "*",
    "/*",
    "[a-z]",
    "{a,b}",
    "=ls",
    "a=~",
    "!!",
    "#no",
    "a&b|c<d>e",
    "\"",
    "\u{1b}[2J\r\t",
    "schlüssel 漢字 \u{202e}\u{a0}",
    "-n",
];

#[test]
fn shells_read_hostile_words_as_they_are() {
    for shell in ["sh", "bash", "dash", "zsh", "ksh", "busybox"] {
        let quoted: Vec<_> = HOSTILE.iter().map(|word| quote_word(word)).collect();
        let script = format!("printf '%s\\0' {}", quoted.join(" "));
        let mut command = Command::new(shell);
        command.args((shell == "busybox").then_some("sh")).args(["-c", &script]);
        let output = match command.output() {
            Ok(output) => output,
            Err(error) => {
                println!("skipped: {shell}: {error}");
                continue;
            }
        };
        let expected: String = HOSTILE.iter().map(|word| format!("{word}\0")).collect();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{shell}");
    }
}

#[test]
fn a_file_that_looks_like_an_option_is_a_file() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["-n", "--help", "-it's\n", "a b"] {
        let script = format!("printf x > {0} && cat {0} && rm {0}", quote_path(name));
        match Command::new("sh").args(["-c", &script]).current_dir(&dir).output() {
            Ok(output) => assert_eq!(output.stdout, b"x", "{name:?}"),
            Err(error) => println!("skipped: sh: {error}"),
        }
    }
}
