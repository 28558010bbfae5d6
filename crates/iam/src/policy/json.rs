//! Parses JSON and keeps the position of each value, so that findings can point into the text.

use std::borrow::Cow;
use std::collections::HashSet;
use std::str::Chars;

use super::node::{JsonError, Member, Node, Place, Unprintable, Value};
use hatbox_types::text::printable;

/// The maximum number of an object's members for which a linear search detects duplicates.
const FEW: usize = 16;

/// The maximum depth of nested arrays and objects. A policy needs 5.
const MAX_DEPTH: usize = 64;

/// Decodes the bytes of a JSON file, which must be UTF-8 (RFC 8259).
pub(crate) fn decode(bytes: &[u8]) -> Result<&str, JsonError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let mut place = Place::START;
        std::str::from_utf8(before).unwrap_or_default().chars().for_each(|c| place.pass(c));
        JsonError { place, problem: "the text is not UTF-8 from here on".to_owned() }
    })
}

/// Parses `text` as a single JSON value. Skips a leading byte order mark.
pub(crate) fn parse_json(text: &str) -> Result<Node<'_>, JsonError> {
    let mut reader = Reader::new(text);
    let node = reader.read_value(0)?;
    reader.skip_blanks();
    match reader.peek() {
        None => Ok(node),
        Some(c) => Err(reader.error(format!("{c:?} after the end of the JSON value"))),
    }
}

/// Parses `text` as a sequence of JSON values, at least one.
pub(crate) fn parse_json_values(text: &str) -> Result<Vec<Node<'_>>, JsonError> {
    let mut reader = Reader::new(text);
    let mut nodes = Vec::new();
    loop {
        nodes.push(reader.read_value(0)?);
        reader.skip_blanks();
        if reader.peek().is_none() {
            return Ok(nodes);
        }
    }
}

struct Reader<'t> {
    rest: Chars<'t>,
    place: Place,
    /// The items of all open arrays, the innermost last. A finished array moves its items out into an allocation of the
    /// exact size.
    items: Vec<Node<'t>>,
    /// The members of all open objects, likewise.
    members: Vec<Member<'t>>,
}

impl<'t> Reader<'t> {
    /// Creates a reader at the first value of `text`.
    fn new(text: &'t str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader =
            Self { rest: text.chars(), place: Place::START, items: Vec::new(), members: Vec::new() };
        reader.skip_blanks();
        reader
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.place.pass(c);
        Some(c)
    }

    fn error(&self, problem: impl Into<String>) -> JsonError {
        JsonError { place: self.place, problem: problem.into() }
    }

