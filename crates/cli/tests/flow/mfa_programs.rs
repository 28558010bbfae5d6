//! MFA codes from a YubiKey and from password managers, with stubs of their programs.

use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use crate::cast::PHONE;
use crate::fixture::Fixture;
use crate::prompts::{CONFIG, assert_code};
use crate::run::Run;
use crate::terminal::Terminal;

/// Each prompt, and the stub of its program.
const PROGRAMS: [(&str, &str); 5] =
    [("ykman", "ykman"), ("op", "op"), ("pass", "pass-otp"), ("rbw", "rbw"), ("bw", "bw")];

/// Puts the stub on PATH, with a code under this name.
fn install(fixture: &Fixture, prompt: &str, stand_in: &str, item: &str, code: &str) {
    let stand_ins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stand_ins");
    let program = fixture.path("bin").join(prompt);
    if !program.exists() {
        symlink(stand_ins.join(stand_in), program).unwrap();
    }
    // Its state file is named after the program.
    let state = fixture.path("home").join(format!("{prompt}.json"));
    std::fs::write(state, json!({ format!("otp:{item}"): code }).to_string()).unwrap();
}

fn exec(fixture: &Fixture, prompt: &str) -> Run {
    fixture
        .hatbox(&["exec", "--fresh", "--prompt", prompt, "guarded", "--", "/bin/echo", "in"])
        .env("BW_SESSION", "session")
}

fn has_python() -> bool {
    let found = std::process::Command::new("python3").arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: there is no python3");
    }
    found
}

#[test]
fn each_program_gives_the_code_of_the_item_that_is_named_like_the_device() {
    if !has_python() {
        return;
    }
    let fixture = Fixture::with_config(CONFIG);
    for (prompt, stand_in) in PROGRAMS {
        install(&fixture, prompt, stand_in, PHONE, &fixture.code(PHONE));
        let outcome = exec(&fixture, prompt).run().ok();
        assert_eq!(outcome.stdout, "in\n", "{prompt}");
        assert_eq!(outcome.stderr.contains("Touch your YubiKey"), prompt == "ykman", "{}", outcome.stderr);
    }
}

#[test]
fn an_item_of_another_name_follows_a_colon_in_flag_variable_and_setting() {
    if !has_python() {
        return;
    }
    let fixture = Fixture::with_config(CONFIG);
    let plain = |fixture: &Fixture| {
        let run = fixture.hatbox(&["exec", "--fresh", "guarded", "--", "true"]);
        run.env("BW_SESSION", "session")
    };
    for (prompt, stand_in) in PROGRAMS {
        let item = "AWS: jan's \"device\"";
        let named = format!("{prompt}:{item}");
        install(&fixture, prompt, stand_in, item, &fixture.code(PHONE));
        exec(&fixture, &named).run().ok();
        install(&fixture, prompt, stand_in, item, &fixture.code(PHONE));
        plain(&fixture).env("HATBOX_PROMPT", &named).run().ok();
        install(&fixture, prompt, stand_in, item, &fixture.code(PHONE));
        fixture.write_settings(&format!("backend = \"file\"\nprompt = {}\n", Value::from(named)));
        plain(&fixture).run().ok();
    }
}

#[test]
fn what_is_wrong_with_a_program_is_said_and_no_one_is_asked_instead() {
    if !has_python() {
        return;
    }
    let fixture = Fixture::with_config(CONFIG);
    for (prompt, stand_in) in PROGRAMS {
        install(&fixture, prompt, stand_in, PHONE, "no code");
        let mut terminal = Terminal::start_wide(&exec(&fixture, prompt), 120);
        assert_code(terminal.wait(), 125, &terminal);
        let screen = terminal.screen().join("\n");
        assert!(screen.contains(&format!("`{prompt}` returned no MFA code")), "{screen}");
        assert!(!terminal.transcript().contains("MFA code for"), "{screen}");
    }
    std::fs::write(fixture.path("home/locked"), "").unwrap();
    for (prompt, _) in PROGRAMS {
        let locked = exec(&fixture, prompt).run().expect_code(125);
        assert!(locked.stderr.contains(&format!("`{prompt}` returned no MFA code")), "{}", locked.stderr);
        let absent = exec(&fixture, prompt).env("PATH", "/nonexistent").run().expect_code(125);
        assert!(absent.stderr.contains(&format!("`{prompt}` was not found in PATH")), "{}", absent.stderr);
    }
}

