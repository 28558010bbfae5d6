//! `picture`: generates docs/demo.svg, an animated picture of a real run of the demo.
//!
//! It is animated with CSS only, which browsers also run in an `<img>`, where scripts are disabled. Every animation
//! lasts as long as the whole picture and repeats, so the animations stay in sync. An element that appears at second 7
//! of 40 has a delay of -33 s, as if it were already playing. Where animation is unsupported or unwanted
//! (`prefers-reduced-motion`), the picture shows a single scene.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use crate::Problem;
use crate::looks::{Span, parse_line};
use crate::scene::{Build, build, check, root};

/// The selected steps of the demo, by the start of their command.
const STEPS: [&str; 5] = [
    "hatbox explain dev-infra-admin",
    "hatbox exec security-auditor -- aws s3 ls",
    "hatbox exec dev-infra-admin -- aws s3 cp",
    "hatbox exec dev-infra-admin-without-mfa -- aws s3 ls",
    "hatbox trust graph",
];
/// The step that is shown without animation.
const STILL: usize = 0;

const LINE: usize = 19;
const MARGIN: usize = 22;
/// The width of a character in tenths of a pixel: monospaced fonts are 0.6 em wide.
const COLUMN: usize = 84;
const COLUMNS: usize = 84;

/// When the typing of a scene's command starts, and how long it takes, in seconds.
const TYPING_AT: f64 = 0.6;
const TYPING: f64 = 1.4;
/// The delay between two lines of output, and before and after an answer to a prompt, in seconds.
const BETWEEN_LINES: f64 = 0.06;
const QUESTION: f64 = 1.3;
/// How long a scene remains, in seconds: per line, minimum and maximum.
const READING: (f64, f64, f64) = (0.55, 4.0, 11.0);

const STYLE: &str = "\
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2328}\
.frame,.cover{fill:#f6f8fa}.frame{stroke:#d1d9e0}.title{font-weight:bold;fill:#0b6b78}\
.bold{font-weight:bold}.dim{fill:#59636e}.red{fill:#b3261e}.green{fill:#116329}.yellow{fill:#7a5600}\
.blue{fill:#0550ae}.magenta{fill:#8250df}.cyan{fill:#0b6b78}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.frame,.cover{fill:#0d1117}.frame{stroke:#3d444d}\
.dim{fill:#9198a1}.red{fill:#ff7b72}.green{fill:#56d364}.yellow{fill:#e3b341}\
.blue{fill:#79c0ff}.magenta{fill:#d2a8ff}.cyan,.title{fill:#56d4dd}}";

/// A step of the demo: its caption, and its command with the output.
#[derive(Debug)]
struct Scene {
    caption: String,
    lines: Vec<Vec<Span>>,
}

/// Runs the demo and draws the picture.
pub(crate) fn run() -> Result<(), Problem> {
    let program = build(Build::Debug)?;
    let mut demo = Command::new(program);
    // Uses the installed programs, but not the settings of the user.
    demo.args(["sandbox", "demo"]).env("CLICOLOR_FORCE", "1").env("TERM", "xterm-256color");
    demo.env("LC_ALL", "C.UTF-8").env("HOME", std::env::temp_dir()).stdin(Stdio::null());
    let scenes = parse_scenes(&check(&demo.output()?)?);
    let chosen: Vec<&Scene> = STEPS.iter().filter_map(|step| find_step(&scenes, step)).collect();
    if chosen.len() != STEPS.len() {
        return Err("the demo has not all steps that are drawn: is `aws` on PATH?".into());
    }
    std::fs::write(root().join("docs/demo.svg"), render(&chosen)?)?;
    Ok(())
}

/// Parses the steps in the demo's output. Each begins with a line such as `3/11  Caption`.
fn parse_scenes(printed: &str) -> Vec<Scene> {
    let mut scenes: Vec<Scene> = Vec::new();
    for line in printed.lines() {
        let spans = parse_line(line);
        let text = text_of(&spans);
        if text.starts_with("All ") && text.contains(" steps ") {
            break;
        }
        let begin = text.split_once("  ").filter(|(number, _)| is_number(number));
        match (begin, scenes.last_mut()) {
            (Some((_, caption)), _) => {
                scenes.push(Scene { caption: caption.to_owned(), lines: Vec::new() });
            }
            (None, Some(scene)) => scene.lines.push(spans),
            _ => {}
        }
    }
    for scene in &mut scenes {
        let last = scene.lines.iter().rposition(|line| !line.is_empty()).map_or(0, |at| at + 1);
        scene.lines.truncate(last);
    }
    scenes
}

