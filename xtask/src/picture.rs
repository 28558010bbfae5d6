//! `picture`: docs/demo.svg, drawn from a real run of the demo.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use crate::Problem;
use crate::scene::{Build, build, check, root};

/// The steps of the demo that are drawn: from the first heading up to, and without, the second.
const STEPS: [&str; 2] = ["3/", "6/"];

const LINE: usize = 19;
const MARGIN: usize = 22;
/// Of a character, in tenths of a pixel: monospaced fonts are 0.6 em wide.
const COLUMN: usize = 84;

const STYLE: &str = "\
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2328}\
.frame{fill:#f6f8fa;stroke:#d1d9e0}\
.bold{font-weight:bold}.dim{fill:#59636e}.red{fill:#b3261e}.green{fill:#116329}.yellow{fill:#7a5600}\
.blue{fill:#0550ae}.magenta{fill:#8250df}.cyan{fill:#0b6b78}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.frame{fill:#0d1117;stroke:#3d444d}\
.dim{fill:#9198a1}.red{fill:#ff7b72}.green{fill:#56d364}.yellow{fill:#e3b341}\
.blue{fill:#79c0ff}.magenta{fill:#d2a8ff}.cyan{fill:#56d4dd}}";

/// Draws it.
pub(crate) fn run() -> Result<(), Problem> {
    let program = build(Build::Release)?;
    // Where `aws` and `terraform` seldom are, so that the picture is the same wherever it is drawn.
    let mut demo = Command::new(program);
    demo.args(["sandbox", "demo"]).env_clear().env("PATH", "/usr/bin:/bin").env("CLICOLOR_FORCE", "1");
    demo.env("TERM", "xterm-256color").env("HOME", std::env::temp_dir()).stdin(Stdio::null());
    let printed = check(&demo.output()?)?;
    let lines: Vec<Vec<Span>> = printed.lines().map(parse_line).collect();
    let starts = |line: &[Span], step: &str| line.first().is_some_and(|span| span.text.starts_with(step));
    let chosen: Vec<_> = lines
        .iter()
        .skip_while(|line| !starts(line, STEPS[0]))
        .take_while(|line| !starts(line, STEPS[1]))
        .collect();
    if chosen.is_empty() || chosen.len() == lines.len() {
        return Err("the demo has not the steps that are drawn".into());
    }
    std::fs::write(root().join("docs/demo.svg"), render(&chosen)?)?;
    Ok(())
}

/// Text of one look.
#[derive(Default, PartialEq, Debug)]
struct Span {
    text: String,
    /// Names of classes of [`STYLE`].
    classes: Vec<&'static str>,
}

/// Splits a line where its look changes. Of the escape sequences only SGR's (ECMA-48, 8.3.117) mean something.
fn parse_line(line: &str) -> Vec<Span> {
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

fn render(lines: &[&Vec<Span>]) -> Result<String, Problem> {
    let columns = lines.iter().map(|line| line.iter().map(|s| s.text.chars().count()).sum::<usize>()).max();
    let width = 2 * MARGIN + columns.unwrap_or_default() * COLUMN / 10;
    let last = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |at| at + 1);
    let height = 2 * MARGIN + last * LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xml:space=\"preserve\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n\
         <title>hatbox explains a role, puts on two, and asks for an MFA code</title>\n\
         <style>{STYLE}</style>\n\
         <rect class=\"frame\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n",
        width - 1,
        height - 1
    );
    for (number, line) in lines.iter().take(last).enumerate().filter(|(_, line)| !line.is_empty()) {
        write!(svg, "<text x=\"{MARGIN}\" y=\"{}\">", MARGIN + number * LINE + 14)?;
        for span in *line {
            let text = escape(&span.text);
            match span.classes.join(" ") {
                none if none.is_empty() => svg.push_str(&text),
                classes => write!(svg, "<tspan class=\"{classes}\">{text}</tspan>")?,
            }
        }
        svg.push_str("</text>\n");
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

/// No text of the demo is taken for markup, and no blank of it is dropped.
fn escape(text: &str) -> String {
    let text = text.replace(char::is_control, "").replace(' ', "\u{a0}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_told_apart_and_other_sequences_are_dropped() {
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

    #[test]
    fn text_is_no_markup() {
        let line = parse_line("<script> &\x07");
        let svg = render(&[&line]).unwrap();
        assert!(svg.contains(">&lt;script&gt;\u{a0}&amp;</text>"), "{svg}");
    }
}