    fn unexpected(&self, wanted: &str) -> JsonError {
        match self.peek() {
            Some(c) => self.error(format!("expected {wanted}, found {c:?}")),
            None => self.error(format!("expected {wanted}, but the text ends here")),
        }
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.next();
        }
    }

    fn skip(&mut self, wanted: char) -> bool {
        let is_there = self.peek() == Some(wanted);
        if is_there {
            self.next();
        }
        is_there
    }

    fn read_value(&mut self, depth: usize) -> Result<Node<'t>, JsonError> {
        if depth >= MAX_DEPTH {
            return Err(self.error(format!("nested more than {MAX_DEPTH} levels deep")));
        }
        let place = self.place;
        let value = match self.peek() {
            Some('{') => self.read_object(depth)?,
            Some('[') => self.read_array(depth)?,
            Some('"') => {
                let text = self.read_string()?;
                match printable(&text) {
                    Cow::Borrowed(_) => Value::String(text),
                    Cow::Owned(_) => Value::Unprintable(Box::new(Unprintable::new(text))),
                }
            }
            Some('-' | '0'..='9') => Value::Number(self.read_number()?),
            Some('t') => self.read_word("true", Value::Bool(true))?,
            Some('f') => self.read_word("false", Value::Bool(false))?,
            Some('n') => self.read_word("null", Value::Null)?,
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Node { place, value })
    }

    fn read_word(&mut self, word: &str, value: Value<'t>) -> Result<Value<'t>, JsonError> {
        for wanted in word.chars() {
            if !self.skip(wanted) {
                return Err(self.unexpected(&format!("`{word}`")));
            }
        }
        Ok(value)
    }

    fn read_array(&mut self, depth: usize) -> Result<Value<'t>, JsonError> {
        self.next();
        let start = self.items.len();
        self.skip_blanks();
        if self.skip(']') {
            return Ok(Value::Array(Vec::new()));
        }
        loop {
            self.skip_blanks();
            let item = self.read_value(depth + 1)?;
            self.items.push(item);
            self.skip_blanks();
            if self.skip(']') {
                return Ok(Value::Array(self.items.drain(start..).collect()));
            }
            if !self.skip(',') {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
    }

    fn read_object(&mut self, depth: usize) -> Result<Value<'t>, JsonError> {
        self.next();
        let start = self.members.len();
        // Objects with many members occur in snapshots.
        let mut names = HashSet::new();
        self.skip_blanks();
        if self.skip('}') {
            return Ok(Value::Object(Vec::new()));
        }
        loop {
            self.skip_blanks();
            let place = self.place;
            if self.peek() != Some('"') {
                return Err(self.unexpected("a name in double quotes"));
            }
            let name = match self.read_string()? {
                Cow::Borrowed(name) => printable(name),
                Cow::Owned(name) => Cow::Owned(printable(&name).into_owned()),
            };
            let members = self.members.get(start..).unwrap_or_default();
            let is_twice = if members.len() < FEW {
                members.iter().any(|member| member.name == name)
            } else {
                if names.is_empty() {
                    names.extend(members.iter().map(|member| member.name.clone()));
                }
                !names.insert(name.clone())
            };
            if is_twice {
                return Err(JsonError { place, problem: format!("`{name}` is there twice in one object") });
            }
            self.skip_blanks();
            if !self.skip(':') {
                return Err(self.unexpected("`:`"));
            }
            self.skip_blanks();
            let node = self.read_value(depth + 1)?;
            self.members.push(Member { place, name, node });
            self.skip_blanks();
            if self.skip('}') {
                return Ok(Value::Object(self.members.drain(start..).collect()));
            }
            if !self.skip(',') {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
    }

    fn read_string(&mut self) -> Result<Cow<'t, str>, JsonError> {
        let start = self.place;
        self.next();
        let mut text = Cow::Borrowed(self.take_plain());
        loop {
            let here = self.place;
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => {
                    let text = text.to_mut();
                    text.push(self.read_escape(here)?);
                    text.push_str(self.take_plain());
                }
                Some(c) => {
                    return Err(JsonError { place: here, problem: format!("{c:?} in a string, unescaped") });
                }
                None => return Err(JsonError { place: start, problem: "a string without end".into() }),
            }
        }
    }

    /// Takes all characters up to the next quote, escape or control character at once, for speed.
    fn take_plain(&mut self) -> &'t str {
        let rest = self.rest.as_str();
        let plain = plain_start(rest);
        self.place.pass_in_line(plain);
        self.rest = rest.get(plain.len()..).unwrap_or_default().chars();
        plain
    }

    fn read_escape(&mut self, start: Place) -> Result<char, JsonError> {
        let bad = |problem: &str| JsonError { place: start, problem: problem.into() };
        Ok(match self.next() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let first = self.read_hex().ok_or_else(|| bad("`\\u` without four hex digits"))?;
                let code = if (0xD800..0xDC00).contains(&first) {
                    let second = (self.skip('\\') && self.skip('u')).then(|| self.read_hex()).flatten();
                    match second {
                        Some(low) if (0xDC00..0xE000).contains(&low) => {
                            0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00)
                        }
                        _ => return Err(bad("half of a surrogate pair")),
                    }
                } else {
                    first
                };
                char::from_u32(code).ok_or_else(|| bad("half of a surrogate pair"))?
            }
            _ => return Err(bad("an unknown escape in a string")),
        })
    }

    fn read_hex(&mut self) -> Option<u32> {
        let mut code = 0;
        for _ in 0..4 {
            code = code * 16 + self.peek()?.to_digit(16)?;
            self.next();
        }
        Some(code)
    }

    fn read_number(&mut self) -> Result<&'t str, JsonError> {
        let start = self.rest.clone();
        self.skip('-');
        if !self.skip('0') {
            self.skip_digits()?;
        }
        if self.skip('.') {
            self.skip_digits()?;
        }
        if self.skip('e') || self.skip('E') {
            let _has_sign = self.skip('+') || self.skip('-');
            self.skip_digits()?;
        }
        let length = start.as_str().len() - self.rest.as_str().len();
        Ok(start.as_str().get(..length).unwrap_or_default())
    }

    fn skip_digits(&mut self) -> Result<(), JsonError> {
        if !matches!(self.peek(), Some('0'..='9')) {
            return Err(self.unexpected("a digit"));
        }
        while matches!(self.peek(), Some('0'..='9')) {
            self.next();
        }
        Ok(())
    }
}

