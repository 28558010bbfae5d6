//! Parses a help text into its parts. Unknown forms are errors, so that nothing is left out by accident.

use super::Problem;

/// The parts of a help text, in the order of the text.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Help {
    pub(super) about: String,
    pub(super) usage: Vec<String>,
    /// Paragraphs before the usage and after the options.
    pub(super) description: Vec<String>,
    /// Arguments and options, grouped by heading.
    pub(super) sections: Vec<Section>,
    pub(super) commands: Vec<Listed>,
    pub(super) examples: Vec<Examples>,
}

/// A heading with arguments or options.
#[derive(Debug, PartialEq)]
pub(super) struct Section {
    pub(super) heading: String,
    pub(super) entries: Vec<Entry>,
}

/// An argument or option.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    /// The term, such as `-d, --duration <DURATION>`.
    pub(super) term: String,
    pub(super) blocks: Vec<Block>,
}

/// A part of the description of an entry.
#[derive(Debug, PartialEq)]
pub(super) enum Block {
    Text(String),
    /// Values and their meanings; a meaning may be empty.
    Values(Vec<(String, String)>),
}

/// A line in a list of commands.
#[derive(Debug, PartialEq)]
pub(super) struct Listed {
    pub(super) name: String,
    /// The description, such as `List profiles [alias: ls]`.
    pub(super) about: String,
}

impl Listed {
    pub(super) fn alias(&self) -> Option<&str> {
        self.about.rsplit_once("[alias: ")?.1.strip_suffix(']')
    }
}

/// Example commands below a heading, which is empty for the general examples.
#[derive(Debug, PartialEq)]
pub(super) struct Examples {
    pub(super) heading: String,
    /// Each command and its description, which may be empty.
    pub(super) lines: Vec<(String, String)>,
}

/// The column where descriptions of entries begin.
const TEXT_COLUMN: usize = 10;

/// A line that starts at the margin, with the indented and empty lines below it.
struct Chunk<'a> {
    head: &'a str,
    body: Vec<&'a str>,
}

/// Parses a help text without wrapped lines.
pub(super) fn parse_help(text: &str) -> Result<Help, Problem> {
    let mut chunks = chunks(text)?.into_iter();
    let about = chunks.next().ok_or("the help text is empty")?.head.to_owned();
    let mut help = Help { about, ..Help::default() };
    for Chunk { head, body } in chunks {
        let first = body.iter().find(|line| !line.trim().is_empty());
        match (head.strip_suffix(':'), first) {
            _ if head.starts_with("Usage: ") => {
                let rest = body.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
                let usage = head.split_once(' ').map(|(_, usage)| usage);
                help.usage = usage.into_iter().chain(rest).map(str::to_owned).collect();
            }
            (Some("Commands"), Some(_)) => {
                let rows = body.iter().filter_map(|line| line.trim().split_once(' '));
                let listed = rows
                    .map(|(name, about)| Listed { name: name.to_owned(), about: about.trim().to_owned() });
                // Skip `help`, which clap adds.
                help.commands = listed.filter(|command| command.name != "help").collect();
            }
            (Some(heading), Some(_)) if is_of_entries(&body) => {
                help.sections.push(Section { heading: heading.to_owned(), entries: parse_entries(&body)? });
            }
            (Some("Example" | "Examples"), Some(_)) => help.examples.push(parse_examples("", &body)),
            (Some(_), Some(_)) => help.examples.push(parse_examples(head, &body)),
            (_, None) => help.description.push(head.to_owned()),
            (None, Some(line)) => return Err(format!("`{line}` has no heading").into()),
        }
    }
    if help.usage.is_empty() || help.examples.is_empty() {
        return Err("the help text has no usage or no example".into());
    }
    Ok(help)
}

fn chunks(text: &str) -> Result<Vec<Chunk<'_>>, Problem> {
    let mut chunks: Vec<Chunk> = Vec::new();
    for line in text.lines() {
        if line.starts_with(' ') || line.is_empty() {
            chunks.last_mut().ok_or("the help text begins with a space")?.body.push(line);
        } else {
            chunks.push(Chunk { head: line, body: Vec::new() });
        }
    }
    Ok(chunks)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Returns whether the lines are arguments or options, as opposed to example commands.
