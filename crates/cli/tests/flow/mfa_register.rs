//! A new MFA device: created in IAM, enabled with two codes, written to the config; or removed completely.

use hatbox_sandbox::control::{Fault, FaultKind};
use hatbox_sandbox::world::{MfaDevice, World};
use rustix::process::Signal;

use crate::cast::{PEOPLE, PHONE};
use crate::fixture::{CODE_LIFE, Fixture};
use crate::mfa_devices::may_use_iam;
use crate::prompts::assert_code;
use crate::run::Run;
use crate::terminal::Terminal;

const TABLET: &str = "arn:aws:iam::111122223333:mfa/tablet";
const CONFIG: &str = "# mine\n[profile jan-work]\nregion = eu-west-1\n";
const FIRST: &str = "First code:";
const NEXT: &str = "Second code (wait for the next one):";

fn fixture() -> Fixture {
    fixture_in(|_| ())
}

fn fixture_in(change: impl FnOnce(&mut World)) -> Fixture {
    let fixture = Fixture::empty_in(&["jan-work"], |world| {
        may_use_iam(world);
        change(world);
    });
    fixture.add_run("jan-work", &["--no-add-config"]).run().ok();
    fixture.write_config(CONFIG);
    fixture
}

fn register(fixture: &Fixture, flags: &[&str]) -> Run {
    fixture.hatbox(&["mfa", "register", "--name", "tablet"]).args(flags).args(["jan-work"])
}

fn tablet(fixture: &Fixture) -> Option<MfaDevice> {
    fixture.world().accounts.get(PEOPLE).unwrap().mfa_devices.get(TABLET).cloned()
}

fn config(fixture: &Fixture) -> String {
    std::fs::read_to_string(fixture.config_path()).unwrap()
}

#[test]
fn a_device_is_registered_by_its_qr_code_and_two_codes() {
    let fixture = fixture();
    let mut terminal = Terminal::start(&register(&fixture, &[]));
    terminal.wait_for_prompt(FIRST);
    let seed = tablet(&fixture).unwrap().seed.expose().to_owned();
    assert!(!terminal.transcript().contains(&seed), "the secret key is shown only when asked for");
    let screen = terminal.screen();
    assert!(screen.len() <= 26 && screen.iter().all(|line| line.chars().count() < 80), "{screen:?}");
    assert!(screen.concat().contains('▀'), "{screen:?}");
    assert!(terminal.transcript().contains("\u{1b}[38;5;16;48;5;231m"), "black on white");
    terminal.type_keys("12345\r");
    terminal.wait_for("An MFA code has six digits.", 1);
    terminal.wait_for_prompt(FIRST);
    let first = fixture.client().code(TABLET).unwrap().code;
    terminal.type_keys(&format!("{first}\r"));
    terminal.wait_for_prompt(NEXT);
    assert!(!terminal.screen().concat().contains('▀'), "the QR code is taken away: {:?}", terminal.screen());
    terminal.type_keys(&format!("{first}\r"));
    terminal.wait_for("This is the first code again: wait for the next one.", 1);
    terminal.wait_for_prompt(NEXT);
    fixture.advance(CODE_LIFE);
    let next = fixture.client().code(TABLET).unwrap().code;
    terminal.type_keys(&format!("{next}\r"));
    assert_code(terminal.wait(), 0, &terminal);
    let screen = terminal.screen().join("\n");
    assert!(screen.contains(&format!("registered {TABLET} for jan")), "{screen}");
    assert!(!screen.contains(FIRST) && !screen.contains(NEXT), "{screen}");
    assert!(terminal.has_modes_of_before());
    assert_eq!(tablet(&fixture).unwrap().user.as_deref(), Some("jan"));
    assert_eq!(config(&fixture), format!("{CONFIG}mfa_serial = {TABLET}\n"), "no other byte is touched");
}

#[test]
fn the_secret_is_shown_as_text_when_asked_for_and_without_colours_the_code_is_plain() {
    let fixture = fixture();
    let run = register(&fixture, &["--show-secret"]).env("NO_COLOR", "1");
    let mut terminal = Terminal::start(&run);
    terminal.wait_for_prompt(FIRST);
    let seed = tablet(&fixture).unwrap().seed.expose().to_owned();
    assert!(terminal.screen().iter().any(|line| *line == format!("Secret key: {seed}")));
    assert!(terminal.screen().concat().contains('█'));
    assert!(!terminal.transcript().contains("[38;5"));
    terminal.type_keys("\x03");
    assert_code(terminal.wait(), 130, &terminal);
    assert!(!terminal.screen().join("\n").contains(&seed), "it is taken away again");
    let mut narrow = Terminal::start_wide(&register(&fixture, &[]), 30);
    assert_code(narrow.wait(), 1, &narrow);
    assert!(narrow.screen().join(" ").contains("too narrow"), "{:?}", narrow.screen());
    assert!(tablet(&fixture).is_none());
}