#[test]
fn a_name_that_would_be_an_option_or_has_no_meaning_is_refused() {
    let fixture = Fixture::with_config(CONFIG);
    for (prompt, why) in [
        ("op:", "invalid prompt `op:` (from --prompt)"),
        ("op:--reveal", "invalid prompt `op:--reveal` (from --prompt)"),
        ("pass:a\nb", "invalid prompt `pass:a\\nb` (from --prompt)"),
        ("terminal:x", "invalid prompt `terminal:x` (from --prompt)"),
        ("wincredui", "unknown prompt `wincredui` (from --prompt)"),
    ] {
        let refused = exec(&fixture, prompt).run().expect_code(125);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
    assert_eq!(fixture.log().len(), 0);
}

/// A pinentry that answers like the real one and records its input.
const PINENTRY: &str = r#"echo "OK Pleased to meet you"
while read -r line; do
    echo "$line" >>"$HOME/told"
    case $line in
        GETPIN) /bin/cat "$HOME/answer" ;;
        BYE) echo "OK closing connection"; exit ;;
        *) echo OK ;;
    esac
done"#;

#[test]
fn without_a_terminal_the_code_is_asked_for_in_a_window_where_there_is_a_desktop() {
    let fixture = Fixture::with_config(CONFIG);
    fixture.write_program("pinentry", PINENTRY);
    // Keep any other program that shows windows from being found.
    let path = fixture.path("bin");
    let export = |words: &[&str]| {
        let run = fixture.hatbox(&[&["export", "--fresh", "--format", "json"][..], words].concat());
        run.env("PATH", &path)
    };
    let answer = |text: &str| std::fs::write(fixture.path("home/answer"), text).unwrap();
    answer(&format!("D {}\nOK\n", fixture.code(PHONE)));
    // Without a desktop there is no window, and without a terminal no prompt.
    let none = export(&["guarded"]).run().expect_code(4);
    assert!(none.stderr.contains("no terminal to ask on"), "{}", none.stderr);
    assert!(none.stderr.contains("set `prompt = \"pinentry\"`"), "{}", none.stderr);
    let asked = export(&["guarded"]).env("DISPLAY", ":9").run().ok();
    assert!(asked.stdout.contains("SessionToken"), "{}", asked.stdout);
    let told = std::fs::read_to_string(fixture.path("home/told")).unwrap();
    let expected = format!("SETTITLE hatbox\nSETDESC MFA code for {PHONE}\nSETPROMPT Code:\nGETPIN\nBYE\n");
    assert_eq!(told, expected);
    // If the flag names it, no variable is needed; closing the window cancels.
    answer("ERR 83886179 Operation cancelled <Pinentry>\n");
    let closed = export(&["--prompt", "pinentry", "guarded"]).run().expect_code(130);
    assert!(closed.stderr.contains("the MFA prompt was cancelled"), "{}", closed.stderr);
    answer("ERR 83918950 Inappropriate ioctl for device <Pinentry>\n");
    let failed = export(&["--prompt", "pinentry", "guarded"]).run().expect_code(1);
    assert!(failed.stderr.contains("`pinentry` returned no MFA code"), "{}", failed.stderr);
    assert!(
        failed.stderr.contains("it says `Inappropriate ioctl for device <Pinentry>`"),
        "{}",
        failed.stderr
    );
    // An explicit choice is not replaced by a window.
    let chosen = export(&["--prompt", "terminal", "guarded"]).env("DISPLAY", ":9").run().expect_code(4);
    assert!(chosen.stderr.contains("no terminal to ask on"), "{}", chosen.stderr);
}
