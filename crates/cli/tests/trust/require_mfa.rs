//! `trust require-mfa --file`: shows the change, writes it with `--apply`, and refuses what it must not change.

use std::fs;

use super::hatbox;

const OPEN: &str = r#"{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Allow",
    "Principal": { "AWS": "111122223333" },
    "Action": "sts:AssumeRole"
  }
}
"#;

#[test]
fn a_file_is_shown_first_and_written_with_apply() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trust.json");
    let file = path.to_str().unwrap();
    fs::write(&path, OPEN).unwrap();
    let shown = hatbox(&["trust", "require-mfa", "--file", file], b"");
    let expected = format!(
        "File {file}\n\
         --- current\n\
         +++ with MFA\n\
         @@ statement 1 @@\n     \"Principal\": {{ \"AWS\": \"111122223333\" }},\n\
         -    \"Action\": \"sts:AssumeRole\"\n\
         +    \"Action\": \"sts:AssumeRole\",\n\
         +    \"Condition\": {{ \"Bool\": {{ \"aws:MultiFactorAuthPresent\": \"true\" }} }}\n\
         \n\
         Keeps access      any user of account 111122223333 (with MFA)\n\
         Loses access      any role of account 111122223333: a role never has MFA\n"
    );
    let note = "hatbox: nothing was changed; --apply writes it\n";
    assert_eq!((shown.code, shown.stdout.as_str(), shown.stderr.as_str()), (0, expected.as_str(), note));
    assert_eq!(fs::read_to_string(&path).unwrap(), OPEN);
    let written = hatbox(&["trust", "require-mfa", "--file", file, "--apply"], b"");
    assert_eq!((written.code, written.stderr), (0, format!("hatbox: written to {file}\n")));
    assert!(fs::read_to_string(&path).unwrap().contains("aws:MultiFactorAuthPresent"));
    let again = hatbox(&["trust", "require-mfa", "--file", file], b"");
    assert!(again.code == 0 && again.stdout.contains("already requires MFA"), "{}", again.stdout);
    assert_eq!(hatbox(&["trust", "lint", file], b"").code, 0);
}

#[test]
fn guards_end_with_3_and_wrong_use_with_2() {
    let service = OPEN.replace(r#""AWS": "111122223333""#, r#""Service": "ec2.amazonaws.com""#);
    let refused = hatbox(&["trust", "require-mfa", "--file", "-"], service.as_bytes());
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
    assert!(
        refused.stderr.contains("none of the principals that this role trusts can have MFA"),
        "{}",
        refused.stderr
    );
    let long = hatbox(&["trust", "require-mfa", "--file", "-", "--max-age", "soon"], OPEN.as_bytes());
    assert_eq!(long.code, 2);
    let stdin = hatbox(&["trust", "require-mfa", "--file", "-", "--apply"], OPEN.as_bytes());
    assert_eq!(stdin.code, 2);
    let broken = hatbox(&["trust", "require-mfa", "--file", "-"], b"{");
    assert_eq!(broken.code, 1);
}
