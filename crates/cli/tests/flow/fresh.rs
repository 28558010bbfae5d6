//! `--fresh`: what is cached is too old, even if it was obtained in the same second.

use crate::fixture::Fixture;

const CONFIG: &str = "\
[profile plain]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
[profile other]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
[profile another-session]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
role_session_name = another
";

fn calls(fixture: &Fixture) -> usize {
    fixture.log().iter().filter(|entry| entry.action == "AssumeRole").count()
}

#[test]
fn fresh_ignores_a_session_of_the_same_second() {
    let fixture = Fixture::with_config(CONFIG);
    for (count, arguments) in [
        (1, &["exec", "--fresh", "plain"][..]),
        // Two of the profiles share a session.
        (2, &["each", "--fresh", "plain", "other", "another-session"]),
    ] {
        let run = fixture.hatbox(arguments).args(["--", "true"]);
        let before = calls(&fixture);
        run.run().ok();
        let first = calls(&fixture);
        // As if the command had begun before the session was obtained, by clocks that know only the second.
        run.env("HATBOX_TEST_CLOCK_OFFSET", "-2").run().ok();
        assert_eq!((first - before, calls(&fixture) - first), (count, count), "{arguments:?}");
    }
}
