//! What `pass` and `passage` complain about, parsed from their stderr and that of GnuPG or age.
//!
//! GnuPG's status lines (`[GNUPG:] ...`, see its doc/DETAILS) are requested, as its messages differ between versions.

use hatbox_types::text::printable_start;

/// What is wrong, as far as a store needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Complaint {
    /// There is no such item.
    Absent,
    /// The passphrase was not entered, or was wrong.
    Locked,
    /// The content is not a valid message, or was changed.
    Broken,
    /// The secret key is not on this machine.
    NoKey,
    /// The program cannot encrypt to this key.
    NoRecipient(String),
    /// Anything else: the last line of stderr.
    Other(String),
}

impl Complaint {
    /// Describes it, for errors that are not about an item of hatbox.
    pub(crate) fn describe(&self, program: &str) -> String {
        match self {
            Self::Absent => "there is no such entry".to_owned(),
            Self::Locked => format!("`{program}` got no passphrase"),
            Self::Broken => "it cannot be decrypted".to_owned(),
            Self::NoKey => "its decryption key is missing".to_owned(),
            Self::NoRecipient(whom) => format!("it cannot be encrypted to `{whom}`"),
            Self::Other(line) => format!("`{program}` says: {line}"),
        }
    }
}

/// Messages of the programs and their meaning. The first match counts.
const WORDS: [(&str, Complaint); 22] = [
    ("is not in the password store", Complaint::Absent),
    ("is not in the passage store", Complaint::Absent),
    ("[GNUPG:] BADMDC", Complaint::Broken),
    ("[GNUPG:] NODATA", Complaint::Broken),
    ("[GNUPG:] NO_SECKEY", Complaint::NoKey),
    ("[GNUPG:] DECRYPTION_KEY", Complaint::Broken),
    ("no identity matched", Complaint::NoKey),
    ("incorrect passphrase", Complaint::Locked),
    ("could not read passphrase", Complaint::Locked),
    ("failed to read passphrase", Complaint::Locked),
    ("/dev/tty is not available", Complaint::Locked),
    ("could not open terminal", Complaint::Locked),
    ("failed to open terminal", Complaint::Locked),
    ("failed to obtain passphrase", Complaint::Locked),
    ("Operation cancelled", Complaint::Locked),
    ("No pinentry", Complaint::Locked),
    ("failed to read header", Complaint::Broken),
    ("failed to read intro", Complaint::Broken),
    ("parsing age header", Complaint::Broken),
    ("bad header MAC", Complaint::Broken),
    ("failed to decrypt and authenticate", Complaint::Broken),
    ("unexpected EOF", Complaint::Broken),
];

/// Parses what the program printed on stderr.
pub(super) fn parse_complaint(said: &str) -> Complaint {
    if let Some((_, rest)) = said.split_once("[GNUPG:] INV_RECP ") {
        let line = rest.lines().next().unwrap_or_default();
        return Complaint::NoRecipient(printable_start(
            line.split_once(' ').map_or(line, |(_, whom)| whom),
            LIMIT,
        ));
    }
    for (words, complaint) in WORDS {
        if said.contains(words) {
            return complaint;
        }
    }
    if said.contains("[GNUPG:] DECRYPTION_FAILED") {
        // GnuPG also says "No secret key" if it has the key but did not get its passphrase.
        let has_key = said.contains("[GNUPG:] KEY_CONSIDERED");
        return if has_key { Complaint::Locked } else { Complaint::NoKey };
    }
    let mut lines = said.lines().rev().map(str::trim);
    let last = lines.find(|line| !line.is_empty() && !line.starts_with("[GNUPG:]"));
    Complaint::Other(printable_start(last.unwrap_or("nothing"), LIMIT))
}

/// Limit in characters of a line in a message.
const LIMIT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_goes_wrong_has_its_own_complaint() {
        let considered = "[GNUPG:] ENC_TO 059E 1 0\n[GNUPG:] KEY_CONSIDERED 9CEC 0\n";
        let failed =
            "[GNUPG:] BEGIN_DECRYPTION\n[GNUPG:] DECRYPTION_FAILED\ngpg: decryption failed: No secret key\n";
        let other = |line: &str| Complaint::Other(line.to_owned());
        let cases = [
            ("Error: hatbox/a is not in the password store.".to_owned(), Complaint::Absent),
            (format!("{considered}{failed}"), Complaint::Locked),
            (format!("{considered}[GNUPG:] PINENTRY_LAUNCHED 3664 gnome3\n{failed}"), Complaint::Locked),
            (format!("[GNUPG:] ENC_TO 059E 1 0\n{failed}"), Complaint::NoKey),
            (format!("[GNUPG:] ENC_TO 059E 1 0\n[GNUPG:] NO_SECKEY 059E\n{failed}"), Complaint::NoKey),
            ("gpg: no valid OpenPGP data found.\n[GNUPG:] NODATA 1\n".to_owned(), Complaint::Broken),
            (
                format!("{considered}[GNUPG:] DECRYPTION_KEY B479 9CEC u\n[GNUPG:] BADMDC\n{failed}"),
                Complaint::Broken,
            ),
            (
                "[GNUPG:] INV_RECP 0 jan@example.invalid\n[GNUPG:] FAILURE encrypt 167772218\n".to_owned(),
                Complaint::NoRecipient("jan@example.invalid".to_owned()),
            ),
            ("age: error: no identity matched any of the recipients".to_owned(), Complaint::NoKey),
            (
                "age: error: failed to read passphrase: standard input is not a terminal, and /dev/tty is not \
                 available: open /dev/tty: no such device or address"
                    .to_owned(),
                Complaint::Locked,
            ),
            ("age: error: identity file is encrypted: incorrect passphrase".to_owned(), Complaint::Locked),
            ("age: error: failed to read header: parsing age header: unexpected intro".to_owned(), Complaint::Broken),
            ("age: error: failed to decrypt and authenticate payload chunk".to_owned(), Complaint::Broken),
            ("gpg: out of core\n\n".to_owned(), other("gpg: out of core")),
            ("\u{1b}[31mred\r\n[GNUPG:] X".to_owned(), other(r"\u001b[31mred")),
            (String::new(), other("nothing")),
        ];
        for (said, complaint) in cases {
            assert_eq!(parse_complaint(&said), complaint, "{said}");
        }
    }
}