#[test]
fn the_qr_code_is_never_in_the_scrollback() {
    let fixture = fixture();
    // A QR code that is taller than the screen could not be scanned, as its top would scroll away.
    let mut low = Terminal::start_low(&register(&fixture, &[]), 20);
    assert_code(low.wait(), 1, &low);
    assert!(low.screen().join(" ").contains("too low for the QR code"), "{:?}", low.screen());
    assert!(!low.transcript().contains('▀'));
    assert!(tablet(&fixture).is_none());
    // Wrong input moves the QR code up.
    let mut terminal = Terminal::start_low(&register(&fixture, &[]), 26);
    terminal.wait_for_prompt(FIRST);
    for attempt in 1..=5 {
        terminal.type_keys("12345\r");
        terminal.wait_for("An MFA code has six digits.", attempt);
        terminal.wait_for_prompt(FIRST);
    }
    let shown = terminal.transcript();
    let (before, after) = (shown.find("\u{1b}[?1049h").unwrap(), shown.find('▀').unwrap());
    assert!(before < after, "it is drawn on the alternate screen, which has no scrollback");
    terminal.type_keys("\x03");
    assert_code(terminal.wait(), 130, &terminal);
    let shown = terminal.transcript();
    assert!(shown.rfind('▀') < shown.find("\u{1b}[?1049l"), "{shown:?}");
    assert!(!terminal.screen().concat().contains(['▀', '▄', '█']), "{:?}", terminal.screen());
}

#[test]
fn with_a_stored_seed_no_person_is_needed() {
    let fixture = fixture();
    let alone = register(&fixture, &[]).run().expect_code(4);
    assert!(alone.stderr.contains("--store-seed"), "{}", alone.stderr);
    // Also without a lock directory.
    std::fs::remove_dir_all(fixture.path("home/.cache/hatbox/locks")).ok();
    let done = register(&fixture, &["--store-seed"]).run().ok();
    assert_eq!(done.stdout, "");
    assert!(done.stderr.contains(&format!("hatbox: registered {TABLET} for jan\n")), "{}", done.stderr);
    assert!(done.stderr.contains("warning: with a stored seed"), "{}", done.stderr);
    assert_eq!(config(&fixture), format!("{CONFIG}mfa_serial = {TABLET}\n"));
    // The codes of this and the previous time step are used, so hatbox waits for the next one.
    fixture.advance(2 * CODE_LIFE);
    fixture.hatbox(&["exec", "jan-work", "--", "true"]).run().ok();
    let seed = tablet(&fixture).unwrap().seed.expose().to_owned();
    assert!(!done.stderr.contains(&seed) && !done.stdout.contains(&seed));
    // Registering another device does not overwrite the seed.
    let other = fixture.hatbox(&["mfa", "register", "--name", "other", "--store-seed", "jan-work"]);
    let other = other.run().expect_code(3);
    assert!(other.stderr.contains(&format!("the TOTP seed of {TABLET} is stored")), "{}", other.stderr);
}

#[test]
fn a_profile_that_names_another_device_keeps_it() {
    let fixture = fixture();
    let before = format!("{CONFIG}mfa_serial = {PHONE}\n");
    fixture.write_config(&before);
    let done = register(&fixture, &["--store-seed"]).run().ok();
    assert!(
        done.stderr.contains(&format!("[profile jan-work] keeps `mfa_serial = {PHONE}`")),
        "{}",
        done.stderr
    );
    assert_eq!(config(&fixture), before);
}

#[test]
fn a_stop_at_either_question_leaves_no_device_and_no_line() {
    let fixture = fixture();
    for question in [FIRST, NEXT] {
        for how in ["Ctrl-C", "SIGTERM"] {
            let mut terminal = Terminal::start_wide(&register(&fixture, &[]), 160);
            terminal.wait_for_prompt(FIRST);
            if question == NEXT {
                terminal.type_keys("123456\r");
                terminal.wait_for_prompt(NEXT);
            }
            assert!(tablet(&fixture).is_some());
            if how == "Ctrl-C" {
                terminal.type_keys("\x03");
            } else {
                terminal.signal(Signal::TERM);
            }
            assert!(!terminal.wait().success());
            let screen = terminal.screen().join(" ");
            assert!(screen.contains("from IAM"), "{question} {how}: {screen}");
            assert!(terminal.has_modes_of_before());
            assert!(tablet(&fixture).is_none(), "{question} {how}");
            assert_eq!(config(&fixture), CONFIG);
        }
    }
}

