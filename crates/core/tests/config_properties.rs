//! Properties of the config parser and editor that hold for any text.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use hatbox_core::config::edit::{Change, EditError, edit_section, remove_section};
use hatbox_core::config::header::SectionKind;
use hatbox_core::config::origin::FileKind;
use hatbox_core::config::syntax::Document;
use hatbox_core::config::{Config, ConfigError, Overrides, Which, resolve_profile};
use hatbox_types::name::ProfileName;
use proptest::prelude::*;

/// Lines that mean something to the parser, in any order.
fn any_line() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "[default]",
        "[profile default]",
        "[profile a]",
        "[profile \"a b\"]",
        "[profile a",
        "[profile a] x",
        "[profile a] # x",
        "[sso-session a]",
        "[services a]",
        "[a]",
        "[]",
        "region = x-1",
        "REGION=y-1 ; note",
        "region =",
        "region: c-1",
        "REGION:d-1 # note",
        "region:",
        "  output : x=y",
        "s3:",
        "a:b = c",
        ": v",
        "region = # note",
        "  region = z-1",
        "s3 =",
        "  nested = 1",
        "\tmore",
        "  # note",
        "output = json",
        "include_profile = a",
        "include_profile = default",
        "sso_session = a",
        "services = a",
        "role_arn = arn:aws:iam::111122223333:role/r",
        "duration_seconds = 1h",
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = s",
        "word",
        "= v",
        "# note",
        "",
        "  ",
    ]);
    prop_oneof![9 => known.prop_map(str::to_owned), 1 => "[ -~\\t\u{e9}\u{0}]{0,12}"]
}

fn any_text() -> impl Strategy<Value = String> {
    let end = prop::sample::select(vec!["\n", "\r\n"]);
    let head = prop::sample::select(vec!["", "\u{feff}"]);
    (head, prop::collection::vec(any_line(), 0..24), end, any::<bool>()).prop_map(
        |(head, lines, end, ends)| format!("{head}{}{}", lines.join(end), if ends { end } else { "" }),
    )
}

/// Every setting of the text but those of one key of one section: section, key, value.
fn settings(text: &[u8], but: Option<(SectionKind, &str, &str)>) -> Vec<(String, String, String)> {
    let document = Document::parse(FileKind::Config, text.to_vec()).unwrap();
    let mut settings = Vec::new();
    for section in document.sections() {
        for entry in section.scan().entries {
            let is_it =
                |(kind, name, key)| section.kind() == kind && section.name() == name && entry.has_key(key);
            if !but.is_some_and(is_it) {
                let nested: Vec<_> = entry.nested.iter().map(|n| format!("{}={}", n.key, n.value)).collect();
                let value = format!("{}{}", entry.value, nested.join("|"));
                settings.push((section.name().into_owned(), entry.key.to_owned(), value));
            }
        }
    }
    settings
}

fn value_of(text: &[u8], name: &str, key: &str) -> Option<String> {
    let document = Document::parse(FileKind::Config, text.to_vec()).unwrap();
    let sections = document.sections_named(SectionKind::Profile, name);
    let entries = sections.flat_map(|section| section.scan().entries);
    entries.filter(|entry| entry.has_key(key)).last().map(|entry| entry.value.into_owned())
}

