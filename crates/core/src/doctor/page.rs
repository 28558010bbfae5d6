//! Renders findings for people: by topic, one line each if that fits, a command below, and a summary line.

use std::borrow::Cow;

use super::finding::{Finding, Fix, Spot, Topic};
use crate::plan::explain::Paths;
use hatbox_types::level::Level;
use hatbox_types::name::ProfileName;
use hatbox_types::text::page::{Line, Page, Style};
use hatbox_types::text::shell::quote_word;

/// The column of a finding's text, after `  warning  `.
const TEXT_AT: usize = 11;
/// How many findings of one kind are shown; the others are counted.
const SHOWN: usize = 10;
/// How many profiles are named.
const NAMED: usize = 3;

/// How to render findings on this machine.
#[derive(Debug, Clone)]
pub struct Look {
    /// The paths of the two files for display.
    pub paths: Paths,
    /// The shell whose commands are rendered.
    pub shell: Shell,
}

/// A family of shells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// POSIX shells.
    Posix,
    /// PowerShell.
    PowerShell,
}

/// What was checked under a topic, in a few words: `4 profiles in ~/.aws/config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The topic.
    pub topic: Topic,
    /// The words.
    pub text: String,
}

impl Look {
    /// Renders the place of a finding: `~/.aws/config:14`, a path, or a variable.
    pub fn render_spot(&self, spot: &Spot) -> String {
        match spot {
            Spot::Line(place) => self.paths.render_place(*place),
            Spot::File(path) => path.clone(),
            Spot::Variable(name) => (*name).to_owned(),
        }
    }

    /// Renders the command that fixes something.
    pub fn render_fix(&self, fix: &Fix) -> String {
        match (fix, self.shell) {
            (Fix::Run(command), _) => command.clone(),
            (Fix::Edit(place), Shell::Posix) => {
                format!("${{EDITOR:-vi}} +{} {}", place.line, quote_shown_path(self.paths.path(place.file)))
            }
            (Fix::Edit(place), Shell::PowerShell) => {
                format!("notepad \"{}\"", self.paths.path(place.file).replacen('~', "$HOME", 1))
            }
            (Fix::Unset(names), Shell::Posix) => format!("unset {}", names.join(" ")),
            (Fix::Unset(names), Shell::PowerShell) => {
                let names: Vec<_> = names.iter().map(|name| format!("Env:{name}")).collect();
                format!("Remove-Item {}", names.join(", "))
            }
        }
    }
}

/// Renders sorted findings and summaries as lines of at most 80 columns. A command stays on one line, to be pasted.
pub fn render_page(summaries: &[Summary], findings: &[Finding], look: &Look) -> Page {
    let mut page = Page::default();
    for topic in Topic::ALL {
        let of_topic: Vec<_> = findings.iter().filter(|finding| finding.topic == topic).collect();
        let summary = summaries.iter().find(|summary| summary.topic == topic);
        if of_topic.is_empty() && summary.is_none() {
            continue;
        }
        write_heading(&mut page, topic, summary, !of_topic.iter().any(|finding| is_open(finding)));
        write_findings(&mut page, &of_topic, look);
    }
    page.blank();
    let (text, style) = render_end(findings);
    page.line(&[(&text, style)]);
    page
}

/// Whether a finding still needs an action.
fn is_open(finding: &Finding) -> bool {
    !finding.is_fixed && finding.level > Level::Info
}

fn write_heading(page: &mut Page, topic: Topic, summary: Option<&Summary>, is_well: bool) {
    let label = format!("{:11}  ", topic.as_str());
    let (mark, style) = if is_well { ("ok  ", Style::Good) } else { ("!   ", Style::Warning) };
    let indent = mark.len() + label.len();
    let text = summary.map_or("", |summary| summary.text.as_str());
    let label = if text.is_empty() { topic.as_str() } else { label.as_str() };
    page.hang(Line::of(mark, style).with(label, Style::Strong), text, Style::Plain, indent);
}

fn write_findings(page: &mut Page, findings: &[&Finding], look: &Look) {
    for (at, finding) in findings.iter().enumerate() {
        // Fixed findings are always shown, however many there are.
        let is_alike = |other: &&&Finding| other.id == finding.id && !other.is_fixed;
        let before = findings.iter().take(at).filter(is_alike).count();
        if before < SHOWN || finding.is_fixed {
            write_finding(page, finding, look);
        } else if before == SHOWN {
            let more = findings.iter().skip(at).filter(is_alike).count();
            let more = format!("and {more} more like these ({}); --json has them all", finding.id);
            page.line(&[(&" ".repeat(TEXT_AT), Style::Plain), (&more, Style::Quiet)]);
        }
    }
}

fn write_finding(page: &mut Page, finding: &Finding, look: &Look) {
    let (word, style) = match finding.level {
        _ if finding.is_fixed => ("fixed", Style::Good),
        Level::Error => ("error", Style::Warning),
        Level::Warning => ("warning", Style::Warning),
        Level::Info => ("info", Style::Quiet),
    };
    let margin = " ".repeat(TEXT_AT);
    page.hang(Line::of(&format!("  {word:7}  "), style), &finding.text, Style::Plain, TEXT_AT);
    if let Some(concerned) = render_profiles(finding) {
        page.hang(Line::of(&margin, Style::Plain), &concerned, Style::Plain, TEXT_AT);
    }
    if let Some(spot) = &finding.spot {
        page.line(&[(&margin, Style::Plain), (&look.render_spot(spot), Style::Quiet)]);
    }
    if let Some(fix) = finding.fix.as_ref().filter(|_| !finding.is_fixed) {
        page.line(&[
            (&margin, Style::Plain),
            ("fix: ", Style::Quiet),
            (&look.render_fix(fix), Style::Strong),
        ]);
    }
}