#[test]
fn what_a_kill_left_is_found_and_replaced_after_a_yes() {
    let fixture = fixture();
    let mut terminal = Terminal::start(&register(&fixture, &[]));
    terminal.wait_for_prompt(FIRST);
    terminal.signal(Signal::KILL);
    terminal.wait();
    let left = tablet(&fixture).unwrap();
    let refused = register(&fixture, &["--store-seed"]).run().expect_code(4);
    assert!(refused.stderr.contains("created before and never enabled"), "{}", refused.stderr);
    assert!(refused.stderr.contains("or add --replace"), "{}", refused.stderr);
    let mut terminal = Terminal::start_wide(&register(&fixture, &["--store-seed"]), 160);
    terminal.wait_for_prompt(&format!(
        "{TABLET} was created before and never enabled. Delete it and start again? (y|N)"
    ));
    terminal.type_keys("n\r");
    assert_code(terminal.wait(), 1, &terminal);
    assert_eq!(tablet(&fixture).unwrap().seed.expose(), left.seed.expose());
    register(&fixture, &["--store-seed", "--replace"]).run().ok();
    let new = tablet(&fixture).unwrap();
    assert_ne!(new.seed.expose(), left.seed.expose());
    assert_eq!(new.user.as_deref(), Some("jan"));
    // An enabled device is never replaced.
    let again = register(&fixture, &["--store-seed", "--replace"]).run().expect_code(1);
    assert!(
        again.stderr.contains(&format!("{TABLET} is registered already, and enabled")),
        "{}",
        again.stderr
    );
    assert!(again.stderr.contains("--name NAME"), "{}", again.stderr);
}

#[test]
fn wrong_codes_a_taken_name_and_the_quota_leave_nothing_behind() {
    let eight = |world: &mut World| {
        let devices = &mut world.accounts.get_mut(PEOPLE).unwrap().mfa_devices;
        let like = devices.get(PHONE).unwrap().clone();
        for number in 0..8 {
            devices.insert(format!("arn:aws:iam::{PEOPLE}:mfa/more-{number}"), like.clone());
        }
    };
    let full = fixture_in(eight);
    let refused = register(&full, &["--store-seed"]).run().expect_code(1);
    assert!(refused.stderr.contains("Cannot exceed quota"), "{}", refused.stderr);
    assert!(refused.stderr.contains(&format!("deleted {TABLET} from IAM")), "{}", refused.stderr);
    assert!(tablet(&full).is_none());
    full.hatbox(&["mfa", "code", "jan-work"]).run().expect_code(1);

    let fixture = fixture();
    let kims = fixture.hatbox(&["mfa", "register", "--name", "kim", "--store-seed", "jan-work"]);
    let kims = kims.run().expect_code(1);
    assert!(kims.stderr.contains("the name `kim` is taken by a device of another user"), "{}", kims.stderr);
    let slash = fixture.hatbox(&["mfa", "register", "--name", "a/b", "--store-seed", "jan-work"]);
    assert!(slash.run().expect_code(2).stderr.contains("invalid device name `a/b`"));
    let mut terminal = Terminal::start(&register(&fixture, &[]));
    for attempt in 1..=3 {
        terminal.wait_for(FIRST, attempt);
        terminal.wait_for_prompt(FIRST);
        terminal.type_keys(&format!("00000{attempt}\r"));
        terminal.wait_for(NEXT, attempt);
        terminal.wait_for_prompt(NEXT);
        terminal.type_keys(&format!("10000{attempt}\r"));
    }
    assert_code(terminal.wait(), 1, &terminal);
    assert_eq!(terminal.transcript().matches("AWS rejected the codes: ").count(), 2);
    let screen = terminal.screen().join(" ");
    assert!(!screen.contains("AWS rejected"), "the reason is erased with the question: {screen}");
    assert!(screen.contains(&format!("deleted {TABLET} from IAM")), "{screen}");
    assert!(tablet(&fixture).is_none());
    assert_eq!(config(&fixture), CONFIG);
}