/// How many bytes two texts share: at the start, plus at the end of the rest.
fn shared(old: &[u8], new: &[u8]) -> usize {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    head + old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_bytes_make_the_parser_panic(config in prop::collection::vec(any::<u8>(), 0..200), text in any_text()) {
        for (config, credentials) in [(config.clone(), text.clone().into_bytes()), (text.into_bytes(), config)] {
            let config = Config::parse(config, credentials).unwrap();
            let warnings = config.warnings();
            prop_assert!(warnings.iter().all(|warning| warning.place().is_some()));
            for name in config.profile_names() {
                prop_assert!(config.defined_at(&name).is_some());
                if let Err(error) = resolve_profile(&config, &name, &Overrides::default(), Which::Target) {
                    prop_assert!(error.place().is_some(), "{}", error);
                }
            }
        }
    }

    #[test]
    fn every_header_and_key_is_on_the_line_that_is_named(text in any_text()) {
        let lines: Vec<_> = text.trim_start_matches('\u{feff}').split('\n').collect();
        let document = Document::parse(FileKind::Config, text.as_bytes().to_vec()).unwrap();
        for section in document.sections() {
            prop_assert!(lines[section.place().line as usize - 1].starts_with('['));
            for entry in section.scan().entries {
                let line = lines[entry.line as usize - 1].trim_start();
                prop_assert!(line.starts_with(entry.key) && line.contains(['=', ':']), "{} in {:?}", entry.key, line);
            }
        }
    }

    #[test]
    fn setting_a_key_is_read_again_and_keeps_every_other_byte(
        text in any_text(),
        name in prop::sample::select(vec!["a", "default", "a b", "new", "it's \"x\" \\"]),
        key in prop::sample::select(vec!["region", "output", "new_key"]),
        value in "[a-z0-9/:#;=\"']([a-z0-9/:#;=\"' ]{0,8}[a-z0-9])?",
    ) {
        let changes = [Change::Set { key: key.to_owned(), value: value.clone() }];
        let edit = |text: &[u8]| edit_section(text, FileKind::Config, SectionKind::Profile, name, &changes);
        match edit(text.as_bytes()) {
            Ok(new) => {
                prop_assert_eq!(value_of(&new, name, key), Some(value.clone()));
                prop_assert_eq!(edit(&new), Ok(new.clone()), "the second time changes nothing");
                let old_value = value_of(text.as_bytes(), name, key);
                let replaced = old_value.as_deref().map_or(0, str::len);
                if !old_value.unwrap_or_default().contains('\n') {
                    prop_assert!(shared(text.as_bytes(), &new) >= text.len() - replaced);
                }
                let but = Some((SectionKind::Profile, name, key));
                prop_assert_eq!(settings(text.as_bytes(), but), settings(&new, but));
            }
            Err(EditError::Value(_)) => {
                prop_assert!(value.starts_with(['#', ';']) || value.contains(" #") || value.contains(" ;"));
            }
            Err(EditError::BadLine { .. } | EditError::Nested { .. }) => {}
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn removing_a_key_takes_its_lines_out_and_no_others(
        text in any_text(),
        name in prop::sample::select(vec!["a", "default"]),
        key in prop::sample::select(vec!["region", "s3"]),
    ) {
        let changes = [Change::Remove { key: key.to_owned() }];
        if let Ok(new) = edit_section(text.as_bytes(), FileKind::Config, SectionKind::Profile, name, &changes) {
            prop_assert_eq!(value_of(&new, name, key), None);
            // `[default]` keeps its lines if there is `[profile default]`, because nothing reads them.
            if !text.contains("[profile default]") {
                let but = Some((SectionKind::Profile, name, key));
                prop_assert_eq!(settings(text.as_bytes(), but), settings(&new, None));
            }
            let new = String::from_utf8(new).unwrap();
            let mut left = text.split_inclusive('\n');
            for line in new.split_inclusive('\n') {
                prop_assert!(left.any(|old| old == line), "{:?} is new or out of order", line);
            }
        }
    }

    #[test]
    fn removing_a_section_takes_its_lines_out_and_no_others(
        text in any_text(),
        name in prop::sample::select(vec!["a", "default", "a b", "new"]),
    ) {
        let remove = |text: &[u8]| remove_section(text, FileKind::Config, SectionKind::Profile, name).unwrap();
        let new = remove(text.as_bytes());
        let document = Document::parse(FileKind::Config, new.clone()).unwrap();
        prop_assert!(document.sections_named(SectionKind::Profile, name).next().is_none());
        prop_assert_eq!(remove(&new), new.clone(), "the second time changes nothing");
        let all = settings_of_others(text.as_bytes(), name);
        prop_assert_eq!(all, settings(&new, None));
        let new = String::from_utf8(new).unwrap();
        let mut left = text.trim_start_matches('\u{feff}').split_inclusive('\n');
        for line in new.trim_start_matches('\u{feff}').split_inclusive('\n') {
            prop_assert!(left.any(|old| old == line), "{:?} is new or out of order", line);
        }
    }

    #[test]
    fn a_section_that_was_added_and_is_removed_leaves_the_text_as_it_was(text in any_text()) {
        let change = Change::Set { key: "region".to_owned(), value: "x-1".to_owned() };
        let kind = SectionKind::Profile;
        let added = edit_section(text.as_bytes(), FileKind::Config, kind, "new", &[change]).unwrap();
        let removed = String::from_utf8(remove_section(&added, FileKind::Config, kind, "new").unwrap()).unwrap();
        // Except for line ends: a missing final one is added, and one blank line at the end may be removed.
        let trimmed = |text: &str| text.trim_end_matches(['\r', '\n']).to_owned();
        prop_assert_eq!(trimmed(&removed), trimmed(&text));
        if text.ends_with('\n') && !text.ends_with("\n\n") && !text.ends_with("\n\r\n") {
            prop_assert_eq!(removed, text);
        }
    }
}

/// Every setting of the text except those of the profile `name`.
fn settings_of_others(text: &[u8], name: &str) -> Vec<(String, String, String)> {
    let document = Document::parse(FileKind::Config, text.to_vec()).unwrap();
    let is_it = |section: &hatbox_core::config::syntax::Section<'_>| {
        section.kind() == SectionKind::Profile && section.name() == name
    };
    let others = document.sections().filter(|section| !is_it(section));
    let rows = others.flat_map(|section| {
        let entries = section.scan().entries.into_iter();
        entries.map(move |entry| {
            let nested: Vec<_> = entry.nested.iter().map(|n| format!("{}={}", n.key, n.value)).collect();
            let value = format!("{}{}", entry.value, nested.join("|"));
            (section.name().into_owned(), entry.key.to_owned(), value)
        })
    });
    rows.collect()
}

#[test]
fn a_section_is_removed_with_its_blank_lines_and_not_with_the_comments_below() {
    for (text, left, why) in [
        ("[profile a]\nx = 1\n", "", "all there was"),
        ("[profile b]\n\n[profile a]\nx = 1\n", "[profile b]\n", "the blank line above, at the end"),
        ("[profile a]\nx = 1\n\n\n[profile b]\n", "[profile b]\n", "the blank lines below"),
        ("[profile a]\n# in\nx = 1\n# below\n\n[profile b]\n", "# below\n\n[profile b]\n", "a comment below"),
        ("[profile a]\nx = 1\n\n# of b\n[profile b]\n", "# of b\n[profile b]\n", "a comment of the next"),
        ("# top\n[profile a]\nword\n  more\n[b]\n", "# top\n[b]\n", "lines that cannot be read"),
        ("[profile a]\n[profile b]\n[profile \"a\"]\ny = 2\n", "[profile b]\n", "a section in parts"),
        ("[profile b]\r\n\r\n[profile a]\r\nx = 1\r\n\r\n", "[profile b]\r\n", "CRLF"),
        ("\u{feff}[profile a]\nx = 1\n[profile b]\n", "\u{feff}[profile b]\n", "a byte order mark"),
        ("[profile a", "", "a header without an end"),
        ("[default]\nx = 1\n[profile a]\n", "[default]\nx = 1\n", "another section"),
    ] {
        let new = remove_section(text.as_bytes(), FileKind::Config, SectionKind::Profile, "a").unwrap();
        assert_eq!(String::from_utf8(new).unwrap(), left, "{text:?}: {why}");
    }
    let both = b"[default]\nx = 1\n[profile default]\nx = 2\n";
    let new = remove_section(both, FileKind::Config, SectionKind::Profile, "default").unwrap();
    assert_eq!(new, b"", "what it replaced does not come back");
}

#[test]
fn a_value_cannot_bring_lines_or_comments_of_its_own() {
    let set = |key: &str, value: &str| {
        let change = Change::Set { key: key.to_owned(), value: value.to_owned() };
        edit_section(b"", FileKind::Config, SectionKind::Profile, "a", &[change])
    };
    for value in [
        "x\ncredential_process = evil",
        "x\r",
        "x\0",
        "x\u{85}y",
        "",
        " x",
        "x ",
        "\tx",
        "x # y",
        "x ;y",
        "#x",
    ] {
        assert_eq!(set("region", value), Err(EditError::Value("region".to_owned())), "{value:?}");
    }
    for key in ["", "a b", "a=b", "a\n", "[x]", "#a", "ré"] {
        assert_eq!(set(key, "x"), Err(EditError::Key(key.to_owned())), "{key:?}");
    }
    for name in ["a]\n[default", "", " a", "a\u{7}"] {
        let edited = edit_section(b"", FileKind::Config, SectionKind::Profile, name, &[]);
        assert!(matches!(edited, Err(EditError::Name { .. })), "{name:?}: {edited:?}");
    }
    let session = edit_section(b"", FileKind::Credentials, SectionKind::SsoSession, "a", &[]);
    assert_eq!(session, Err(EditError::WrongFile { file: FileKind::Credentials }));
    let word = edit_section(b"", FileKind::Credentials, SectionKind::Profile, "profile a", &[]);
    assert_eq!(word, Err(EditError::WrongFile { file: FileKind::Credentials }));
}

#[test]
fn an_appended_section_follows_the_file_in_its_own_manner() {
    let change = Change::Set { key: "region".to_owned(), value: "x-1".to_owned() };
    let section = "[profile a]\nregion=x-1\n";
    for (text, gap, why) in [
        ("", "", "nothing is above"),
        ("\u{feff}", "", "a byte order mark is nothing"),
        ("[profile b]\n", "\n", "one blank line"),
        ("[profile b]\n\n", "", "it is there already"),
        ("[profile b]", "\n\n", "the last line had no end"),
        ("# note", "\n\n", "nor had the comment"),
        ("[profile b]\r\n", "\r\n", "the file's own line ends"),
        ("[profile b]\r\n\r\n", "", "also where it is there already"),
    ] {
        let change = std::slice::from_ref(&change);
        let new = edit_section(text.as_bytes(), FileKind::Config, SectionKind::Profile, "a", change).unwrap();
        let section = if text.contains('\r') { section.replace('\n', "\r\n") } else { section.to_owned() };
        assert_eq!(String::from_utf8(new).unwrap(), format!("{text}{gap}{section}"), "{text:?}: {why}");
    }
}

#[test]
fn a_file_with_bytes_that_are_not_text_can_be_edited_elsewhere() {
    let text = b"[profile b]\nname = \xff\n[profile a]\nregion=y-1\n";
    let set = |name| {
        let change = Change::Set { key: "region".to_owned(), value: "x-1".to_owned() };
        edit_section(text, FileKind::Config, SectionKind::Profile, name, &[change])
    };
    assert_eq!(set("a").unwrap(), b"[profile b]\nname = \xff\n[profile a]\nregion=x-1\n");
    assert!(matches!(set("b"), Err(EditError::BadLine { .. })));
}

#[test]
fn hostile_files_are_read_in_linear_time() {
    // Each of these takes minutes if any step is quadratic, else milliseconds.
    for text in [
        "[".repeat(2_000_000),
        "[\n".repeat(500_000),
        "[profile a]\n".repeat(200_000),
        format!("[profile a]\nregion = x\n{}", " more\n".repeat(300_000)),
        format!("[profile a]\ns3 =\n{}", " k = v\n".repeat(300_000)),
        format!("[profile a]\n{}", "k = v\n".repeat(300_000)),
        format!("[profile {}]\n", "\"\"".repeat(500_000)),
    ] {
        let config = Config::parse(text, "").unwrap();
        let _names = config.profile_names();
        let _warnings = config.warnings();
        let name = ProfileName::parse("a").unwrap();
        let _resolved = resolve_profile(&config, &name, &Overrides::default(), Which::Target);
    }
}

#[test]
fn a_chain_of_includes_without_an_end_in_sight_is_an_error() {
    let sections: Vec<_> =
        (0..10_000).map(|i| format!("[profile p{i}]\ninclude_profile = p{}\n", i + 1)).collect();
    let config = Config::parse(sections.concat(), "").unwrap();
    let name = ProfileName::parse("p0").unwrap();
    let error = resolve_profile(&config, &name, &Overrides::default(), Which::Target).unwrap_err();
    assert_eq!(error, ConfigError::IncludeDepth { profile: name, limit: 64 });
}
