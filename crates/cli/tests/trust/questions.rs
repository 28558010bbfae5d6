//! `can`, `who` and `reach`: their sources, exit codes and errors. Their answers are tested in hatbox-iam.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Ran, hatbox, sources};

fn fixture(name: &str) -> String {
    sources("iam/tests/accounts").join(name).display().to_string()
}

const NO_ORGANIZATION: &[u8] = b"{\"schema\": 1, \"organization\": \"none\"}";

/// Runs `hatbox trust` with this home and working directory.
fn trust_at(home: &Path, arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_hatbox"))
        .arg("trust")
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn the_exit_code_of_can_is_the_answer() {
    let snapshot = fixture("snapshot.json");
    for (arguments, input, code, first) in [
        (&["alice", "Ops", "--mfa", "--from", "-"][..], NO_ORGANIZATION, 0, "YES  alice"),
        (&["alice", "Ops", "--no-mfa"], b"", 3, "NO  alice"),
        (&["alice", "Ops"], b"", 6, "UNKNOWN  whether alice"),
        (&["alice", "Audit", "--via", "Ops", "--from", "-"], NO_ORGANIZATION, 0, "YES  alice"),
        (&["alice", "Audit", "--from", "-"], NO_ORGANIZATION, 3, "NO  alice"),
    ] {
        let ran = hatbox(&[&["trust", "can", "--from", &snapshot], arguments].concat(), input);
        assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{arguments:?}: {}", ran.stdout);
        assert!(ran.stdout.starts_with(first), "{}", ran.stdout);
    }
    let both = hatbox(&["trust", "can", "--from", &snapshot, "alice", "Ops", "--mfa", "--no-mfa"], b"");
    assert_eq!(both.code, 2);
}

#[test]
fn all_of_them_speak_json() {
    let snapshot = fixture("snapshot.json");
    for words in [&["can", "alice", "Ops"][..], &["who", "Ops"], &["reach", "alice"]] {
        let arguments = [&["trust"], words, &["--json", "--from", &snapshot]].concat();
        let ran = hatbox(&arguments, b"");
        assert!(ran.stdout.starts_with("{\n  \"schema\": 1,"), "{}", ran.stdout);
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(json["sources"][0]["kind"], "snapshot");
        assert_eq!(json["sources"][0]["taken"], "2026-03-01T09:00:00Z");
        assert_eq!(ran.code, if words[0] == "can" { 6 } else { 0 });
    }
}

#[test]
fn without_a_source_the_hints_say_how_to_name_one() {
    let ran = hatbox(&["trust", "who", "Ops"], b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("no source of users and roles given"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hatbox trust snapshot -o iam.json"), "{}", ran.stderr);
    assert!(ran.stderr.contains("aws iam get-account-authorization-details"), "{}", ran.stderr);
}

#[test]
fn the_settings_name_sources_once_for_all() {
    let home = tempfile::tempdir().unwrap();
    let settings = home.path().join(".config/hatbox/config.toml");
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    fs::write(&settings, "[trust]\nsources = [\"~/iam.json\"]\n").unwrap();
    fs::copy(fixture("snapshot.json"), home.path().join("iam.json")).unwrap();
    let ran = trust_at(home.path(), &["who", "Legacy"]);
    assert!(ran.stdout.contains("  carol  111122223333  no MFA needed"), "{}{}", ran.stdout, ran.stderr);
    fs::write(&settings, "[trust]\nsources = [\"iam.json\"]\n").unwrap();
    let ran = trust_at(home.path(), &["who", "Legacy"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("invalid source `iam.json` in `[trust]`: expected an absolute path"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_directory_gives_all_its_sources_and_passes_over_the_rest() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join("in").join(name);
    fs::create_dir(home.path().join("in")).unwrap();
    fs::copy(fixture("terraform.tfstate"), at("terraform.tfstate")).unwrap();
    fs::write(at("a.json"), "{\"private\": true}").unwrap();
    fs::write(at("notes.txt"), "no").unwrap();
    let trust = r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "777788889999"}, "Action": "sts:AssumeRole"}}"#;
    fs::write(at("Closed.json"), trust).unwrap();
    let ran = trust_at(home.path(), &["can", "alice", "Closed", "--from", "in"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("Closed trusts account 777788889999"), "{}", ran.stdout);
    assert!(ran.stderr.contains("`in/a.json` is ignored"), "{}", ran.stderr);
    fs::write(at("b.json"), "{\"Statement\": [").unwrap();
    let ran = trust_at(home.path(), &["can", "alice", "Closed", "--from", "in"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("--> in/b.json:1:16"), "{}", ran.stderr);
}

#[test]
fn a_profile_names_its_user_and_its_roles() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    let config = "[profile work]\nmfa_serial = arn:aws:iam::111122223333:mfa/bob\n\
                  [profile ops]\nrole_arn = arn:aws:iam::444455556666:role/Ops\nsource_profile = work\n\
                  [profile audit]\nrole_arn = arn:aws:iam::444455556666:role/Audit\nsource_profile = ops\n";
    fs::write(home.path().join(".aws/config"), config).unwrap();
    fs::write(home.path().join("org.json"), NO_ORGANIZATION).unwrap();
    let snapshot = fixture("snapshot.json");
    let from = ["--from", &snapshot, "--from", "org.json"];
    let ran = trust_at(home.path(), &[&["can", "work", "audit"][..], &from].concat());
    let expected = "YES  bob (111122223333) can assume Audit (444455556666) through Ops with MFA\n";
    assert!(ran.stdout.starts_with(expected), "{}{}", ran.stdout, ran.stderr);
    let ran = trust_at(home.path(), &[&["can", "work", "work"][..], &from].concat());
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("profile `work` has no `role_arn`"), "{}", ran.stderr);
    let ran = trust_at(home.path(), &[&["can", "work", "admin"][..], &from].concat());
    assert!(
        ran.stderr.contains("no role `admin` in the sources, and no profile of that name"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("there is `Admin`"), "{}", ran.stderr);
}

#[test]
fn a_large_source_that_was_cut_is_refused_with_its_place_and_soon() {
    let role = |n: usize| {
        format!(
            r#"{{"Arn": "arn:aws:iam::444455556666:role/r{n}", "RoleName": "r{n}", "AssumeRolePolicyDocument":
{{"Statement": [{{"Effect": "Allow", "Principal": {{"AWS": "111122223333"}}, "Action": "sts:AssumeRole"}}]}}}}"#
        )
    };
    let roles: Vec<_> = (0..5000).map(role).collect();
    let whole = format!("{{\"RoleDetailList\": [{}]}}", roles.join(","));
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("iam.json");
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let start = std::time::Instant::now();
    let ran = trust_at(home.path(), &["who", "r1", "--from", "iam.json"]);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("could not read `iam.json`: "), "{}", ran.stderr);
    let line = whole[..whole.len() / 2].matches('\n').count() + 1;
    assert!(ran.stderr.contains(&format!("--> iam.json:{line}:")), "{}", ran.stderr);
    fs::write(&path, b"{\n\"RoleDetailList\": [\"\xff\"]}").unwrap();
    let ran = trust_at(home.path(), &["who", "r1", "--from", "iam.json"]);
    assert!(ran.stderr.contains("--> iam.json:2:21"), "{}", ran.stderr);
}