/// Returns whether a text has the form `3/11`.
fn is_number(text: &str) -> bool {
    let is_count = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    text.split_once('/').is_some_and(|(at, count)| is_count(at) && is_count(count))
}

fn find_step<'a>(scenes: &'a [Scene], command: &str) -> Option<&'a Scene> {
    scenes.iter().find(|scene| {
        let first = scene.lines.first().map(|line| text_of(line)).unwrap_or_default();
        first.strip_prefix("$ ").is_some_and(|shown| shown.starts_with(command))
    })
}

fn text_of(line: &[Span]) -> String {
    line.iter().map(|span| span.text.as_str()).collect()
}

/// Returns when each line of a scene appears, in seconds from its start, and the length of the scene.
fn schedule(scene: &Scene) -> (Vec<f64>, f64) {
    let mut at = TYPING_AT;
    let mut times = Vec::new();
    for (number, line) in scene.lines.iter().enumerate() {
        let is_question = text_of(line).starts_with("MFA code for");
        if is_question {
            at += QUESTION;
        }
        times.push(at);
        at += match number {
            0 => TYPING + 0.5,
            _ if is_question => QUESTION,
            _ => BETWEEN_LINES,
        };
    }
    let (for_each, least, most) = READING;
    let count = u32::try_from(scene.lines.len()).unwrap_or_default();
    (times, at + (f64::from(count) * for_each).clamp(least, most))
}

