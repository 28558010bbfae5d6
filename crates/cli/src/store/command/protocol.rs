//! The protocol between hatbox and a helper: one line of JSON in each direction.

use hatbox_types::text::printable_start;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub(super) const VERSION: u32 = 1;
/// Limit in characters of a helper's message.
const WORDS_LIMIT: usize = 300;

/// What the helper should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verb {
    Status,
    Unlock,
    Lock,
    List,
    Read,
    Write,
    Delete,
}

impl Verb {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Unlock => "unlock",
            Self::Lock => "lock",
            Self::List => "list",
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

/// ```json
/// {"version":1,"verb":"write","may_ask":false,"name":"access-key/jan","about":"AKIA... 2026-...","text":"..."}
/// ```
#[derive(Serialize)]
pub(super) struct Request<'a> {
    pub(super) version: u32,
    pub(super) verb: Verb,
    pub(super) may_ask: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) about: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a str>,
}

/// Renders the request as one line.
pub(super) fn render_request(request: &Request<'_>) -> Zeroizing<Vec<u8>> {
    // Security: reserved in full, as a buffer that grows leaves copies behind.
    let room = 2048 + request.text.map_or(0, |text| text.len() * 6);
    let mut line = Zeroizing::new(Vec::with_capacity(room));
    // Serializing a struct of strings into memory cannot fail.
    serde_json::to_writer(&mut *line, request).ok();
    line.push(b'\n');
    line
}

/// A helper's answer. Which members it has depends on the verb.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    #[serde(rename = "version")]
    _version: u32,
    #[serde(default)]
    pub(super) error: Option<Trouble>,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    #[serde(rename = "way_out")]
    pub(super) hint: Option<String>,
    #[serde(default)]
    pub(super) status: Option<State>,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) text: Option<Zeroizing<String>>,
    #[serde(default)]
    pub(super) items: Option<Vec<Entry>>,
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Zeroizing<String>>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Zeroizing::new))
}

/// Why the helper failed, which decides what hatbox does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Trouble {
    Absent,
    Locked,
    Refused,
    Unavailable,
    Broken,
}

/// Whether the helper can be used without a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    Ready,
    Locked,
}

/// An item in a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: String,
    #[serde(default)]
    pub(super) about: Option<String>,
}

/// Distinguishes an answer of a later version, which may have other members, from garbage.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// Parses an answer.
///
/// # Errors
/// What is wrong with the answer, without quoting it.
pub(super) fn parse_answer(bytes: &[u8]) -> Result<Answer, &'static str> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("it printed nothing");
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "what it printed is not UTF-8")?;
    match serde_json::from_str::<Version>(text) {
        Ok(Version { version: VERSION }) => {}
        Ok(_) => return Err("its output is not of version 1 of the protocol"),
        Err(_) => return Err("its output is not valid JSON"),
    }
    let mut answer: Answer = serde_json::from_str(text).map_err(|_| "its output has unknown members")?;
    for words in [&mut answer.message, &mut answer.hint].into_iter().flatten() {
        *words = printable_start(words, WORDS_LIMIT);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_line_with_the_members_of_its_verb() {
        let status =
            Request { version: 1, verb: Verb::Status, may_ask: false, name: None, about: None, text: None };
        assert_eq!(&**render_request(&status), b"{\"version\":1,\"verb\":\"status\",\"may_ask\":false}\n");
        let write =
            Request { verb: Verb::Write, name: Some("access-key/a"), text: Some("a\n\"b\""), ..status };
        assert_eq!(
            std::str::from_utf8(&render_request(&write)).unwrap(),
            "{\"version\":1,\"verb\":\"write\",\"may_ask\":false,\"name\":\"access-key/a\",\"text\":\"a\\n\\\"b\\\"\"}\n"
        );
    }

    #[test]
    fn what_is_not_an_answer_is_reported_in_words_that_hold_none_of_it() {
        let cases: [(&[u8], &str); 9] = [
            (b"", "it printed nothing"),
            (b" \n", "it printed nothing"),
            (b"\xff", "what it printed is not UTF-8"),
            (b"canary", "its output is not valid JSON"),
            (b"{\"version\":1}{\"version\":1}", "its output is not valid JSON"),
            (b"{\"status\":\"ready\"}", "its output is not valid JSON"),
            (b"{\"version\":2,\"new\":1}", "its output is not of version 1 of the protocol"),
            (b"{\"version\":1,\"canary\":1}", "its output has unknown members"),
            (b"{\"version\":1,\"error\":\"canary\"}", "its output has unknown members"),
        ];
        for (bytes, problem) in cases {
            assert_eq!(parse_answer(bytes).err(), Some(problem));
        }
        let long =
            format!("{{\"version\":1,\"error\":\"broken\",\"message\":\"\\u001b[2J{}\"}}", "x".repeat(999));
        let answer = parse_answer(long.as_bytes()).ok().unwrap();
        assert_eq!(answer.error, Some(Trouble::Broken));
        let message = answer.message.unwrap();
        assert!(message.starts_with("\\u001b[2Jx") && message.len() < 320, "{message}");
    }
}
