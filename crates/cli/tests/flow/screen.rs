//! Renders what a terminal shows after these bytes, as far as prompts need it.

/// Returns the lines of the screen, without trailing spaces.
pub(crate) fn render_screen(bytes: &[u8], columns: usize) -> Vec<String> {
    let mut screen = Screen { lines: vec![Vec::new()], row: 0, column: 0, columns, main: None };
    let text = String::from_utf8_lossy(bytes);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\r' => screen.column = 0,
            '\n' => screen.down(),
            '\x08' => screen.column = screen.column.saturating_sub(1),
            '\x1b' => {
                assert_eq!(characters.next(), Some('['), "an escape that this screen does not know");
                let sequence: String = characters.by_ref().take_while_inclusive();
                screen.obey(&sequence);
            }
            shown => screen.put(shown),
        }
    }
    let lines = screen.lines.into_iter().map(|line| line.into_iter().collect::<String>());
    let mut lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Reads the rest of an escape sequence, up to its letter.
trait Sequence {
    fn take_while_inclusive(&mut self) -> String;
}

impl<I: Iterator<Item = char>> Sequence for I {
    fn take_while_inclusive(&mut self) -> String {
        let mut sequence = String::new();
        for character in self {
            sequence.push(character);
            if character.is_ascii_alphabetic() {
                break;
            }
        }
        sequence
    }
}

struct Screen {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
    columns: usize,
    /// The main screen with its row and column, while the alternate screen is shown.
    main: Option<(Vec<Vec<char>>, usize, usize)>,
}

impl Screen {
    fn put(&mut self, character: char) {
        if self.column >= self.columns {
            self.column = 0;
            self.down();
        }
        let line = &mut self.lines[self.row];
        line.resize(line.len().max(self.column + 1), ' ');
        line[self.column] = character;
        self.column += 1;
    }

    fn down(&mut self) {
        self.row += 1;
        if self.row == self.lines.len() {
            self.lines.push(Vec::new());
        }
    }

    fn obey(&mut self, sequence: &str) {
        let (number, letter) = sequence.split_at(sequence.len() - 1);
        match letter {
            // Colours do not change the text.
            "m" => {}
            "h" if number == "?1049" => {
                let lines = std::mem::replace(&mut self.lines, vec![Vec::new()]);
                self.main = Some((lines, self.row, self.column));
                (self.row, self.column) = (0, 0);
            }
            "l" if number == "?1049" => {
                let main = self.main.take().unwrap();
                (self.lines, self.row, self.column) = main;
            }
            "H" if number.is_empty() => (self.row, self.column) = (0, 0),
            "A" => self.row = self.row.saturating_sub(number.parse().unwrap_or(1)),
            "F" => {
                self.row = self.row.saturating_sub(number.parse().unwrap_or(1));
                self.column = 0;
            }
            "K" => self.lines[self.row].truncate(self.column),
            "J" => {
                self.lines[self.row].truncate(self.column);
                self.lines.truncate(self.row + 1);
            }
            other => panic!("this screen does not know {number}{other}"),
        }
    }
}

#[test]
fn a_screen_overwrites_erases_and_wraps() {
    assert_eq!(render_screen(b"abc\rX\r\nnext", 80), ["Xbc", "next"]);
    assert_eq!(render_screen(b"12345\r\x1b[1A\x1b[Jz", 3), ["z"], "what wrapped is erased from above");
    assert_eq!(render_screen(b"a\x1b[?1049h\x1b[Hdrawn", 80), ["drawn"]);
    assert_eq!(render_screen(b"a\x1b[?1049h\x1b[Hdrawn\n\x1b[?1049lb", 80), ["ab"]);
    assert_eq!(render_screen(b"ab\x08 \x08c\x1b[31m!\x1b[0m", 80), ["ac!"]);
}
