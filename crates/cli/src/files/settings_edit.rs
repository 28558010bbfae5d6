//! Edits hatbox's own settings file: changes one value and no other byte.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::store::StoreKind;
use crate::sys::files::{FileError, Keep, make_private_directory, write_if_unchanged};

/// What happens to an existing value of `backend`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Earlier {
    Stays,
    IsReplaced,
}

/// Writes `backend = "..."` to the settings, so that later runs use the same backend. Replaces an earlier value, or
/// adds the first line. The caller holds the lock of the settings.
pub(crate) fn save_backend(path: &Path, kind: StoreKind, earlier: Earlier) -> Result<(), FileError> {
    let before = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(FileError::io("open", path)(error)),
    };
    let by_hand = || {
        let problem = std::io::Error::other(format!("set `backend = \"{kind}\"` in it by hand"));
        FileError::io("change", path)(problem)
    };
    let backend = parse_backend(&before).map_err(|_| by_hand())?;
    match (&backend, earlier) {
        (Some(_), Earlier::Stays) => return Ok(()),
        (Some(old), Earlier::IsReplaced) if old.get_ref() == kind.as_str() => return Ok(()),
        _ => {}
    }
    let after = edit(&before, backend.as_ref(), kind).ok_or_else(by_hand)?;
    if let Some(directory) = path.parent()
        && !directory.exists()
    {
        make_private_directory(directory)?;
    }
    write_if_unchanged(path, before.as_bytes(), after.as_bytes(), Keep::ModeAndLink)
}

/// Parses the value of `backend` with its position.
fn parse_backend(text: &str) -> Result<Option<Spanned<String>>, toml::de::Error> {
    #[derive(Deserialize)]
    struct OnlyBackend {
        backend: Option<Spanned<String>>,
    }
    toml::from_str::<OnlyBackend>(text).map(|settings| settings.backend)
}

/// Returns the text with a new value or a new first line; `None` if the result would not have that value.
fn edit(before: &str, backend: Option<&Spanned<String>>, kind: StoreKind) -> Option<String> {
    let (range, new) = if let Some(old) = backend {
        (old.span(), format!("\"{kind}\""))
    } else {
        let start = before.len() - before.trim_start_matches('\u{feff}').len();
        (start..start, format!("backend = \"{kind}\"\n"))
    };
    let after = [before.get(..range.start)?, &new, before.get(range.end..)?].concat();
    let is_meant =
        parse_backend(&after).is_ok_and(|new| new.is_some_and(|new| new.get_ref() == kind.as_str()));
    is_meant.then_some(after)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::world::settings::load_settings;

    #[test]
    fn the_chosen_backend_is_written_above_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/config.toml");
        save_backend(&path, StoreKind::File, Earlier::Stays).unwrap();
        assert_eq!(load_settings(&path).unwrap().backend, Some(StoreKind::File));
        std::fs::write(&path, "# mine\nunlock_timeout = \"1h\"\n").unwrap();
        save_backend(&path, StoreKind::File, Earlier::Stays).unwrap();
        save_backend(&path, StoreKind::File, Earlier::Stays).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "backend = \"file\"\n# mine\nunlock_timeout = \"1h\"\n"
        );
    }

    #[test]
    fn another_backend_takes_the_place_of_the_earlier_one_and_no_other_byte_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        for (before, after) in [
            (
                "# a\r\nbackend='file' # mine\r\nunlock_timeout = \"1h\"",
                "# a\r\nbackend=\"pass\" # mine\r\nunlock_timeout = \"1h\"",
            ),
            ("unlock_timeout = \"1h\"\n", "backend = \"pass\"\nunlock_timeout = \"1h\"\n"),
            ("[trust]\nsources = []\n", "backend = \"pass\"\n[trust]\nsources = []\n"),
            ("\"backend\" = \"file\"", "\"backend\" = \"pass\""),
            ("backend = \"\"\"file\"\"\"\n", "backend = \"pass\"\n"),
            (
                "passphrase_command = \"\"\"\nbackend = 'x'\n\"\"\"\nbackend = \"file\"\n",
                "passphrase_command = \"\"\"\nbackend = 'x'\n\"\"\"\nbackend = \"pass\"\n",
            ),
        ] {
            std::fs::write(&path, before).unwrap();
            save_backend(&path, StoreKind::Pass, Earlier::IsReplaced).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
        }
        // An invalid file is not changed, and the user gets an error.
        std::fs::write(&path, "backend = ").unwrap();
        assert!(save_backend(&path, StoreKind::Pass, Earlier::IsReplaced).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "backend = ");
    }

    /// Generates lines of a settings file without `backend`.
    fn lines() -> impl Strategy<Value = Vec<String>> {
        let line = prop_oneof![
            "# [ -~ü]{0,20}",
            "[ \t]{0,3}",
            Just("unlock_timeout = \"1h\"".to_owned()),
            Just("pass_prefix = 'a b'  # backend = \"x\"".to_owned()),
            Just("passphrase_command = \"\"\"\nbackend = 'x'\n\"\"\"".to_owned()),
        ];
        // Each key must occur only once.
        proptest::collection::vec(line, 0..6).prop_map(|mut lines| {
            let key = |line: &String| line.split_once(" = ").map(|(key, _)| key.to_owned());
            let mut seen = Vec::new();
            lines.retain(|line| match key(line).filter(|_| !line.starts_with('#')) {
                None => true,
                Some(key) if seen.contains(&key) => false,
                Some(key) => {
                    seen.push(key);
                    true
                }
            });
            lines
        })
    }

    proptest! {
        #[test]
        fn an_edit_keeps_every_other_byte(
            above in lines(),
            backend in proptest::option::of(prop_oneof!["backend ?= {0,2}'file' {0,2}", "\"backend\" = \"file\" # mine"]),
            end in prop_oneof![Just("\n"), Just("\r\n")],
            bom in prop_oneof![Just(""), Just("\u{feff}")],
        ) {
            let mut before = bom.to_owned();
            for line in above.iter().chain(&backend) {
                before.push_str(line);
                before.push_str(end);
            }
            let old = parse_backend(&before).unwrap();
            let after = edit(&before, old.as_ref(), StoreKind::Pass).unwrap();
            prop_assert_eq!(parse_backend(&after).unwrap().unwrap().into_inner(), "pass");
            match backend {
                None => prop_assert_eq!(after.replacen("backend = \"pass\"\n", "", 1), before),
                Some(line) => {
                    let new = line.replace("'file'", "\"pass\"").replace("\"file\"", "\"pass\"");
                    let start = before.len() - line.len() - end.len();
                    prop_assert_eq!(&after[..start], &before[..start]);
                    prop_assert_eq!(&after[start..], new + end);
                }
            }
        }
    }
}
