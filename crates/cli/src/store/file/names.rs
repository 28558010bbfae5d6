//! The names of the store's files. Each thing has exactly one valid name.

/// The name of a wrap: 1 to 32 of `a-z`, `0-9` and `-`, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WrapName(String);

impl WrapName {
    pub(crate) fn passphrase() -> Self {
        Self("passphrase".to_owned())
    }

    pub(crate) fn recovery() -> Self {
        Self("recovery".to_owned())
    }

    /// Parses a name; `None` if it is not valid.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        (begins && text.len() <= 32 && text.chars().all(is_allowed)).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn kind(&self) -> WrapKind {
        match self.as_str() {
            "passphrase" => WrapKind::Passphrase,
            "recovery" => WrapKind::Recovery,
            _ => WrapKind::Plugin,
        }
    }
}

/// The name of a wrap's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WrapFile {
    pub(super) name: WrapName,
    pub(super) counter: u64,
    pub(super) part: WrapPart,
}

/// What a wrap's file contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrapPart {
    /// The encrypted identity.
    Sealed,
    /// The identity of the plugin that opens the wrap.
    Plugin,
}

impl WrapFile {
    pub(super) fn parse(file: &str) -> Option<Self> {
        let rest = file.strip_prefix("identity.")?;
        let (rest, part) = match rest.strip_suffix(".age") {
            Some(rest) => (rest, WrapPart::Sealed),
            None => (rest.strip_suffix(".plugin")?, WrapPart::Plugin),
        };
        let (name, counter) = rest.split_once('.')?;
        Some(Self { name: WrapName::parse(name)?, counter: parse_counter(counter)?, part })
    }
}

impl std::fmt::Display for WrapFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = match self.part {
            WrapPart::Sealed => "age",
            WrapPart::Plugin => "plugin",
        };
        write!(f, "identity.{}.{}.{end}", self.name.as_str(), self.counter)
    }
}

/// What opens a wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrapKind {
    Passphrase,
    Recovery,
    Plugin,
}

/// The name of an item's file: `<32 hex digits>.<counter>.age`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ItemFile<'a> {
    /// The result of [`super::identity::Identity::opaque_name`] for the item.
    pub(super) name: &'a str,
    /// The manifest's counter when the file was written.
    pub(super) counter: u64,
}

impl<'a> ItemFile<'a> {
    pub(super) fn parse(file: &'a str) -> Option<Self> {
        let (name, counter) = file.strip_suffix(".age")?.split_once('.')?;
        let is_name = name.len() == 32 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        Some(Self { name, counter: parse_counter(counter).filter(|_| is_name)? })
    }
}

impl std::fmt::Display for ItemFile<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.age", self.name, self.counter)
    }
}

/// Parses a counter in a file name. Rejects leading zeros and signs, so that no two names mean the same file.
fn parse_counter(text: &str) -> Option<u64> {
    let counter: u64 = text.parse().ok()?;
    (counter.to_string() == text).then_some(counter)
}
