//! The user's config file: invalid lines in it, and what an edit preserves.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use std::path::Path;

use crate::cast::PHONE;
use crate::fixture::Fixture;

const GOOD: &str = "\
[profile jan-work]

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
";

#[test]
fn a_bad_line_is_a_warning_and_an_error_only_in_its_profile() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    for (bad, place) in [("no equals sign here", 8), ("[profile unclosed", 8)] {
        fixture.write_config(&format!("{GOOD}\n[profile other]\n{bad}\nregion = eu-west-1\n"));
        let list = fixture.hatbox(&["list"]).run().ok();
        let warning = format!("hatbox: warning: ~/.aws/config:{place}: ");
        assert!(list.stderr.starts_with(&warning), "{bad}: {}", list.stderr);
        assert!(list.stdout.contains("reader "), "{bad}");
        fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    }
    fixture.write_config(&format!("{GOOD}no equals sign here\n"));
    let exec = fixture.hatbox(&["exec", "reader", "--", "true"]).run().expect_code(125);
    assert!(exec.stderr.contains("\n  --> ~/.aws/config:6\n"), "{}", exec.stderr);
    let export = fixture.hatbox(&["export", "reader"]).run().expect_code(2);
    assert_eq!(export.stderr, exec.stderr);
    fixture.hatbox(&["exec", "jan-work", "--", "true"]).run().ok();
}

#[test]
fn unusual_headers_are_read_as_the_aws_cli_reads_them() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    let headers = ["[profile  a]", "[profile\ta]", "[profile \"a\"]", "[ profile a ]", "[profile 'a']"];
    for header in headers {
        fixture
            .write_config(&format!("{header}\r\nregion = from-the-section\r\nsource_profile = jan-work\r\n"));
        let run = fixture.hatbox(&["exec", "-n", "a", "--", "printenv", "AWS_REGION"]).run().ok();
        assert_eq!(run.stdout, "from-the-section\n", "{header:?}");
    }
    fixture.write_config("\u{feff}[profile \"my prof\"]\nregion = r\nsource_profile = jan-work\n");
    let run = fixture.hatbox(&["exec", "-n", "my prof", "--", "printenv", "AWS_REGION"]).run().ok();
    assert_eq!(run.stdout, "r\n");
}

#[test]
fn an_edit_keeps_every_other_byte_the_mode_and_the_link() {
    let fixture = Fixture::empty(&["llamas"]);
    let before = "# top\r\n\r\n[default]\r\nregion = us-east-1 ; inl\r\ns3 =\n    max_concurrent_requests=10\n\t\n\
                  [profile  odd ]\n  weird   =  value  # kept\nno equals sign\n\u{e9}\u{fc} = 1";
    let real = fixture.path("home/dotfiles-config");
    std::fs::write(&real, before).unwrap();
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("../dotfiles-config", fixture.config_path()).unwrap();
    fixture.add_run("llamas", &["--mfa-serial", PHONE, "--region", "us-east-1"]).run().ok();
    let after = std::fs::read_to_string(&real).unwrap();
    let appended = after.strip_prefix(before).expect("the old bytes come first, all of them");
    assert_eq!(
        appended.replace('\r', ""),
        format!("\n\n[profile llamas]\nmfa_serial={PHONE}\nregion=us-east-1\n")
    );
    assert_eq!(std::fs::metadata(&real).unwrap().mode() & 0o7777, 0o640);
    assert_eq!(
        std::fs::read_link(fixture.config_path()).unwrap(),
        std::path::Path::new("../dotfiles-config"),
        "the link is still one"
    );
    // A second `add` with another device changes only that line.
    fixture.add_run("llamas", &["--force", "--mfa-serial", "GAHT12345678"]).run().ok();
    let changed = std::fs::read_to_string(&real).unwrap();
    assert_eq!(changed, after.replace(PHONE, "GAHT12345678"));
    let files: Vec<_> = std::fs::read_dir(fixture.path("home/.aws")).unwrap().collect();
    assert_eq!(files.len(), 1, "no temporary file is left");
}

#[test]
fn no_add_config_leaves_the_file_alone() {
    let fixture = Fixture::empty(&["a"]);
    fixture.add_run("a", &["--no-add-config"]).run().ok();
    assert!(!fixture.config_path().exists());
    fixture.write_config("[profile b]\n");
    fixture.add_run("a", &["--no-add-config", "--force"]).run().ok();
    assert_eq!(std::fs::read_to_string(fixture.config_path()).unwrap(), "[profile b]\n");
}

#[test]
fn a_config_that_others_can_write_warns_and_may_not_name_a_command() {
    let fixture = Fixture::with_config(GOOD);
    let chmod = |mode| {
        std::fs::set_permissions(fixture.config_path(), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    chmod(0o666);
    let outcome = fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    assert!(outcome.stderr.starts_with("hatbox: warning: others can write to `~/.aws/config`"));
    fixture.write_config(&format!(
        "{GOOD}mfa_serial = {PHONE}\nmfa_process = touch \"$HOME/ran\"; echo 123456\n"
    ));
    for mode in [0o666, 0o620] {
        chmod(mode);
        let refused = fixture.hatbox(&["exec", "--fresh", "reader", "--", "true"]).run().expect_code(125);
        assert!(
            refused.stderr.contains("names a command to run, and others may write to it"),
            "{mode:o}: {}",
            refused.stderr
        );
        assert!(!fixture.path("home/ran").exists());
    }
}

#[test]
fn settings_that_others_can_write_may_not_name_the_passphrase_command() {
    let fixture = Fixture::with_config(GOOD);
    fixture.hatbox(&["lock"]).run().ok();
    fixture.write_settings("passphrase_command = \"touch $HOME/ran\"\n");
    let path = fixture.path("home/.config/hatbox/config.toml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let run = fixture.hatbox(&["exec", "reader", "--", "true"]).without("HATBOX_FILE_PASSPHRASE").run();
    assert!(run.expect_code(125).stderr.contains("names a command to run"));
    assert!(!fixture.path("home/ran").exists());
    // Otherwise the `hatbox lock` that ends the test would reject the settings.
    std::fs::remove_file(path).unwrap();
}

/// A link to a device, or a far too large file: an error names it, and it is not read into memory.
#[test]
fn a_config_or_settings_file_without_an_end_is_refused() {
    let fixture = Fixture::with_config("[profile jan-work]\n");
    let (config, settings) = (fixture.config_path(), fixture.path("home/.config/hatbox/config.toml"));
    for path in [config, fixture.path("home/.aws/credentials"), settings] {
        let kept = std::fs::read(&path).ok();
        std::fs::remove_file(&path).ok();
        let huge = fixture.path("huge");
        std::fs::File::create(&huge).unwrap().set_len(20 << 30).unwrap();
        for target in [Path::new("/dev/zero"), &huge] {
            std::os::unix::fs::symlink(target, &path).unwrap();
            let line = "ulimit -v 1000000; exec \"$0\" \"$@\"";
            let run = crate::run::Run::new("/bin/sh", fixture.variables())
                .args(["-c", line, env!("CARGO_BIN_EXE_hatbox"), "list"])
                .run();
            assert_eq!(run.code(), Some(2), "{}: {}", path.display(), run.stderr);
            let is_device_in_settings = path.ends_with("config.toml") && target == Path::new("/dev/zero");
            let problem = if is_device_in_settings { "not a regular file" } else { "larger than 16 MB" };
            assert!(run.stderr.contains(problem), "{}", run.stderr);
            std::fs::remove_file(&path).unwrap();
        }
        if let Some(kept) = kept {
            std::fs::write(&path, kept).unwrap();
        }
    }
}
