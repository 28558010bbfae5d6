//! MFA codes from a YubiKey and from password managers, by stand-ins for their programs.

use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use crate::cast::PHONE;
use crate::fixture::Fixture;
use crate::prompts::{CONFIG, assert_code};
use crate::run::Run;
use crate::terminal::Terminal;

/// Each prompt, and the stand-in for its program.
const PROGRAMS: [(&str, &str); 5] =
    [("ykman", "ykman"), ("op", "op"), ("pass", "pass-otp"), ("rbw", "rbw"), ("bw", "bw")];

/// Puts the stand-in into PATH; it has a code under this name.
fn install(fixture: &Fixture, prompt: &str, stand_in: &str, item: &str, code: &str) {
    let stand_ins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stand_ins");
    let program = fixture.path("bin").join(prompt);
    if !program.exists() {
        symlink(stand_ins.join(stand_in), program).unwrap();
    }
    // Its state is named like the program that is run.
    let state = fixture.path("home").join(format!("{prompt}.json"));
    std::fs::write(state, json!({ format!("otp:{item}"): code }).to_string()).unwrap();
}

fn exec(fixture: &Fixture, prompt: &str) -> Run {
    fixture
        .hatbox(&["exec", "--fresh", "--prompt", prompt, "guarded", "--", "echo", "in"])
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
        assert!(screen.contains(&format!("`{prompt}` gave no MFA code")), "{screen}");
        assert!(!terminal.transcript().contains("MFA code for"), "{screen}");
    }
    std::fs::write(fixture.path("home/locked"), "").unwrap();
    for (prompt, _) in PROGRAMS {
        let locked = exec(&fixture, prompt).run().expect_code(125);
        assert!(locked.stderr.contains(&format!("`{prompt}` gave no MFA code")), "{}", locked.stderr);
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
