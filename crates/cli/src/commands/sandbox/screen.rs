//! Turns the output of a program on a terminal into the lines that a user would see in the end.
//!
//! Understands lines that are written, overwritten and erased (prompts, progress): carriage return, backspace, erase,
//! colours. Does not understand programs that draw on the whole screen.

/// The current line, and the state of the stream.
#[derive(Debug, Default)]
pub(super) struct Screen {
    line: Vec<u8>,
    /// Whether the cursor is back in the first column, so that new text replaces the line.
    is_returned: bool,
    escape: Option<Vec<u8>>,
}

const ESCAPE: u8 = 0x1b;

impl Screen {
    /// Takes output of the program and returns the lines that it completed.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for &byte in bytes {
            if let Some(mut sequence) = self.escape.take() {
                sequence.push(byte);
                self.feed_escape(sequence);
                continue;
            }
            match byte {
                ESCAPE => self.escape = Some(vec![ESCAPE]),
                b'\n' => lines.push(self.take_line()),
                b'\r' => self.is_returned = true,
                0x08 => while self.line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
                byte if byte < 0x20 && byte != b'\t' => {}
                byte => {
                    self.begin_again_if_returned();
                    self.line.push(byte);
                }
            }
        }
        lines
    }

    /// The current line, without colours.
    pub(super) fn line(&self) -> String {
        anstream::adapter::strip_str(&String::from_utf8_lossy(&self.line)).to_string()
    }

    /// Returns the current line as if it was complete.
    pub(super) fn take_line(&mut self) -> String {
        self.is_returned = false;
        String::from_utf8_lossy(&std::mem::take(&mut self.line)).trim_end().to_owned()
    }

    fn begin_again_if_returned(&mut self) {
        if std::mem::take(&mut self.is_returned) {
            self.line.clear();
        }
    }

    /// Handles a sequence of ECMA-48: `ESC [`, parameters, a letter; `ESC ]`, text, BEL or `ESC \`; or `ESC` and one
    /// byte.
    fn feed_escape(&mut self, sequence: Vec<u8>) {
        match *sequence.as_slice() {
            [_, b'[' | b']'] => self.escape = Some(sequence),
            [_, b'[', .., b'm'] => {
                self.begin_again_if_returned();
                self.line.extend_from_slice(&sequence);
            }
            [_, b'[', .., b'J' | b'K'] => self.begin_again_if_returned(),
            [_, b'[', .., last] if !(0x40..=0x7e).contains(&last) => self.escape = Some(sequence),
            [_, b']', .., 0x07] | [_, b']', .., ESCAPE, b'\\'] => {}
            [_, b']', ..] if sequence.len() < 4096 => self.escape = Some(sequence),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> (Vec<String>, String) {
        let mut screen = Screen::default();
        // One byte at a time, as sequences and characters may be split anywhere.
        let lines = text.bytes().flat_map(|byte| screen.feed(&[byte])).collect();
        (lines, screen.line())
    }

    #[test]
    fn lines_come_out_as_a_person_sees_them_in_the_end() {
        let table = [
            ("a\r\nb\r\n", vec!["a", "b"], "", "a terminal ends lines by both"),
            ("10%\r50%\rdone  \r\n", vec!["done"], "", "progress is overwritten"),
            ("Code: 123\r\x1b[Jnext\n", vec!["next"], "", "a prompt is erased"),
            ("Code: ", vec![], "Code: ", "a prompt waits"),
            ("\x1b[1mbold\x1b[0m\n", vec!["\x1b[1mbold\x1b[0m"], "", "colours stay"),
            ("\x1b[1mCode:\x1b[0m ", vec![], "Code: ", "and are no part of a prompt"),
            ("\x1b]0;title\x07x\n\x1b]0;t\x1b\\y\n", vec!["x", "y"], "", "a window's title is not text"),
            ("üx\x08\x08ab\n", vec!["ab"], "", "a step back takes a character"),
            ("\x1b[?25la\x1b[?25h\n", vec!["a"], "", "the cursor is not text"),
        ];
        for (text, lines, line, why) in table {
            assert_eq!(
                seen(text),
                (lines.into_iter().map(str::to_owned).collect(), line.to_owned()),
                "{why}"
            );
        }
    }

    #[test]
    fn a_sequence_without_end_does_not_grow_for_ever() {
        let mut screen = Screen::default();
        screen.feed(b"\x1b]");
        screen.feed(&[b'x'; 10_000]);
        assert!(screen.escape.is_none());
    }
}