#[test]
fn a_lost_answer_is_looked_up_and_what_cannot_be_undone_is_named() {
    let fixture = fixture();
    // IAM enabled the device, but the answer was lost: hatbox finds out.
    let lost = |action: &str| Fault { action: Some(action.to_owned()), ..Fault::once(FaultKind::DropAnswer) };
    fixture.client().add_fault(&lost("EnableMFADevice")).unwrap();
    register(&fixture, &["--store-seed"]).run().ok();
    assert_eq!(tablet(&fixture).unwrap().user.as_deref(), Some("jan"));
    assert!(config(&fixture).contains(TABLET));

    let fixture = self::fixture();
    let fault = |kind: FaultKind, action: &str| {
        let fault = Fault { action: Some(action.to_owned()), times: None, kind };
        fixture.client().add_fault(&fault).unwrap();
    };
    fault(FaultKind::AccessDenied("no".to_owned()), "EnableMFADevice");
    fault(FaultKind::AccessDenied("no".to_owned()), "DeleteVirtualMFADevice");
    let failed = register(&fixture, &["--store-seed"]).run().expect_code(1);
    assert!(failed.stderr.contains("is in IAM and could not be deleted"), "{}", failed.stderr);
    // The device may be enabled, so its seed is kept.
    assert!(failed.stderr.contains("its TOTP seed stays in the store"), "{}", failed.stderr);
    fixture.hatbox(&["mfa", "code", "jan-work"]).run().ok();
    let again =
        "if it is not listed there: hatbox mfa register --replace --store-seed --name tablet jan-work";
    assert!(failed.stderr.contains(again), "{}", failed.stderr);
    assert!(failed.stderr.contains("needs the permission `iam:EnableMFADevice`"), "{}", failed.stderr);
    fixture.client().clear_faults().unwrap();
    register(&fixture, &["--replace", "--store-seed"]).run().ok();

    // IAM created the device, but the answer was lost, so its seed is not known.
    let fixture = self::fixture();
    fixture.client().add_fault(&lost("CreateVirtualMFADevice")).unwrap();
    let failed = register(&fixture, &["--store-seed"]).run().expect_code(1);
    assert!(
        failed
            .stderr
            .contains("the device may exist without being enabled; if so: hatbox mfa register --replace"),
        "{}",
        failed.stderr
    );
    register(&fixture, &["--replace", "--store-seed"]).run().ok();
}

#[test]
fn what_a_kill_after_the_device_was_enabled_left_is_only_the_line_in_the_config() {
    // IAM enables the device, but hatbox is killed before it receives the answer.
    let kill_at_enabling = |fixture: &Fixture, run: &Run| {
        let fault = Fault {
            kind: FaultKind::DelayMillis(30_000),
            times: Some(1),
            action: Some("EnableMFADevice".to_owned()),
        };
        fixture.client().add_fault(&fault).unwrap();
        let mut terminal = Terminal::start(run);
        let is_enabled = || tablet(fixture).is_some_and(|device| device.user.is_some());
        let start = std::time::Instant::now();
        let mut typed = 0;
        while !is_enabled() {
            assert!(start.elapsed() < std::time::Duration::from_secs(30), "{:?}", terminal.screen());
            let last = terminal.screen().last().cloned().unwrap_or_default();
            if [FIRST, NEXT].get(typed).is_some_and(|question| last.starts_with(question)) {
                let code = fixture.client().code(TABLET).unwrap().code;
                terminal.type_keys(&format!("{code}\r"));
                typed += 1;
                fixture.advance(CODE_LIFE);
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        terminal.signal(Signal::KILL);
        terminal.wait();
        assert_eq!(config(fixture), CONFIG);
    };
    // With the seed in the store, hatbox knows that the device is its own, and does not ask.
    let fixture = fixture();
    let run = register(&fixture, &["--store-seed"]);
    kill_at_enabling(&fixture, &run);
    let again = run.run().ok();
    let said =
        format!("hatbox: {TABLET} is registered already, and enabled, but the config does not name it");
    assert!(again.stderr.contains(&said), "{}", again.stderr);
    assert!(again.stderr.contains(&format!("hatbox: registered {TABLET} for jan\n")), "{}", again.stderr);
    assert_eq!(config(&fixture), format!("{CONFIG}mfa_serial = {TABLET}\n"));
    fixture.advance(2 * CODE_LIFE);
    fixture.hatbox(&["exec", "jan-work", "--", "true"]).run().ok();
    // Without the seed, the user decides whether to keep the device.
    let fixture = self::fixture();
    let run = register(&fixture, &[]);
    kill_at_enabling(&fixture, &run);
    let alone = register(&fixture, &["--store-seed"]).run().expect_code(1);
    let hint = format!("hint: to use it, write `mfa_serial = {TABLET}` below [profile jan-work]");
    assert!(alone.stderr.contains(&hint), "{}", alone.stderr);
    assert_eq!(config(&fixture), CONFIG);
    for (answer, code, written) in [("n", 1, String::new()), ("y", 0, format!("mfa_serial = {TABLET}\n"))] {
        let mut terminal = Terminal::start_wide(&run, 160);
        let question =
            format!("{TABLET} is registered already, and enabled. Write it to [profile jan-work]? (y|N)");
        terminal.wait_for_prompt(&question);
        terminal.type_keys(&format!("{answer}\r"));
        assert_code(terminal.wait(), code, &terminal);
        assert_eq!(config(&fixture), format!("{CONFIG}{written}"));
    }
    let calls = fixture.log().into_iter().filter(|call| call.action == "CreateVirtualMFADevice");
    assert_eq!(calls.count(), 1, "one device");
}