fn render(scenes: &[&Scene]) -> Result<String, Problem> {
    let width = 2 * MARGIN + COLUMNS * COLUMN / 10;
    let rows = scenes.iter().map(|scene| scene.lines.len()).max().unwrap_or_default() + 2;
    let height = 2 * MARGIN + rows * LINE;
    let schedules: Vec<_> = scenes.iter().map(|scene| schedule(scene)).collect();
    let whole: f64 = schedules.iter().map(|(_, length)| length).sum();
    // All lines stay for the length of the longest scene; shorter scenes hide their lines earlier.
    let longest = schedules.iter().map(|(_, length)| *length).fold(0.0, f64::max);
    let percent = |seconds: f64| 100.0 * seconds / whole;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xml:space=\"preserve\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n\
         <title>hatbox explains a role, runs commands with two roles, asks for an MFA code, explains an AccessDenied, and \
         draws who can assume which role</title>\n\
         <style>{STYLE}.s,.cover{{visibility:hidden}}.still{{visibility:visible}}\
         @media(prefers-reduced-motion:no-preference){{\
         .s{{animation-duration:{whole:.2}s;animation-iteration-count:infinite;animation-timing-function:step-end}}\
         .cover{{visibility:inherit}}.l,.cover{{animation:l {whole:.2}s step-end infinite}}\
         .cover{{animation-name:t;transform-box:fill-box;transform-origin:100% 0}}\
         @keyframes l{{0%{{opacity:1}}{stay:.3}%,100%{{opacity:0}}}}\
         @keyframes t{{0%{{transform:scaleX(1);animation-timing-function:steps(30)}}\
         {typed:.3}%{{transform:scaleX(0)}}{stay:.3}%,100%{{transform:scaleX(1)}}}}",
        stay = percent(longest),
        typed = percent(TYPING),
    );
    let mut begin = 0.0;
    for (number, (_, length)) in schedules.iter().enumerate() {
        let (from, to) = (percent(begin), percent(begin + length));
        write!(
            svg,
            "@keyframes s{number}{{0%{{visibility:hidden}}{from:.3}%{{visibility:visible}}{to:.3}%,100%{{visibility:{end}}}}}\
             .s{number}{{animation-name:s{number}}}",
            end = if number + 1 == schedules.len() { "visible" } else { "hidden" },
        )?;
        begin += length;
    }
    write!(
        svg,
        "}}</style>\n<rect class=\"frame\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n",
        width - 1,
        height - 1
    )?;
    let mut begin = 0.0;
    for (number, (scene, (times, length))) in scenes.iter().zip(&schedules).enumerate() {
        let still = if number == STILL { " still" } else { "" };
        writeln!(svg, "<g class=\"s s{number}{still}\">")?;
        writeln!(
            svg,
            "<text class=\"title\" x=\"{MARGIN}\" y=\"{}\">{}</text>",
            MARGIN + 14,
            escape(&scene.caption)
        )?;
        for (row, (line, time)) in scene.lines.iter().zip(times).enumerate() {
            if line.is_empty() {
                continue;
            }
            let top = MARGIN + (row + 2) * LINE;
            let delay = begin + time - whole;
            render_line(&mut svg, line, top, if row == 0 { begin - whole } else { delay })?;
            if row == 0 {
                // A cover moves off the command letter by letter, as if it were typed.
                let start = MARGIN + COLUMN * 2 / 10;
                let covered = text_of(line).chars().count() * COLUMN / 10;
                writeln!(
                    svg,
                    "<rect class=\"cover\" style=\"animation-delay:{delay:.2}s\" x=\"{start}\" y=\"{top}\" \
                     width=\"{covered}\" height=\"{LINE}\"/>",
                )?;
            }
        }
        svg.push_str("</g>\n");
        begin += length;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn render_line(svg: &mut String, line: &[Span], top: usize, delay: f64) -> Result<(), Problem> {
    write!(
        svg,
        "<text class=\"l\" style=\"animation-delay:{delay:.2}s\" x=\"{MARGIN}\" y=\"{}\">",
        top + 14
    )?;
    let mut left = COLUMNS;
    for span in line {
        let text = escape(&cut(&span.text, &mut left));
        match span.classes.join(" ") {
            none if none.is_empty() => svg.push_str(&text),
            classes => write!(svg, "<tspan class=\"{classes}\">{text}</tspan>")?,
        }
    }
    svg.push_str("</text>\n");
    Ok(())
}

/// Returns the part of a text that fits into the remaining columns.
fn cut(text: &str, left: &mut usize) -> String {
    let count = text.chars().count();
    let room = std::mem::replace(left, left.saturating_sub(count));
    if count <= room || room == 0 {
        return text.chars().take(room).collect();
    }
    text.chars().take(room - 1).chain(['…']).collect()
}

/// Escapes markup, and keeps all spaces.
fn escape(text: &str) -> String {
    let text = text.replace(char::is_control, "").replace(' ', "\u{a0}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "A tour\n\n\x1b[36m1/2  Add\x1b[0m\n$ hatbox add\nMFA code for x: 123456\nAdded\n\n2/2  See\n\
                           $ hatbox list\n<a> &\n\nAll 2 steps went as described.\nNext:\n";

    #[test]
    fn steps_are_read_from_the_output() {
        let scenes = parse_scenes(PRINTED);
        let captions: Vec<_> = scenes.iter().map(|scene| scene.caption.as_str()).collect();
        assert_eq!(captions, ["Add", "See"]);
        let lines: Vec<_> = scenes[0].lines.iter().map(|line| text_of(line)).collect();
        assert_eq!(lines, ["$ hatbox add", "MFA code for x: 123456", "Added"]);
        assert_eq!(find_step(&scenes, "hatbox list").unwrap().caption, "See");
        assert!(find_step(&scenes, "hatbox exec").is_none());
    }

    #[test]
    fn a_line_that_is_too_long_is_cut() {
        let mut left = 5;
        let parts: Vec<_> = ["abc", "def", "g"].iter().map(|text| cut(text, &mut left)).collect();
        assert_eq!(parts, ["abc", "d…", ""]);
    }

    #[test]
    fn lines_come_one_after_the_other_and_stay_to_be_read() {
        let scenes = parse_scenes(PRINTED);
        let (times, length) = schedule(&scenes[0]);
        assert!(
            times.is_sorted() && times[1] > TYPING_AT + TYPING && length > times[2] + 3.9,
            "{times:?} {length}"
        );
    }

    #[test]
    fn text_is_not_markup_and_nothing_is_fetched_or_run() {
        let scenes = parse_scenes(PRINTED);
        let svg = render(&scenes.iter().collect::<Vec<_>>()).unwrap();
        assert!(svg.contains(">&lt;a&gt;\u{a0}&amp;</text>"), "{svg}");
        for foreign in ["<script", "href", "url(", "@import"] {
            assert!(!svg.contains(foreign), "{foreign}");
        }
    }
}
