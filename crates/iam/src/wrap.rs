//! Breaks lines, so that they fit a terminal.

/// Columns of a terminal.
const WIDTH: usize = 80;

/// Breaks a line at blanks behind column `from`, so that it fits; the lines that follow are indented.
pub(super) fn wrap(line: &str, from: usize, indent: usize) -> String {
    let mut text = String::new();
    let mut rest = line.to_owned();
    let mut from = from;
    while rest.chars().count() > WIDTH {
        let fits = rest.char_indices().take(WIDTH + 1).filter(|(_, c)| *c == ' ');
        let at = fits.map(|(at, _)| at).filter(|at| *at > from).last();
        // A word that is longer than a line stands on a line of its own.
        let at = at.or_else(|| rest.char_indices().skip(from + 1).find(|(_, c)| *c == ' ').map(|(at, _)| at));
        let Some((before, after)) = at.and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?))) else {
            break;
        };
        text.push_str(before.trim_end());
        text.push('\n');
        rest = format!("{}{}", " ".repeat(indent), after);
        from = from.max(indent);
    }
    text.push_str(rest.trim_end());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks_and_long_words_stay_whole() {
        let line = format!("  label  says  {} {}", "x".repeat(80), "tail");
        let wrapped = wrap(&line, 15, 15);
        assert_eq!(wrapped.lines().count(), 2, "{wrapped}");
        assert_eq!(wrapped.lines().nth(1), Some(format!("{}tail", " ".repeat(15)).as_str()));
        let long = "x".repeat(100);
        assert_eq!(wrap(&format!("a {long} b"), 0, 2), format!("a\n  {long}\n  b\n"));
        assert!(wrap(&"word ".repeat(40), 0, 4).lines().all(|line| line.len() <= WIDTH));
    }
}
