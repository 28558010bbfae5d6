//! `.hatbox.toml`: used once it is allowed, and until it changes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::fixture::Fixture;
use crate::run::Run;
use crate::strace::is_strace_there;
use crate::terminal::Terminal;

const CONFIG: &str = "\
[profile jan-work]

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
";

/// A project in a repository, with a subdirectory.
fn project(text: &str) -> Fixture {
    let fixture = Fixture::with_config(CONFIG);
    fs::create_dir_all(fixture.home().join("work/.git")).unwrap();
    fs::create_dir_all(fixture.home().join("work/below")).unwrap();
    fs::write(fixture.home().join("work/.hatbox.toml"), text).unwrap();
    fixture
}

/// Runs a shell line in the subdirectory.
fn below(fixture: &Fixture, line: &str) -> Run {
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    let line = format!("cd ~/work/below && {}", line.replace("hatbox ", &format!("{hatbox} ")));
    Run::new("sh", fixture.variables()).args(["-c", &line])
}

const USE: &str = "exec hatbox exec -- sh -c 'echo \"it is $HATBOX\"'";

/// Starts a command without a profile, and checks that hatbox asks for one.
fn assert_not_obeyed(fixture: &Fixture, why: &str) {
    let mut terminal = Terminal::start_wide(&below(fixture, USE), 200);
    terminal.wait_for("Profile (2 of 2):", 1);
    assert!(terminal.transcript().contains(why), "{}", terminal.transcript());
    terminal.type_keys("\u{3}");
    assert_eq!(terminal.wait().code(), Some(130));
}

#[test]
fn a_file_is_obeyed_once_it_is_allowed_and_until_it_changes() {
    let fixture = project("profile = \"reader\"\n");
    assert_not_obeyed(&fixture, "`~/work/.hatbox.toml` is not allowed yet");
    let mut terminal = Terminal::start_wide(&below(&fixture, "exec hatbox allow"), 200);
    terminal.wait_for("(y|N)", 1);
    let shown = terminal.transcript();
    for part in
        ["profile = \"reader\"", "assumes arn:aws:iam::444455556666:role/reader", "in ~/work and below?"]
    {
        assert!(shown.contains(part), "{shown}");
    }
    terminal.type_keys("y\r");
    assert_eq!(terminal.wait().code(), Some(0));
    let list = fixture.home().join(".local/state/hatbox/allowed-projects.json");
    assert_eq!(fs::metadata(&list).unwrap().permissions().mode() & 0o777, 0o600);

    let mut terminal = Terminal::start_wide(&below(&fixture, USE), 200);
    assert_eq!(terminal.wait().code(), Some(0));
    assert_eq!(terminal.screen().last().unwrap(), "it is reader");
    assert!(terminal.transcript().contains("using profile `reader` of ~/work/.hatbox.toml"));
    // Any other way to name a profile takes precedence.
    let named = below(&fixture, "hatbox exec jan-work -- sh -c 'echo $HATBOX'").run().ok();
    assert_eq!(named.stdout, "jan-work\n");
    let error = below(&fixture, "hatbox exec -- true").run().expect_code(125).stderr;
    assert!(error.starts_with("hatbox: error: no profile given"), "without a terminal: {error}");

    // A coding agent may have a terminal.
    let mut agent = Terminal::start_wide(&below(&fixture, USE).env("CLAUDECODE", "1"), 200);
    assert_eq!(agent.wait().code(), Some(125));
    assert!(agent.transcript().contains("no profile given"), "{}", agent.transcript());

    fixture.write_config(&CONFIG.replace("role/reader", "role/deploy"));
    assert_not_obeyed(&fixture, "names a profile whose role changed since you allowed it");
    fixture.write_config(CONFIG);
    fs::write(fixture.home().join("work/.hatbox.toml"), "profile = \"jan-work\"\n").unwrap();
    assert_not_obeyed(&fixture, "changed since you allowed it");
    below(&fixture, "hatbox allow --yes ~/work && hatbox allow --revoke ~/work").run().ok();
    assert_not_obeyed(&fixture, "is not allowed yet");
}

