//! Marks the variables that hatbox sets for a command, so that a nested hatbox does not take the outer profile's region
//! or endpoint for the user's choice.
//!
//! | variable | holds |
//! |---|---|
//! | `HATBOX_SET` | `NAME=VALUE` of each variable that was set, percent-encoded, separated by blanks |
//! | `HATBOX_ORIG_NAME` | what `NAME` was before, where it was set |
//!
//! A variable whose value equals its mark counts as unset, or as its former value. If the value differs, the user has
//! changed it since, and it counts as it is.

use hatbox_types::secret::SecretString;
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

/// The variable that holds the marks.
pub const MARKS: &str = "HATBOX_SET";

/// The variables that hatbox sets beside credentials and also reads, with the variables that keep their former values.
const MARKED: [(&str, &str); 9] = [
    ("AWS_REGION", "HATBOX_ORIG_AWS_REGION"),
    ("AWS_DEFAULT_REGION", "HATBOX_ORIG_AWS_DEFAULT_REGION"),
    ("AWS_ENDPOINT_URL", "HATBOX_ORIG_AWS_ENDPOINT_URL"),
    ("AWS_ACCOUNT_ID", "HATBOX_ORIG_AWS_ACCOUNT_ID"),
    ("AWS_CONFIG_FILE", "HATBOX_ORIG_AWS_CONFIG_FILE"),
    ("AWS_SHARED_CREDENTIALS_FILE", "HATBOX_ORIG_AWS_SHARED_CREDENTIALS_FILE"),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "HATBOX_ORIG_AWS_EC2_METADATA_SERVICE_ENDPOINT"),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "HATBOX_ORIG_AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"),
    ("AWS_EC2_METADATA_DISABLED", "HATBOX_ORIG_AWS_EC2_METADATA_DISABLED"),
];

/// The variables set beside credentials in an environment.
pub(super) const MARKED_NAMES: [&str; 4] =
    ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ACCOUNT_ID"];

/// Whether an empty variable with this name is removed. File names are not.
pub(super) fn is_emptied(name: &str) -> bool {
    MARKED_NAMES.iter().any(|marked| marked.eq_ignore_ascii_case(name))
}

/// Renders the marks for those variables of `set` whose value differs from their value in `former`.
pub(super) fn render_marks<'a>(
    set: &[(&'static str, SecretString)],
    former: impl Fn(&str) -> Option<&'a str>,
) -> Vec<(&'static str, SecretString)> {
    let mut marks = String::new();
    let mut all = Vec::new();
    for (name, value) in set {
        let Some((_, kept)) = MARKED.iter().find(|(marked, _)| marked == name) else { continue };
        let before = former(name).filter(|before| !before.is_empty());
        if before == Some(value.expose()) {
            continue;
        }
        if !marks.is_empty() {
            marks.push(' ');
        }
        marks.push_str(&render_mark(name, value.expose().as_bytes()));
        all.extend(before.map(|before| (*kept, SecretString::new(before.to_owned()))));
    }
    if !marks.is_empty() {
        all.push((MARKS, SecretString::new(marks)));
    }
    all
}

/// What an outer hatbox set, read from its marks.
#[derive(Debug)]
pub struct Marked<'a> {
    marks: &'a str,
}

impl<'a> Marked<'a> {
    /// Reads the value of [`MARKS`].
    pub fn new(marks: &'a str) -> Self {
        Self { marks }
    }

    /// Returns the variable that keeps the former value of `name`, if hatbox set `name` to `value`.
    pub fn original_name(&self, name: &str, value: &[u8]) -> Option<&'static str> {
        let (_, original) = MARKED.iter().find(|(marked, _)| *marked == name)?;
        let mark = render_mark(name, value);
        self.marks.split(' ').any(|known| known == mark).then_some(original)
    }

    /// Returns the names of the variables that hold the marks set beside credentials.
    pub(super) fn own_names() -> impl Iterator<Item = &'static str> {
        MARKED
            .iter()
            .filter(|(marked, _)| MARKED_NAMES.contains(marked))
            .map(|(_, kept)| *kept)
            .chain([MARKS])
    }

    /// Whether a variable with this name holds marks.
    pub fn is_own(name: &str) -> bool {
        name == MARKS || MARKED.iter().any(|(_, kept)| *kept == name)
    }
}

fn render_mark(name: &str, value: &[u8]) -> String {
    // A blank separates marks.
    const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%');
    let mut mark = format!("{name}=");
    mark.extend(percent_encode(value, ESCAPED));
    mark
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REGION: &str = "AWS_REGION";

    fn marks(value: &str, before: Option<&str>) -> Vec<(&'static str, String)> {
        let set = [(REGION, SecretString::new(value.to_owned()))];
        let marks = render_marks(&set, |name| before.filter(|_| name == REGION));
        marks.into_iter().map(|(name, value)| (name, value.expose().to_owned())).collect()
    }

    #[test]
    fn what_is_as_it_was_is_not_marked_and_what_is_overwritten_is_kept() {
        assert_eq!(marks("a", None), [(MARKS, "AWS_REGION=a".to_owned())]);
        assert_eq!(marks("a", Some("")), [(MARKS, "AWS_REGION=a".to_owned())]);
        assert_eq!(marks("a", Some("a")), []);
        assert_eq!(
            marks("a", Some("b")),
            [("HATBOX_ORIG_AWS_REGION", "b".to_owned()), (MARKS, "AWS_REGION=a".to_owned())]
        );
    }

    #[test]
    fn a_mark_holds_for_its_name_and_value_only() {
        let marked = Marked::new("AWS_REGION=a AWS_ENDPOINT_URL=http://x PATH=/bin");
        assert!(marked.original_name(REGION, b"a").is_some());
        assert!(marked.original_name("AWS_ENDPOINT_URL", b"http://x").is_some());
        for (name, value, why) in [
            (REGION, "b", "changed"),
            (REGION, "", "emptied"),
            ("AWS_DEFAULT_REGION", "a", "not set by hatbox"),
            ("PATH", "/bin", "nothing that hatbox sets, whatever the marks say"),
        ] {
            assert_eq!(marked.original_name(name, value.as_bytes()), None, "{why}");
        }
    }

    proptest! {
        #[test]
        fn any_value_is_found_again_and_no_other(value in any::<String>(), other in any::<String>()) {
            let marks = marks(&value, None);
            let marked = Marked::new(&marks[0].1);
            prop_assert!(marks[0].1.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(marked.original_name(REGION, value.as_bytes()).is_some());
            prop_assert_eq!(marked.original_name(REGION, other.as_bytes()).is_some(), other == value);
        }
    }
}
