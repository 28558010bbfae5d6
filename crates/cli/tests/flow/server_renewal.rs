//! The credential server renews credentials in time, and reports it if it cannot.

use hatbox_sandbox::control::{Fault, FaultKind};
use rustix::process::Signal;

use crate::cast::PHONE;
use crate::fixture::Fixture;
use crate::run::wait_until;
use crate::served::Served;

const CONFIG: &str = "\
[profile jan-work]

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader

[profile guarded]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/deploy
mfa_serial = arn:aws:iam::111122223333:mfa/jan
";

const MINUTE: i64 = 60;

fn count(fixture: &Fixture) -> usize {
    fixture.log().iter().filter(|entry| entry.action == "AssumeRole").count()
}

#[test]
fn credentials_are_renewed_once_before_they_end_and_from_memory_until_then() {
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start(&fixture, &["reader"]);
    let first = served.address.key_id();
    served.move_clock(&fixture, 44 * MINUTE);
    assert_eq!(served.address.key_id(), first);
    assert_eq!(count(&fixture), 1);
    // The first request within 15 minutes of the end triggers the renewal.
    served.move_clock(&fixture, 46 * MINUTE);
    let requests: Vec<_> = (0..20)
        .map(|_| {
            let address = served.address.clone();
            std::thread::spawn(move || address.key_id())
        })
        .collect();
    for request in requests {
        request.join().unwrap();
    }
    wait_until("renewed credentials", || served.address.key_id() != first);
    assert_eq!(count(&fixture), 2, "one renewal, however many ask");
    let said = served.end().stderr;
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn a_machine_that_slept_past_the_end_gets_new_credentials_at_the_first_request() {
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start(&fixture, &["reader"]);
    let first = served.address.key_id();
    served.move_clock(&fixture, 10 * 60 * MINUTE);
    wait_until("new credentials", || served.address.get().0 == 200);
    assert_ne!(served.address.key_id(), first);
    // The clock is set back: the credentials are from the future, but still valid.
    served.move_clock(&fixture, 0);
    assert_eq!(served.address.get().0, 200);
}

#[test]
fn a_clock_that_was_set_back_delays_no_renewal() {
    let fixture = Fixture::with_config(CONFIG);
    let fault =
        Fault { kind: FaultKind::ShortLifeSeconds(3), times: None, action: Some("AssumeRole".to_owned()) };
    fixture.client().add_fault(&fault).unwrap();
    let served = Served::start(&fixture, &["reader"]);
    let first = served.address.get().1;
    // By this clock, the credentials last two minutes longer than they do.
    std::fs::write(fixture.path("clock"), "-120").unwrap();
    wait_until("other credentials", || {
        let (status, body) = served.address.get();
        status == 200 && body["AccessKeyId"] != first["AccessKeyId"]
    });
    assert!(!served.end().stderr.contains("could not renew"));
}

#[test]
fn the_present_credentials_are_served_while_they_live_and_the_end_is_announced() {
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start(&fixture, &["reader"]);
    let first = served.address.key_id();
    let fault =
        Fault { kind: FaultKind::AccessDenied("denied by a test".to_owned()), times: None, action: None };
    fixture.client().add_fault(&fault).unwrap();
    for (minutes, said) in [
        (46, "could not renew"),
        (51, "expire in 9m"),
        (56, "expire in 4m"),
        (59, "s and could not be renewed"),
    ] {
        served.move_clock(&fixture, minutes * MINUTE + 30);
        assert_eq!(served.address.key_id(), first, "after {minutes} minutes");
        wait_until(said, || served.said().contains(said));
        assert_eq!(served.address.key_id(), first);
    }
    served.move_clock(&fixture, 61 * MINUTE);
    wait_until("the end", || served.address.get().0 == 403 && served.said().contains("have expired"));
    let (_, body) = served.address.get();
    assert_eq!(body["Code"], "CredentialsExpired");
    // Access is restored: a request triggers another attempt, once the pause after the last one is over.
    fixture.client().clear_faults().unwrap();
    let asked = std::cell::Cell::new(0);
    wait_until("credentials again", || {
        asked.set(asked.get() + 1);
        served.move_clock(&fixture, (70 + asked.get() / 20) * MINUTE);
        served.address.get().0 == 200
    });
    let said = served.end().stderr;
    let mut rest = said.as_str();
    for part in [
        "warning: could not renew the credentials of `reader`",
        "caused by:",
        "hatbox exec --fresh reader -- true",
        "the credentials of `reader` expire in 9m",
        "the credentials of `reader` expire in 4m",
        "the credentials of `reader` expire in ",
        "s and could not be renewed",
        "the credentials of `reader` have expired",
    ] {
        let at = rest.find(part).unwrap_or_else(|| panic!("no `{part}` in its place: {said}"));
        rest = &rest[at + part.len()..];
    }
    assert_eq!(said.matches("could not renew the credentials").count(), 1, "{said}");
    assert!(!said.contains("ASIA"), "no key id: {said}");
}

#[test]
fn a_code_for_a_renewal_is_given_in_another_terminal() {
    let fixture = Fixture::with_config(CONFIG);
    let code = fixture.code(PHONE);
    let served = Served::start(&fixture, &["-t", &code, "guarded"]);
    let first = served.address.key_id();
    // The MFA session ends in five minutes, so a renewal needs a new code.
    let late = 55 * MINUTE;
    served.move_clock(&fixture, late);
    assert_eq!(served.address.key_id(), first);
    let renew = |code: &str| {
        let late = (late + 30).to_string();
        fixture
            .hatbox(&["exec", "--fresh", "-t", code, "guarded", "--", "true"])
            .env("HATBOX_TEST_CLOCK_OFFSET", late)
            .run()
    };
    let next = fixture.client().code(PHONE).unwrap();
    renew(&next.code).ok();
    served.move_clock(&fixture, late + 30);
    wait_until("the session of the other terminal", || served.address.key_id() != first);
    let outcome = served.end();
    assert_eq!(outcome.signal(), Some(Signal::TERM.as_raw()));
}

#[test]
fn a_code_for_a_renewal_is_asked_for_in_a_window_where_there_is_a_desktop() {
    let fixture = Fixture::with_config(CONFIG);
    let shown = fixture.path("shown");
    fixture.write_program(
        "zenity",
        &format!("cat '{}' || {{ touch '{}'; exit 1; }}", shown.display(), fixture.path("closed").display()),
    );
    let code = fixture.code(PHONE);
    let served = Served::start_with(&fixture, &["-t", &code, "guarded"], |run| run.env("DISPLAY", ":1"));
    let first = served.address.key_id();
    // If the user closes the window, hatbox waits before it asks again, and keeps serving the credentials.
    let late = 46 * MINUTE;
    served.move_clock(&fixture, late);
    assert_eq!(served.address.key_id(), first);
    wait_until("the closed window", || fixture.path("closed").exists());
    fixture.client().set_clock_offset(late + 6 * MINUTE).unwrap();
    std::fs::write(&shown, fixture.client().code(PHONE).unwrap().code).unwrap();
    served.move_clock(&fixture, late + 6 * MINUTE);
    wait_until("the code of the window", || served.address.key_id() != first);
    let said = served.end().stderr;
    assert!(!said.contains("have expired"), "{said}");
}

/// Makes notifications write their arguments to a file, one per line.
fn write_notifier(fixture: &Fixture) -> std::path::PathBuf {
    let shown = fixture.path("notifications");
    let script = format!(
        "printf '%s\\n' \"$@\" \"${{HATBOX_FILE_PASSPHRASE-none}}\" >>'{}'; [ -e '{}' ] || {{ touch '{}'; exec sleep 600; }}",
        shown.display(),
        fixture.path("once").display(),
        fixture.path("once").display()
    );
    fixture.write_program("notify-send", &script);
    shown
}

#[test]
fn a_code_that_no_one_can_be_asked_for_is_asked_for_by_a_notification() {
    let fixture = Fixture::with_config(CONFIG);
    let shown = write_notifier(&fixture);
    let code = fixture.code(PHONE);
    let bus = "unix:path=/nowhere";
    let served = Served::start_with(&fixture, &["-t", &code, "guarded"], |run| {
        run.env("DBUS_SESSION_BUS_ADDRESS", bus)
    });
    let first = served.address.key_id();
    served.move_clock(&fixture, 46 * MINUTE);
    assert_eq!(served.address.key_id(), first);
    let read = || std::fs::read_to_string(&shown).unwrap_or_default();
    wait_until("the notification", || read().contains("\nnone\n"));
    assert_eq!(
        read(),
        format!(
            "--app-name=hatbox\n--urgency=critical\n--\nthe credentials of `guarded` need you\n\
             an MFA code of {PHONE} is needed, and there is no terminal to ask on\n\
             run this in another terminal, the server then uses the new session: \
             hatbox exec --fresh guarded -- true\nnone\n"
        )
    );
    // A notification program that keeps running delays no request, and is ended eventually.
    assert_eq!(served.address.key_id(), first);
    served.move_clock(&fixture, 50 * MINUTE + 30);
    served.address.key_id();
    let soon = "the credentials of `guarded` expire in 10m and could not be renewed";
    wait_until("the warning before the end", || read().contains(soon));
    let said = served.end().stderr;
    assert!(said.contains(soon), "{said}");
}

#[test]
fn a_renewal_that_fails_is_shown_by_a_notification_if_there_is_a_desktop_and_no_terminal() {
    let fixture = Fixture::with_config(CONFIG);
    let shown = write_notifier(&fixture);
    let read = || std::fs::read_to_string(&shown).unwrap_or_default();
    let fault =
        Fault { kind: FaultKind::AccessDenied("denied by a test".to_owned()), times: None, action: None };
    for (desktop, expected) in [(None, false), (Some(":1"), true)] {
        fixture.client().clear_faults().unwrap();
        fixture.client().set_clock_offset(0).unwrap();
        let served = Served::start_with(&fixture, &["--fresh", "reader"], |run| match desktop {
            Some(display) => run.env("DISPLAY", display),
            None => run,
        });
        fixture.client().add_fault(&fault).unwrap();
        served.move_clock(&fixture, 56 * MINUTE);
        served.address.key_id();
        wait_until("the failure", || served.said().contains("could not renew the credentials of `reader`"));
        if expected {
            wait_until("the notification", || {
                read().contains("could not renew the credentials of `reader`\n")
            });
        }
        served.end();
        std::fs::remove_file(fixture.path("clock")).unwrap();
        assert_eq!(read().contains("hatbox exec --fresh reader -- true"), expected, "{}", read());
        assert!(!read().contains("denied by a test"), "other users can read arguments: {}", read());
    }
}

#[test]
fn lazy_credentials_are_obtained_at_the_first_request() {
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start(&fixture, &["--lazy", "reader"]);
    assert_eq!(count(&fixture), 0);
    wait_until("credentials", || served.address.get().0 == 200);
    assert_eq!(count(&fixture), 1);
}