#[test]
fn a_role_that_comes_from_the_source_profile_is_allowed_as_it_was() {
    const MINE: &str = "[profile mine]\nsource_profile = reader\n";
    let fixture = project("profile = \"mine\"\n");
    let config = CONFIG.replace("[profile jan-work]\n\n", MINE);
    fixture.write_config(&config);
    let allowed = below(&fixture, "hatbox allow --yes").run().ok();
    let said = "profile `mine` assumes arn:aws:iam::444455556666:role/reader";
    assert!(allowed.stderr.contains(said), "{}", allowed.stderr);
    let mut terminal = Terminal::start_wide(&below(&fixture, USE), 200);
    assert_eq!(terminal.wait().code(), Some(0));
    assert_eq!(terminal.screen().last().unwrap(), "it is mine");
    fixture.write_config(&config.replace("role/reader", "role/deploy"));
    assert_not_obeyed(&fixture, "names a profile whose role changed since you allowed it");
    // A profile that cannot be resolved cannot be allowed, and is no longer allowed.
    fixture.write_config(&format!("{MINE}[profile reader]\nsource_profile = mine\n"));
    assert_not_obeyed(&fixture, "names a profile whose role is not known now");
    below(&fixture, "hatbox allow --yes").run().expect_code(2);
}

#[test]
fn a_file_with_a_mistake_is_not_allowed_and_one_of_another_user_is_refused() {
    let fixture = project("# the profile\nprofle = \"reader\"\n");
    let error = below(&fixture, "hatbox allow --yes").run().expect_code(2).stderr;
    assert!(error.contains("unknown field `profle`, expected `profile`"), "{error}");
    assert!(error.contains("--> ~/work/.hatbox.toml:2"), "{error}");
    let file = fixture.home().join("work/.hatbox.toml");
    for (text, said) in [
        ("profile = \"reader\"\nrole_arn = \"x\"\n", "unknown field `role_arn`"),
        ("profile = \"no-such\"\n", "no-such"),
        ("profile = \"a\\u001b]0;x\"\n", "invalid profile name"),
        (&"#".repeat(5000), "larger than 4096 bytes"),
    ] {
        fs::write(&file, text).unwrap();
        let outcome = below(&fixture, "hatbox allow --yes").run();
        assert!(outcome.stderr.contains(said) && !outcome.stderr.contains('\u{1b}'), "{}", outcome.stderr);
        assert_ne!(outcome.status.code(), Some(0));
    }
    fs::write(&file, "profile = \"reader\"\n").unwrap();
    let error = below(&fixture, "hatbox allow").run().expect_code(4).stderr;
    assert!(error.contains("add --yes"), "{error}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    below(&fixture, "hatbox allow --yes").run().expect_code(3);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    if std::os::unix::fs::chown(&file, Some(12345), None).is_err() {
        eprintln!("skipped: it takes root to give a file to another user");
        return;
    }
    let error = below(&fixture, "hatbox allow --yes").run().expect_code(3).stderr;
    assert!(error.contains("belongs to another user"), "{error}");
    assert_not_obeyed(&fixture, "belongs to another user");
}

#[test]
fn exec_of_a_profile_looks_for_no_project() {
    if !is_strace_there() {
        return;
    }
    let fixture = project("profile = \"reader\"\n");
    let trace = fixture.path("trace");
    let line = format!("strace -f -e trace=%file -o {} hatbox exec jan-work -- true", trace.display());
    below(&fixture, &line).run().ok();
    let text = fs::read_to_string(trace).unwrap();
    for name in [".hatbox.toml", "allowed-projects", "chosen-profiles", ".git"] {
        assert!(!text.contains(name), "{text}");
    }
}
