//! Splits terminal output by colour and weight.

/// Text with a uniform style.
#[derive(Default, PartialEq, Debug)]
pub(crate) struct Span {
    pub(crate) text: String,
    /// `bold`, `dim`, or a colour.
    pub(crate) classes: Vec<&'static str>,
}

/// Splits a line where its style changes. Escape sequences other than SGR (ECMA-48, 8.3.117) are dropped.
pub(crate) fn parse_line(line: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut classes: Vec<&'static str> = Vec::new();
    let mut parts = line.split("\x1b[");
    let mut push = |text: &str, classes: &[&'static str]| {
        if !text.is_empty() {
            spans.push(Span { text: text.to_owned(), classes: classes.to_vec() });
        }
    };
    push(parts.next().unwrap_or_default(), &classes);
    for part in parts {
        let (sequence, text) = part.split_at(part.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0));
        let Some(text) = text.strip_prefix('m') else { continue };
        for code in sequence.split(';') {
            match code {
                "" | "0" => classes.clear(),
                "1" => classes.push("bold"),
                "2" | "90" => classes.push("dim"),
                "31" | "91" => classes.push("red"),
                "32" | "92" => classes.push("green"),
                "33" | "93" => classes.push("yellow"),
                "34" | "94" => classes.push("blue"),
                "35" | "95" => classes.push("magenta"),
                "36" | "96" => classes.push("cyan"),
                _ => {}
            }
        }
        push(text, &classes);
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_split_and_other_sequences_are_dropped() {
        let spans = parse_line("a\x1b[1m\x1b[31mb\x1b[0mc\x1b[K\x1b[2;36md");
        let seen: Vec<_> = spans.iter().map(|s| (s.text.as_str(), s.classes.join(" "))).collect();
        assert_eq!(
            seen,
            [
                ("a", String::new()),
                ("b", "bold red".to_owned()),
                ("c", String::new()),
                ("d", "dim cyan".to_owned())
            ]
        );
    }
}
