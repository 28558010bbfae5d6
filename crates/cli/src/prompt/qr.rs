//! A QR code as lines of a terminal: each character shows two modules, one above the other.

use hatbox_types::secret::SecretString;
use qrcodegen::{QrCode, QrCodeEcc, QrSegment, Version};

/// The light border, in modules. The standard requires four, but cameras accept two, and with four the code would not
/// fit into a terminal of 24 lines.
const BORDER: i32 = 2;

/// Black on white in every theme: colours 16 and 231 are not part of a theme.
const START: &str = "\u{1b}[38;5;16;48;5;231m";
const END: &str = "\u{1b}[0m";

/// Whether the terminal supports colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// Black on white, with colours.
    Colours,
    /// Draws only the light modules, which is right on a dark background.
    Plain,
}

/// Renders the concatenated texts as lines; `None` if they are too long. A text of only capital letters and digits
/// takes less room.
pub(crate) fn render_qr(texts: &[&SecretString], paint: Paint) -> Option<Vec<String>> {
    let segments: Vec<_> = texts.iter().flat_map(|text| QrSegment::make_segments(text.expose())).collect();
    let (low, high) = (Version::MIN, Version::new(20));
    let code = QrCode::encode_segments_advanced(&segments, QrCodeEcc::Low, low, high, None, true).ok()?;
    let places = || -BORDER..code.size() + BORDER;
    let line = |y: i32| {
        let cells: String =
            places().map(|x| cell(paint, code.get_module(x, y), code.get_module(x, y + 1))).collect();
        match paint {
            Paint::Colours => format!("{START}{cells}{END}"),
            Paint::Plain => cells,
        }
    };
    Some(places().step_by(2).map(line).collect())
}

/// Returns the character for a dark or light module above another.
fn cell(paint: Paint, upper_is_dark: bool, lower_is_dark: bool) -> char {
    let is_drawn = |is_dark: bool| is_dark == (paint == Paint::Colours);
    match (is_drawn(upper_is_dark), is_drawn(lower_is_dark)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::new(text.to_owned())
    }

    /// The modules as a camera sees them: `true` is dark.
    fn modules(lines: &[String], paint: Paint) -> Vec<Vec<bool>> {
        let mut rows = Vec::new();
        for line in lines {
            let cells = line.strip_prefix(START).and_then(|rest| rest.strip_suffix(END)).unwrap_or(line);
            let parts: Vec<_> = cells
                .chars()
                .map(|c| match c {
                    '█' => (true, true),
                    '▀' => (true, false),
                    '▄' => (false, true),
                    ' ' => (false, false),
                    other => panic!("{other}"),
                })
                .collect();
            let is_dark = |is_drawn: bool| is_drawn == (paint == Paint::Colours);
            rows.push(parts.iter().map(|part| is_dark(part.0)).collect());
            rows.push(parts.iter().map(|part| is_dark(part.1)).collect());
        }
        rows
    }

    #[test]
    fn both_ways_show_the_modules_of_the_code_with_a_border() {
        let texts = [secret("otpauth://totp/AWS:jan@111122223333?secret="), secret(&"A".repeat(64))];
        let texts: Vec<_> = texts.iter().collect();
        let segments: Vec<_> =
            texts.iter().flat_map(|text| QrSegment::make_segments(text.expose())).collect();
        let code = QrCode::encode_segments(&segments, QrCodeEcc::Low).unwrap();
        for paint in [Paint::Colours, Paint::Plain] {
            let seen = modules(&render_qr(&texts, paint).unwrap(), paint);
            for (y, row) in (-BORDER..).zip(&seen) {
                assert_eq!(row.len(), usize::try_from(code.size() + 2 * BORDER).unwrap());
                for (x, is_dark) in (-BORDER..).zip(row) {
                    assert_eq!(*is_dark, code.get_module(x, y), "{x} {y}");
                }
            }
        }
    }

    #[test]
    fn the_code_of_a_device_fits_into_80_columns_and_24_lines() {
        let texts = [
            secret("otpauth://totp/AWS:firstname.lastname@111122223333?secret="),
            secret(&"A".repeat(64)),
            secret("&issuer=AWS"),
        ];
        let lines = render_qr(&texts.iter().collect::<Vec<_>>(), Paint::Plain).unwrap();
        assert!(lines.len() <= 23, "{}", lines.len());
        assert!(lines.iter().all(|line| line.chars().count() <= 79));
        assert!(render_qr(&[&secret(&"x".repeat(5000))], Paint::Plain).is_none());
    }
}
