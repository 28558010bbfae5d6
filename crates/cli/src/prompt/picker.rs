//! A list to pick from, on the terminal: typing filters it, and arrow keys move the selection.
//!
//! The list is above the input line, so the cursor can stay at the end of that line. Each change redraws everything.

use std::io;
use std::time::{Duration, Instant};

use hatbox_types::text::printable;
use hatbox_types::text::wrap::display_width;
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::PromptError;
use crate::sys::signals::Held;
use crate::sys::terminal::Device;

const TICK: Duration = Duration::from_millis(100);
/// The rest of an arrow key's sequence follows Esc at once; the user's next key does not.
const ESCAPE_PAUSE: Duration = Duration::from_millis(40);
/// The maximum number of lines: a longer list takes more time to read than typing.
const MOST_LINES: usize = 12;
const LONGEST_QUERY: usize = 200;

/// What to pick from.
pub(crate) struct Choice<'a> {
    /// What is picked, such as `Profile`.
    pub(crate) what: &'a str,
    /// The rows, the best first, in the order shown while nothing is typed.
    pub(crate) rows: &'a [Row],
    /// How long to wait for a key.
    pub(crate) timeout: Duration,
}

/// A line of the list.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// A text shown beside the name, and searched too.
    pub(crate) about: String,
}

/// What is shown now.
struct List<'a> {
    choice: &'a Choice<'a>,
    query: String,
    /// The indexes of the matching rows, the best first.
    found: Vec<usize>,
    /// The position in `found` that Enter picks.
    at: usize,
    /// The first position in `found` that is shown.
    top: usize,
    /// The number of lines above the cursor.
    lines_above: usize,
}

/// The meaning of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Text(char),
    Up,
    Down,
    PageUp,
    PageDown,
    Enter,
    EraseChar,
    EraseWord,
    EraseAll,
    Cancel,
    Nothing,
}

/// Lets the user pick a row. Returns its index.
pub(super) fn pick(device: &Device, choice: &Choice<'_>) -> Result<usize, PromptError> {
    // Without erasing, each key would print the list again.
    if !device.can_erase() {
        return Err(PromptError::NoTerminal);
    }
    let held = Held::new();
    let raw = device.set_raw().map_err(PromptError::Io)?;
    let mut list = List {
        choice,
        query: String::new(),
        found: (0..choice.rows.len()).collect(),
        at: 0,
        top: 0,
        lines_above: 0,
    };
    let result = list.run(device, &held);
    device.write(list.erasure().as_bytes()).ok();
    drop(raw);
    drop(held);
    result
}

