//! Item names for stores that need ASCII: `access-key/team%2fb`, `cache-key/default`.
//!
//! | in the profile | in the name |
//! |---|---|
//! | `a`-`z`, `0`-`9`, `-`, `_` | itself |
//! | any other byte of its UTF-8, also capitals and dots | `%` and two hexadecimal digits |
//! | after every 180 bytes of that, if there are more | `+/` |
//!
//! So each name can be converted back to its profile, contains no `..` and no hidden part, is unique on file systems
//! that fold case or compose accents, and has no part that is too long for them. A directory never has the name of an
//! item, as only directories end in `+`.

use hatbox_types::name::ProfileName;
use percent_encoding::{percent_decode_str, percent_encode_byte};

use super::{ItemId, ItemKind};

const PART: usize = 180;

/// Renders the name of an item.
pub(crate) fn render_name(id: &ItemId) -> String {
    let mut name = format!("{}/", id.kind.as_str());
    let mut length = 0;
    for byte in id.profile.as_str().bytes() {
        let is_plain = byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        let text = if is_plain {
            char::from(byte).to_string()
        } else {
            percent_encode_byte(byte).to_ascii_lowercase()
        };
        if length + text.len() > PART {
            name.push_str("+/");
            length = 0;
        }
        length += text.len();
        name.push_str(&text);
    }
    name
}

/// Parses the name of an item; `None` unless [`render_name`] would render it.
pub(crate) fn parse_name(name: &str) -> Option<ItemId> {
    let (kind, rest) = name.split_once('/')?;
    let kind = ItemKind::parse(kind)?;
    let rest = rest.replace("+/", "");
    let id =
        ItemId { kind, profile: ProfileName::parse(&percent_decode_str(&rest).decode_utf8().ok()?).ok()? };
    // Each profile has exactly one name: `%61` is not `a`.
    (render_name(&id) == name).then_some(id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn name(profile: &str) -> String {
        render_name(&ItemId::access_key(&ProfileName::parse(profile).unwrap()))
    }

    #[test]
    fn a_name_comes_back_and_no_two_profiles_share_one() {
        let long = "🔑".repeat(256);
        let mut seen = BTreeSet::new();
        let profiles = [
            "a",
            "A",
            "team/b c",
            "..",
            "../..",
            "/etc/passwd",
            ".hidden",
            "-f",
            "a.new",
            "%41",
            "a%2fb",
            "ü",
            "u\u{308}",
            "a+/b",
            "a+",
            "\u{202e}x",
            &long,
            &"x".repeat(180),
            &"x".repeat(181),
            &"x".repeat(256),
        ];
        for profile in profiles {
            let name = name(profile);
            let id = parse_name(&name).unwrap();
            assert_eq!(id.profile.as_str(), profile);
            assert!(seen.insert(name.to_lowercase()), "{name}");
            assert_eq!(name, name.to_lowercase());
            let parts: Vec<_> = name.split('/').collect();
            assert!(name.len() <= 3200 && parts.len() <= 20, "{name}");
            assert!(parts.iter().all(|part| !part.is_empty() && part.len() < 200), "{name}");
            assert!(parts.iter().skip(1).all(|part| !part.contains('.')), "{name}");
            let inside = parts.get(1..parts.len() - 1).unwrap();
            assert!(inside.iter().all(|part| part.ends_with('+')), "{name}");
            assert!(!parts.last().unwrap().ends_with('+'), "{name}");
        }
        assert_eq!(render_name(&ItemId::cache_key()), "cache-key/default");
        let seed = ItemId::totp_seed(&ProfileName::parse("a").unwrap());
        assert_eq!(render_name(&seed), "totp-seed/a");
        assert_eq!(parse_name("totp-seed/a"), Some(seed));
    }

    #[test]
    fn what_is_not_a_name_of_ours_is_none() {
        for name in [
            "",
            "access-key",
            "access-key/",
            "other/a",
            "access-key/A",
            "access-key/%61",
            "access-key/%2F",
            "access-key/%",
            "access-key/%2",
            "access-key/%zz",
            "access-key/%ff",
            "access-key/a/b",
            "access-key/a.new",
            "access-key/../x",
            "access-key/a+/b",
            "access-key//a",
            "access-key/%00",
        ] {
            assert_eq!(parse_name(name), None, "{name}");
        }
    }
}
