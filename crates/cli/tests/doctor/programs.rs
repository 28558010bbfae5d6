//! Programs that the config names, and the program that `aws-vault` runs.

use std::os::unix::fs::symlink;

use crate::home::Home;

#[test]
fn programs_and_files_that_the_config_names_must_be_there() {
    let home = Home::with_config(
        "[profile a]\ncredential_process = corp-login --fast\n[profile b]\ncredential_process = /nonexistent/x\n\
         [profile c]\ncredential_process = $HOME/x | y\n[profile d]\ncredential_process = env A=1 sh -c x\n\
         [profile e]\nrole_arn = arn:aws:iam::444455556666:role/Ops\nweb_identity_token_file = /nonexistent/t\n",
    );
    assert_eq!(
        home.found(&[]),
        [
            "missing-program ~/.aws/config:2",
            "missing-program ~/.aws/config:4",
            "missing-file ~/.aws/config:11",
        ]
    );
    home.write_program("bin/corp-login");
    assert!(!home.found(&[]).contains(&"missing-program ~/.aws/config:2".to_owned()));
    home.write(".config/hatbox/config.toml", "passphrase_command = \"gone show\"\n");
    assert!(home.found(&[]).contains(&"missing-program ~/.config/hatbox/config.toml".to_owned()));
    home.write(".config/hatbox/config.toml", "passphrase_command = \"echo show\"\n");
    assert!(!home.found(&[]).contains(&"missing-program ~/.config/hatbox/config.toml".to_owned()));
}

#[test]
fn a_link_named_aws_vault_that_hides_another_is_reported_and_one_that_is_hidden() {
    let home = Home::new();
    let (first, second) = (home.path("first"), home.path("bin"));
    let path = format!("{}:{}:/usr/bin:/bin", first.display(), second.display());
    let found = || home.found(&[("PATH", &path)]);
    home.write_program("bin/aws-vault");
    assert!(found().is_empty(), "the real one alone");
    home.write("first/x", "");
    symlink(env!("CARGO_BIN_EXE_hatbox"), home.path("first/aws-vault")).unwrap();
    assert_eq!(found(), ["aws-vault-shadowed ~/first/aws-vault"]);
    std::fs::rename(home.path("first/aws-vault"), home.path("link")).unwrap();
    std::fs::rename(home.path("bin/aws-vault"), home.path("first/aws-vault")).unwrap();
    std::fs::rename(home.path("link"), home.path("bin/aws-vault")).unwrap();
    assert_eq!(found(), ["aws-vault-link-hidden ~/bin/aws-vault"]);
}

#[test]
fn another_program_under_our_name_is_reported() {
    let home = Home::new();
    home.write_program("bin/hatbox");
    assert_eq!(home.found(&[]), ["other-hatbox ~/bin/hatbox"]);
    std::fs::remove_file(home.path("bin/hatbox")).unwrap();
    symlink(env!("CARGO_BIN_EXE_hatbox"), home.path("bin/hatbox")).unwrap();
    assert!(home.found(&[]).is_empty());
}

#[test]
fn a_program_that_others_may_write_to_or_put_another_in_the_place_of_is_reported() {
    let home = Home::with_config("");
    home.write(".config/hatbox/config.toml", "passphrase_command = \"corp-login --fast\"\n");
    home.write_program("bin/corp-login");
    home.write_program("bin/ykman");
    let found = |home: &Home| home.found(&[("HATBOX_PROMPT", "ykman")]);
    assert!(found(&home).is_empty());
    for (path, mode) in [("bin/corp-login", 0o777), ("bin/corp-login", 0o775), ("bin/ykman", 0o757)] {
        home.set_mode(path, mode);
        assert_eq!(found(&home), [format!("loose-program ~/{path}")], "{path} {mode:o}");
        let report = home.report(&[], &[("HATBOX_PROMPT", "ykman")]);
        let fix = report["findings"][0]["fix"].as_str().unwrap();
        assert!(fix.starts_with("chmod go-w"), "{fix}");
        home.set_mode(path, 0o755);
    }
    home.set_mode("bin", 0o777);
    assert_eq!(found(&home), ["loose-program ~/bin", "loose-program ~/bin"], "each program in it");
    home.set_mode("bin", 0o755);
    if std::os::unix::fs::chown(home.path("bin/ykman"), Some(61_237), None).is_ok() {
        assert_eq!(found(&home), ["loose-program ~/bin/ykman"]);
    } else {
        eprintln!("skipped: only root can give a file to another user");
    }
}