impl List<'_> {
    fn run(&mut self, device: &Device, held: &Held) -> Result<usize, PromptError> {
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut size = None;
        let mut end = Instant::now() + self.choice.timeout;
        loop {
            let now = (device.columns().unwrap_or(80), device.rows().unwrap_or(24));
            if size != Some(now) {
                size = Some(now);
                let text = self.render(now);
                device.write(text.as_bytes()).map_err(PromptError::Io)?;
            }
            if held.is_one_pending() {
                return Err(PromptError::Cancelled);
            }
            if Instant::now() >= end {
                return Err(PromptError::TimedOut(self.choice.timeout));
            }
            if !device.wait_for_input(TICK).map_err(PromptError::Io)? {
                continue;
            }
            end = Instant::now() + self.choice.timeout;
            match read_key(device)? {
                Key::Cancel => return Err(PromptError::Cancelled),
                Key::Enter => {
                    if let Some(index) = self.found.get(self.at) {
                        return Ok(*index);
                    }
                }
                key => self.obey(key, &mut matcher),
            }
            // Forces a redraw.
            size = None;
        }
    }

    fn obey(&mut self, key: Key, matcher: &mut Matcher) {
        let last = self.found.len().saturating_sub(1);
        match key {
            Key::Up => self.at = self.at.checked_sub(1).unwrap_or(last),
            Key::Down => self.at = if self.at >= last { 0 } else { self.at + 1 },
            Key::PageUp => self.at = self.at.saturating_sub(MOST_LINES),
            Key::PageDown => self.at = (self.at + MOST_LINES).min(last),
            Key::Text(character) if self.query.len() < LONGEST_QUERY => {
                self.query.push(character);
                self.filter(matcher);
            }
            Key::EraseChar => {
                self.query.pop();
                self.filter(matcher);
            }
            Key::EraseWord => {
                let kept = self.query.trim_end().rfind(' ').map_or(0, |blank| blank + 1);
                self.query.truncate(kept);
                self.filter(matcher);
            }
            Key::EraseAll => {
                self.query.clear();
                self.filter(matcher);
            }
            _ => {}
        }
    }

    /// Finds the rows that contain all words of the query, in any order.
    fn filter(&mut self, matcher: &mut Matcher) {
        let pattern = Pattern::new(&self.query, CaseMatching::Smart, Normalization::Smart, AtomKind::Fuzzy);
        let mut characters = Vec::new();
        let mut scored: Vec<(u32, usize)> = Vec::new();
        for (index, row) in self.choice.rows.iter().enumerate() {
            let text = format!("{} {}", row.name, row.about);
            if let Some(score) = pattern.score(Utf32Str::new(&text, &mut characters), matcher) {
                scored.push((score, index));
            }
        }
        // Equal matches are ordered by how often they were picked.
        scored.sort_by_key(|(score, index)| (std::cmp::Reverse(*score), *index));
        self.found = scored.into_iter().map(|(_, index)| index).collect();
        (self.at, self.top) = (0, 0);
    }

    /// Renders the list and the input line, replacing the previous ones.
    fn render(&mut self, (columns, rows): (usize, usize)) -> String {
        let room = rows.saturating_sub(2).clamp(1, MOST_LINES);
        if self.at < self.top {
            self.top = self.at;
        } else if self.at >= self.top + room {
            self.top = self.at + 1 - room;
        }
        let mut text = self.erasure();
        let shown: Vec<usize> = self.found.iter().skip(self.top).take(room).copied().collect();
        let rows = self.choice.rows;
        let widest =
            shown.iter().filter_map(|index| rows.get(*index)).map(|row| display_width(&printable(&row.name)));
        let column = widest.max().unwrap_or_default().min(columns / 2);
        for (place, index) in shown.iter().enumerate() {
            let Some(row) = rows.get(*index) else { continue };
            let mark = if self.top + place == self.at { "> " } else { "  " };
            let name = printable(&row.name);
            let gap = " ".repeat(column.saturating_sub(display_width(&name)) + 2);
            let line = format!("{mark}{name}{gap}{}", printable(&row.about));
            text.push_str(cut(&line, columns.saturating_sub(1)).trim_end());
            text.push('\n');
        }
        let label = format!("{} ({} of {}): ", self.choice.what, self.found.len(), rows.len());
        let label = if display_width(&label) < columns / 2 { label } else { "> ".to_owned() };
        let left = columns.saturating_sub(1 + display_width(&label));
        // Of a query that is too long, show its end.
        let mut query = &*self.query;
        while display_width(query) > left {
            let mut characters = query.chars();
            characters.next();
            query = characters.as_str();
        }
        text.push_str(&label);
        text.push_str(query);
        self.lines_above = shown.len();
        text
    }

    /// Returns the sequence that erases what is shown.
    fn erasure(&self) -> String {
        let up = if self.lines_above > 0 { format!("\x1b[{}A", self.lines_above) } else { String::new() };
        format!("\r{up}\x1b[J")
    }
}

/// Returns the start of a line that fits into the columns.
fn cut(line: &str, columns: usize) -> &str {
    let mut end = 0;
    for (at, character) in line.char_indices() {
        let next = at + character.len_utf8();
        if display_width(line.get(..next).unwrap_or_default()) > columns {
            break;
        }
        end = next;
    }
    line.get(..end).unwrap_or_default()
}

