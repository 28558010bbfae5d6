//! The two config files: their contents, and files that cannot be read.

use std::fs;
use std::time::{Duration, Instant};

use crate::home::{Home, KEY};

#[test]
fn what_is_in_the_files_is_reported_with_file_and_line() {
    let home = Home::with_config(
        "[profile alice]\nmfa_seriall = x\n[profile ops]\nrole_arn = arn:aws:iam::444455556666:role/Ops\n\
         source_profile = alcie\n[profile broken]\nno equals\n",
    );
    let keys = format!("[bob]\naws_access_key_id = {}\naws_secret_access_key = {}\n", KEY.0, KEY.1);
    home.write(".aws/credentials", keys);
    let report = home.report(&[], &[]);
    assert_eq!(
        crate::home::found(&report),
        [
            "bad-line ~/.aws/config:7",
            "unknown-key ~/.aws/config:2",
            "plaintext-key ~/.aws/credentials:2",
            "missing-source ~/.aws/config:5",
            "no-credentials ~/.aws/config:1",
        ]
    );
    let fixes: Vec<_> = report["findings"].as_array().unwrap().iter().map(|f| f["fix"].clone()).collect();
    assert_eq!(fixes[2], "hatbox import credentials bob");
    assert_eq!(fixes[3], "${EDITOR:-vi} +5 ~/.aws/config");
    assert_eq!(fixes[4], "hatbox add alice");
    let well = Home::with_config("[default]\nregion = eu-west-1\n");
    assert!(well.found(&[]).is_empty());
}

#[test]
fn the_command_of_a_plaintext_key_takes_it_out() {
    let home = Home::new();
    let keys = format!("[bob]\naws_access_key_id = {}\naws_secret_access_key = {}\n", KEY.0, KEY.1);
    home.write(".aws/credentials", keys);
    let fix = home.report(&[], &[])["findings"][0]["fix"].as_str().unwrap().to_owned();
    let words: Vec<_> = fix.split(' ').skip(1).collect();
    let passphrase = [("HATBOX_FILE_PASSPHRASE", crate::home::PASSPHRASE), ("HATBOX_BACKEND", "file")];
    let ran = home.run(&[&words[..], &["--yes", "--no-check"]].concat(), &passphrase);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let left: Vec<_> = home.found(&[]).into_iter().filter(|found| found.contains("plaintext")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_file_that_cannot_be_read_is_a_finding_and_the_other_is_looked_at() {
    let home = Home::new();
    fs::create_dir_all(home.path(".aws/config")).unwrap();
    home.set_mode(".aws", 0o700);
    home.set_mode(".aws/config", 0o700);
    home.write(".aws/credentials", "[bob]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n");
    assert_eq!(home.found(&[]), ["unreadable-file ~/.aws/config", "half-key ~/.aws/credentials:2"]);
    // Other commands fail with it.
    assert_eq!(home.run(&["list"], &[]).code, 1);
}

#[test]
fn text_that_is_not_utf8_or_has_lines_of_3_mb_is_judged_like_any_other() {
    let home = Home::with_config("");
    let huge = "x".repeat(3 << 20);
    let mut text =
        format!("[profile a]\nregion = {huge}\n{huge}\n{huge} = 1\n[profile {huge}]\n").into_bytes();
    text.extend(b"[profile b]\nregion = \xff\xfe\n[profile \xff]\n\0\n");
    home.write(".aws/config", &text);
    let start = Instant::now();
    let ran = home.run(&["doctor"], &[]);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 400), "a long line");
    assert!(ran.stdout.contains("the line is not UTF-8 text"), "{}", ran.stdout);
    assert!(ran.stdout.bytes().all(|byte| byte == b'\n' || !byte.is_ascii_control()));
}

#[test]
fn a_file_that_a_variable_names_must_be_there() {
    let home = Home::with_config("[profile a]\n");
    let path = home.path("other").display().to_string();
    let found = home.found(&[("AWS_CONFIG_FILE", &path)]);
    assert_eq!(found, ["env-no-file AWS_CONFIG_FILE"]);
    home.write("other", "");
    assert!(home.found(&[("AWS_CONFIG_FILE", &path)]).is_empty());
}

#[test]
fn ten_thousand_profiles_are_judged_in_seconds_by_a_debug_build() {
    let one = |n| {
        format!("[profile p{n}]\nrole_arn = arn:aws:iam::444455556666:role/Ops\nsource_profile = base{n}\n\n")
    };
    let home = Home::with_config(&(0..10_000).map(one).collect::<String>());
    let start = Instant::now();
    let ran = home.run(&["doctor"], &[]);
    assert_eq!(ran.code, 5);
    assert!(ran.stdout.ends_with("\n10000 errors.\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("and 9990 more like these (missing-source)"), "{}", ran.stdout);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