fn is_of_entries(body: &[&str]) -> bool {
    body.iter().any(|line| !line.trim().is_empty() && indent(line) >= TEXT_COLUMN)
}

fn parse_entries(body: &[&str]) -> Result<Vec<Entry>, Problem> {
    let mut entries: Vec<Entry> = Vec::new();
    // Whether the next line continues the current block.
    let mut is_open = false;
    for line in body {
        let text = line.trim();
        if text.is_empty() {
            is_open = false;
            continue;
        }
        if indent(line) < TEXT_COLUMN {
            entries.push(Entry { term: text.to_owned(), blocks: Vec::new() });
            is_open = false;
            continue;
        }
        let blocks = &mut entries.last_mut().ok_or("a text without its argument or option")?.blocks;
        match (text.strip_prefix("- "), blocks.last_mut()) {
            (Some(value), Some(Block::Values(values))) if is_open => values.push(parse_value(value)),
            (None, Some(Block::Text(before))) if is_open => {
                before.push(' ');
                before.push_str(text);
            }
            _ if text == "Possible values:" => blocks.push(Block::Values(Vec::new())),
            _ => blocks.push(Block::Text(text.to_owned())),
        }
        is_open = true;
    }
    Ok(entries)
}

/// Parses a line such as `svg:  A picture for browsers`.
fn parse_value(text: &str) -> (String, String) {
    let (name, meaning) = text.split_once(": ").unwrap_or((text, ""));
    (name.to_owned(), meaning.trim().to_owned())
}

/// Parses lines such as `command   what it does`.
fn parse_examples(heading: &str, body: &[&str]) -> Examples {
    let lines = body.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    let lines = lines.map(|line| {
        let (command, meaning) = line.split_once("  ").unwrap_or((line, ""));
        (command.to_owned(), meaning.trim().to_owned())
    });
    Examples { heading: heading.to_owned(), lines: lines.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_help_text_is_read_into_its_parts() {
        let text = "About\n\nMore.\n\nUsage: a [B]\n       a -\n\nCommands:\n  ls    List [alias: l]\n  help  Help\n\n\
                    Options:\n  -f, --format <F>\n          Use it\n\n          Possible values:\n          - x:  An x\n          \
                    - y\n          \n          [default: x]\n\n      --all\n          All\n\nExample:\n  a b  do it\n\nNote.\n\n\
                    Otherwise:\n  a c\n";
        let help = parse_help(text).unwrap();
        assert_eq!(
            (help.about.as_str(), help.usage.as_slice()),
            ("About", ["a [B]", "a -"].map(String::from).as_slice())
        );
        assert_eq!(help.description, ["More.", "Note."]);
        let [command] = help.commands.as_slice() else { panic!("{:?}", help.commands) };
        assert_eq!((command.name.as_str(), command.alias()), ("ls", Some("l")));
        let [Section { heading, entries }] = help.sections.as_slice() else { panic!("{:?}", help.sections) };
        assert_eq!(heading, "Options");
        let values = [("x", "An x"), ("y", "")].map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec();
        let text = |text: &str| Block::Text(text.to_owned());
        let first = vec![text("Use it"), Block::Values(values), text("[default: x]")];
        assert_eq!(
            *entries,
            [
                Entry { term: "-f, --format <F>".to_owned(), blocks: first },
                Entry { term: "--all".to_owned(), blocks: vec![text("All")] }
            ]
        );
        let line = |command: &str, meaning: &str| (command.to_owned(), meaning.to_owned());
        assert_eq!(
            help.examples,
            [
                Examples { heading: String::new(), lines: vec![line("a b", "do it")] },
                Examples { heading: "Otherwise:".to_owned(), lines: vec![line("a c", "")] }
            ]
        );
    }

    #[test]
    fn a_form_that_is_not_known_is_an_error() {
        for text in
            ["", "About\n", "About\n\nUsage: a\n", "About\n\nUsage: a\n\nExample:\n  a\n\nNote\n  b\n"]
        {
            assert!(parse_help(text).is_err(), "{text}");
        }
    }
}