fn read_byte(device: &Device) -> Result<u8, PromptError> {
    loop {
        let mut byte = [0];
        match device.read(&mut byte) {
            Ok(0) => return Err(PromptError::Cancelled),
            Ok(_) => return Ok(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(PromptError::Io(error)),
        }
    }
}

fn read_key(device: &Device) -> Result<Key, PromptError> {
    let byte = read_byte(device)?;
    Ok(match byte {
        0x03 | 0x04 => Key::Cancel,
        b'\r' | b'\n' => Key::Enter,
        0x08 | 0x7f => Key::EraseChar,
        b'\t' | 0x0e => Key::Down,
        0x10 => Key::Up,
        0x15 => Key::EraseAll,
        0x17 => Key::EraseWord,
        0x1b => return read_escape(device),
        ..0x20 => Key::Nothing,
        0x20..0x80 => Key::Text(char::from(byte)),
        _ => read_rest(device, byte)?,
    })
}

/// Reads the rest of a UTF-8 character with several bytes.
fn read_rest(device: &Device, first: u8) -> Result<Key, PromptError> {
    let more = match first {
        0xc0..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf7 => 3,
        _ => return Ok(Key::Nothing),
    };
    let mut bytes = vec![first];
    for _ in 0..more {
        bytes.push(read_byte(device)?);
    }
    let character = std::str::from_utf8(&bytes).ok().and_then(|text| text.chars().next());
    Ok(character.filter(|c| !c.is_control()).map_or(Key::Nothing, Key::Text))
}

/// Reads Esc alone, or the rest of a key's sequence: `[A`, `OA`, `[5~`, `[1;5A`.
fn read_escape(device: &Device) -> Result<Key, PromptError> {
    let is_more = || device.wait_for_input(ESCAPE_PAUSE).map_err(PromptError::Io);
    if !is_more()? {
        return Ok(Key::Cancel);
    }
    if !matches!(read_byte(device)?, b'[' | b'O') {
        return Ok(Key::Nothing);
    }
    let mut parameters = String::new();
    while is_more()? {
        let byte = read_byte(device)?;
        if byte.is_ascii_alphabetic() || byte == b'~' {
            return Ok(match (byte, parameters.as_str()) {
                (b'A', _) => Key::Up,
                (b'B', _) => Key::Down,
                (b'~', "5") => Key::PageUp,
                (b'~', "6") => Key::PageDown,
                _ => Key::Nothing,
            });
        }
        parameters.push(char::from(byte));
    }
    Ok(Key::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rows: &[(&str, &str)], query: &str) -> Vec<String> {
        let rows: Vec<Row> = rows
            .iter()
            .map(|(name, about)| Row { name: (*name).to_owned(), about: (*about).to_owned() })
            .collect();
        let choice = Choice { what: "Profile", rows: &rows, timeout: Duration::ZERO };
        let mut list = List {
            choice: &choice,
            query: query.to_owned(),
            found: Vec::new(),
            at: 0,
            top: 0,
            lines_above: 0,
        };
        list.filter(&mut Matcher::new(Config::DEFAULT));
        list.found.iter().map(|index| rows[*index].name.clone()).collect()
    }

    #[test]
    fn all_words_must_fit_in_any_order_and_place() {
        let rows = [
            ("dev-admin", "111122223333 admin"),
            ("prod-admin", "444455556666 admin"),
            ("prod", "444455556666 reader"),
        ];
        assert_eq!(found(&rows, ""), ["dev-admin", "prod-admin", "prod"], "as they were");
        assert_eq!(found(&rows, "admin prod"), ["prod-admin"]);
        assert_eq!(found(&rows, "4444 read"), ["prod"]);
        assert_eq!(found(&rows, "pradm"), ["prod-admin"]);
        assert_eq!(found(&rows, "xyz"), Vec::<String>::new());
    }

    #[test]
    fn a_list_fits_a_terminal_of_any_width() {
        let rows: Vec<Row> = (0..2000)
            .map(|nth| Row {
                name: format!("profile-with-a-name-{nth}"),
                about: "账号 444455556666".to_owned(),
            })
            .collect();
        let choice = Choice { what: "Profile", rows: &rows, timeout: Duration::ZERO };
        for columns in [4, 20, 80, 300] {
            for height in [1, 3, 24] {
                let mut list = List {
                    choice: &choice,
                    query: "x".repeat(50),
                    found: (0..2000).collect(),
                    at: 1999,
                    top: 0,
                    lines_above: 0,
                };
                let text = list.render((columns, height));
                let text = text.split("\x1b[J").nth(1).unwrap();
                assert!(text.lines().all(|line| display_width(line) < columns), "{columns}: {text}");
                assert!(text.lines().count() <= height.max(2), "{height}: {text}");
                assert!(columns < 30 || text.contains("> profile-with-a-name-1999"), "{text}");
            }
        }
    }
}