/// Names the affected profiles, if the text does not.
fn render_profiles(finding: &Finding) -> Option<String> {
    let is_said = |name: &str| finding.text.contains(&format!("`{name}`"));
    let names: Vec<_> = finding.profiles.iter().map(ProfileName::as_str).collect();
    let is_new = names.len() > 1 || names.first().is_some_and(|name| !is_said(name) && *name != "default");
    if !is_new {
        return None;
    }
    let shown: Vec<_> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let rest = names.len().saturating_sub(NAMED);
    Some(match (rest, shown.split_last()) {
        (0, Some((last, before))) if !before.is_empty() => {
            format!("concerns {} and {last}", before.join(", "))
        }
        (0, _) => format!("concerns {}", shown.join(", ")),
        (1, _) => format!("concerns {} and 1 other", shown.join(", ")),
        _ => format!("concerns {} and {rest} others", shown.join(", ")),
    })
}

fn render_end(findings: &[Finding]) -> (String, Style) {
    let fixed = findings.iter().filter(|finding| finding.is_fixed).count();
    let count = |level| findings.iter().filter(|f| f.level == level && !f.is_fixed).count();
    let plural = |count: usize, one: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {one}s")),
    };
    let parts: Vec<_> = [
        plural(count(Level::Error), "error"),
        plural(count(Level::Warning), "warning"),
        plural(count(Level::Info), "note"),
        (fixed > 0).then(|| format!("{fixed} fixed")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let is_well = count(Level::Error) + count(Level::Warning) == 0;
    match (is_well, parts.is_empty()) {
        (true, true) => ("No problems found.".to_owned(), Style::Good),
        (true, false) => (format!("No problems found ({}).", parts.join(", ")), Style::Good),
        (false, _) => (format!("{}.", parts.join(", ")), Style::Strong),
    }
}

/// Quotes a path for a POSIX shell, except `~/` at its start.
fn quote_shown_path(path: &str) -> Cow<'_, str> {
    match path.strip_prefix("~/") {
        Some(below) => Cow::Owned(format!("~/{}", quote_word(below))),
        None => quote_word(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::origin::{FileKind, Place};
    use hatbox_types::text::page::WIDTH;
    use hatbox_types::text::wrap::display_width;

    fn look(shell: Shell) -> Look {
        let paths = Paths { config: "~/.aws/config".to_owned(), credentials: "~/my files/c".to_owned() };
        Look { paths, shell }
    }

    fn text(findings: &[Finding]) -> String {
        let summaries = [Summary { topic: Topic::Config, text: "2 profiles".to_owned() }];
        render_page(&summaries, findings, &look(Shell::Posix)).to_string()
    }

    fn in_line(line: u32) -> Finding {
        let place = Place { file: FileKind::Config, line };
        Finding::new(Topic::Config, "x", Level::Warning, "a sentence about `a`").in_line(place)
    }

    #[test]
    fn where_nothing_is_wrong_it_says_so_and_little_else() {
        assert_eq!(text(&[]), "ok  config       2 profiles\n\nNo problems found.\n");
    }

    #[test]
    fn a_finding_has_its_sentence_its_place_and_its_command() {
        let profile = |name: &str| ProfileName::parse(name).unwrap();
        let names = ["a", "b", "c", "d", "e"].map(profile);
        let mut many = in_line(7);
        many.profiles = names.to_vec();
        let info = Finding::new(Topic::Clock, "y", Level::Info, "known").about(&profile("a"));
        let fixed = Finding { is_fixed: true, ..in_line(9) };
        assert_eq!(
            text(&[in_line(3).about(&profile("a")), many, fixed, info]),
            "\
!   config       2 profiles
  warning  a sentence about `a`
           ~/.aws/config:3
           fix: ${EDITOR:-vi} +3 ~/.aws/config
  warning  a sentence about `a`
           concerns `a`, `b`, `c` and 2 others
           ~/.aws/config:7
           fix: ${EDITOR:-vi} +7 ~/.aws/config
  fixed    a sentence about `a`
           ~/.aws/config:9
ok  clock
  info     known
           concerns `a`

2 warnings, 1 note, 1 fixed.
"
        );
    }

    #[test]
    fn lines_are_of_80_columns_and_of_many_alike_ten_are_shown() {
        let long = "word ".repeat(60);
        let findings: Vec<_> = (1..=30).map(|line| Finding { text: long.clone(), ..in_line(line) }).collect();
        let page = text(&findings);
        assert!(page.lines().all(|line| display_width(line) <= WIDTH), "{page}");
        assert_eq!(page.matches("fix: ").count(), 10);
        assert!(page.contains("and 20 more like these (x); --json has them all"), "{page}");
    }

    #[test]
    fn commands_are_those_of_the_shell() {
        let edit = Fix::Edit(Place { file: FileKind::Credentials, line: 4 });
        let unset = Fix::Unset(vec!["A", "B"]);
        let render = |shell, fix| look(shell).render_fix(fix);
        assert_eq!(render(Shell::Posix, &edit), "${EDITOR:-vi} +4 ~/'my files/c'");
        assert_eq!(render(Shell::PowerShell, &edit), "notepad \"$HOME/my files/c\"");
        assert_eq!(render(Shell::Posix, &unset), "unset A B");
        assert_eq!(render(Shell::PowerShell, &unset), "Remove-Item Env:A, Env:B");
    }
}
