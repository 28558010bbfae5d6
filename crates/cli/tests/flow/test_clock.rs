//! The clock that tests move is in no released build.

use crate::fixture::Fixture;

#[test]
fn the_movable_clock_is_not_a_default_and_nothing_that_is_released_turns_it_on() {
    let manifest = include_str!("../../Cargo.toml");
    let features = manifest.split("[features]").nth(1).unwrap().split("\n[").next().unwrap();
    let enables = features.lines().filter(|line| !line.starts_with('#') && line.contains("test-clock"));
    assert_eq!(enables.collect::<Vec<_>>(), ["test-clock = []"], "no other feature holds it");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut looked_at = 0;
    for place in ["Cargo.toml", ".cargo/config.toml", ".github", ".ci", "packaging", "xtask"] {
        for path in files_below(&root.join(place)) {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            looked_at += 1;
            for line in
                text.lines().filter(|line| line.contains("test-clock") || line.contains("--all-features"))
            {
                let is_for_tests = ["cargo test", "cargo clippy", "cargo nextest", "cargo check"]
                    .iter()
                    .any(|command| line.contains(command));
                assert!(
                    is_for_tests && !line.contains("--release"),
                    "{}: only tests may have the movable clock: {line}",
                    path.display()
                );
            }
        }
    }
    assert!(looked_at > 0);
}

fn files_below(path: &std::path::Path) -> Vec<std::path::PathBuf> {
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flat_map(|entry| files_below(&entry.unwrap().path())).collect(),
        Err(_) => vec![path.to_owned()],
    }
}

/// Otherwise every test that moves both clocks would test nothing.
#[test]
fn this_binary_has_the_movable_clock() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    fixture.advance(86_400 * 365);
    let exported = fixture.hatbox(&["export", "--format", "env", "jan-work"]).run().ok().stdout;
    let end = exported.lines().find_map(|line| line.strip_prefix("AWS_CREDENTIAL_EXPIRATION=")).unwrap();
    let end: jiff::Timestamp = end.parse().unwrap();
    assert!(end.as_second() > jiff::Timestamp::now().as_second() + 86_400 * 364);
}