/// Returns the start of a string up to the first quote, backslash or control character.
fn plain_start(text: &str) -> &str {
    let is_plain = |byte: u8| !matches!(byte, b'"' | b'\\' | 0..b' ');
    let length = text.bytes().position(|byte| !is_plain(byte)).unwrap_or(text.len());
    text.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_of(text: &str) -> (u32, u32, String) {
        let error = parse_json(text).unwrap_err();
        (error.place.line, error.place.column, error.problem)
    }

    #[test]
    fn values_keep_the_place_where_they_start() {
        let node = parse_json("\u{feff}{\n  \"é\": [1, true]\n}").unwrap();
        let Value::Object(members) = node.value else { panic!("no object") };
        assert_eq!(members[0].place, Place { line: 2, column: 3 });
        let Value::Array(items) = &members[0].node.value else { panic!("no list") };
        assert_eq!(items[1], Node { place: Place { line: 2, column: 12 }, value: Value::Bool(true) });
    }

    #[test]
    fn bytes_that_are_not_text_are_reported_with_their_place() {
        assert_eq!(decode("é\n".as_bytes()), Ok("é\n"));
        for (bytes, line, column) in
            [(&b"\xff"[..], 1, 1), (b"a\xc3\xa9\xff", 1, 3), (b"ab\nc\n\nd\xc3", 4, 2)]
        {
            let error = decode(bytes).unwrap_err();
            assert_eq!(error.place, Place { line, column }, "{bytes:?}");
        }
    }

    #[test]
    fn strings_are_unescaped() {
        let node = parse_json(r#""a\u00e9\ud83d\ude00\b\f\n\r\t\/\"\\""#).unwrap();
        let Value::Unprintable(text) = &node.value else { panic!("no text that is escaped") };
        assert_eq!(text.raw, "aé😀\u{8}\u{c}\n\r\t/\"\\");
        assert_eq!(
            parse_json(r#""a\u00e9\ud83d\ude00\/\"\\""#).unwrap().value,
            Value::String("aé😀/\"\\".into())
        );
    }

    #[test]
    fn words_are_read_as_they_are_shown() {
        let text = r#"{"Sid\n::error": ["Ops\n::error", "\u001b[31m", "a\u202eb"]}"#;
        let node = parse_json(text).unwrap();
        let member = node.find_member(r"Sid\n::error").unwrap();
        let words = member.node.one_or_many().iter().map(|item| item.text("a word").unwrap());
        assert_eq!(words.collect::<Vec<_>>(), [r"Ops\n::error", r"\u001b[31m", r"a\u202eb"]);
    }

    #[test]
    fn numbers_stay_as_they_are_written() {
        for text in ["0", "-1.50", "1e+9", "1E-9", "12345678901234567890"] {
            assert_eq!(parse_json(text).unwrap().value, Value::Number(text));
        }
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for (text, line, column, why) in [
            ("", 1, 1, "nothing there"),
            ("{\"a\":1,\n \"a\":2}", 2, 2, "the second of two equal names"),
            ("{\"a\":1,}", 1, 8, "a comma before the end"),
            ("[1 2]", 1, 4, "a missing comma"),
            ("[\"é\", x]", 1, 7, "columns count characters, not bytes"),
            ("{a: 1}", 1, 2, "a name without quotes"),
            ("[01]", 1, 3, "a leading zero"),
            ("[1.]", 1, 4, "a point without digits"),
            ("[\"a\nb\"]", 1, 4, "a raw line end in a string"),
            ("[\"\\ud800\"]", 1, 3, "a lone surrogate"),
            ("[\"\\udc00\"]", 1, 3, "a lone low surrogate"),
            ("[\"\\ud800\\u0041\"]", 1, 3, "a surrogate before a plain character"),
            ("[\"\\ud800\\ue000\"]", 1, 3, "a surrogate before what is beyond them"),
            ("[1e]", 1, 4, "an exponent without digits"),
            ("[\"\\x\"]", 1, 3, "an unknown escape"),
            ("  \"abc", 1, 3, "a string without end is blamed at its start"),
            ("{} {}", 1, 4, "two values"),
            ("tru", 1, 4, "a word cut short"),
        ] {
            let (at_line, at_column, problem) = place_of(text);
            assert_eq!((at_line, at_column), (line, column), "{why}: {problem}");
        }
    }

    #[test]
    fn no_name_comes_twice_however_many_there_are() {
        for count in [1, FEW - 1, FEW, FEW + 1, 3 * FEW] {
            let names: Vec<_> = (0..count).map(|number| format!("\"n{number}\": 1")).collect();
            assert!(parse_json(&format!("{{{}}}", names.join(","))).is_ok());
            for again in [0, count / 2, count - 1] {
                let twice = format!("{{{}, \"n{again}\": 2}}", names.join(","));
                assert!(place_of(&twice).2.contains("there twice"), "{again} of {count}");
            }
        }
    }

    #[test]
    fn nesting_is_bounded() {
        for (open, within, close) in [("[", "", "]"), ("{\"a\":", "{}", "}")] {
            let levels = |n: usize| format!("{}{within}{}", open.repeat(n), close.repeat(n));
            let fits = MAX_DEPTH - usize::from(!within.is_empty());
            assert!(parse_json(&levels(fits)).is_ok(), "{open}");
            assert!(place_of(&levels(fits + 1)).2.contains("64 levels"), "{open}");
            assert!(place_of(&open.repeat(1_000_000)).2.contains("64 levels"), "{open}");
        }
    }

    #[test]
    fn values_may_follow_one_another() {
        assert_eq!(parse_json_values(" {} [1]\n2 ").unwrap().len(), 3);
        assert!(parse_json_values("").is_err());
        let error = parse_json_values("{}\n}").unwrap_err();
        assert_eq!((error.place.line, error.place.column), (2, 1));
    }

    #[test]
    fn a_value_is_written_as_it_was_read() {
        let text = "{\n  \"a\": [\n    1.50,\n    \"\\\"é\",\n    null,\n    [\n      1,\n      {\n        \"d\": true\n      }\n    ]\n  ],\n  \"b\": {},\n  \"c\": []\n}";
        for text in [text, r#""\"""#, r#""\\""#, r#""""#, r#""\u0001""#] {
            assert_eq!(parse_json(text).unwrap().render(), text);
        }
    }
}
