//! The protocol of pinentry, GnuPG's dialog: renders the question and parses the answer.
//! <https://www.gnupg.org/documentation/manuals/assuan/>

use std::fmt::Write as _;

use hatbox_types::text::printable;
use zeroize::Zeroizing;

/// libgpg-error's code for a dialog that the user closed, in the low 16 bits of the number.
const CANCELED: u32 = 99;

/// Why pinentry returned no answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PinentryError {
    /// The user closed the dialog.
    #[error("cancelled")]
    Cancelled,
    /// Pinentry reported an error, such as a missing display.
    #[error("it says `{0}`")]
    Refused(String),
    /// Pinentry exited without answering.
    #[error("it gave no answer")]
    Silent,
}

/// Renders the whole conversation at once, as pinentry answers line by line. `device` is the terminal, if there is one,
/// for a pinentry without windows.
pub(super) fn render_question(text: &str, device: Option<&str>) -> Zeroizing<Vec<u8>> {
    let mut lines = String::new();
    if let Some(device) = device {
        push_line(&mut lines, "OPTION ttyname=", device);
    }
    lines.push_str("SETTITLE hatbox\n");
    push_line(&mut lines, "SETDESC ", text);
    lines.push_str("SETPROMPT Code:\nGETPIN\nBYE\n");
    Zeroizing::new(lines.into_bytes())
}

fn push_line(lines: &mut String, command: &str, text: &str) {
    lines.push_str(command);
    for c in text.chars() {
        if c == '%' || c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                // Writing to a String does not fail.
                write!(lines, "%{byte:02X}").ok();
            }
        } else {
            lines.push(c);
        }
    }
    lines.push('\n');
}

/// Finds the answer in pinentry's output.
pub(super) fn parse_answer(output: &[u8]) -> Result<&str, PinentryError> {
    let output = std::str::from_utf8(output).unwrap_or_default();
    if let Some(answer) = output.lines().find_map(|line| line.strip_prefix("D ")) {
        // Pinentry does not escape digits, so an escaped answer cannot be a code.
        return Ok(answer);
    }
    // Unknown options cause errors too; the last error is the one about the question.
    let Some(error) = output.lines().filter_map(|line| line.strip_prefix("ERR ")).next_back() else {
        return Err(PinentryError::Silent);
    };
    let (number, text) = error.split_once(' ').unwrap_or((error, ""));
    match number.parse::<u32>() {
        Ok(number) if number & 0xffff == CANCELED => Err(PinentryError::Cancelled),
        _ => Err(PinentryError::Refused(printable(text).into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_lines_that_text_cannot_end() {
        let lines = |text, device| String::from_utf8(render_question(text, device).to_vec()).unwrap();
        assert_eq!(
            lines("50% of\nit", None),
            "SETTITLE hatbox\nSETDESC 50%25 of%0Ait\nSETPROMPT Code:\nGETPIN\nBYE\n"
        );
        assert!(lines("x", Some("/dev/pts/3")).starts_with("OPTION ttyname=/dev/pts/3\nSETTITLE"));
    }

    #[test]
    fn the_answer_is_found_or_the_reason_for_none() {
        for (output, expected) in [
            ("OK Pleased to meet you\nOK\nOK\nOK\nD 123456\nOK\nOK closing connection\n", Ok("123456")),
            ("OK\nERR 83886254 Unknown option <Pinentry>\nOK\nD 1\nOK\n", Ok("1")),
            ("OK\nERR 83886179 Operation cancelled <Pinentry>\n", Err(PinentryError::Cancelled)),
            (
                "OK\nERR 83918950 Inappropriate \u{1b}[2Jioctl for device <Pinentry>\nOK closing connection\n",
                Err(PinentryError::Refused("Inappropriate \\u001b[2Jioctl for device <Pinentry>".to_owned())),
            ),
            ("OK\nOK\n", Err(PinentryError::Silent)),
            ("", Err(PinentryError::Silent)),
        ] {
            assert_eq!(parse_answer(output.as_bytes()), expected, "{output:?}");
        }
    }
}
