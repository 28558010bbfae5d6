//! Renders one manual page from a help text and the tables.

use super::help::{Block, Entry, Help};
use super::roff::{bold, escape, inline, line, synopsis, wrap};
use super::tables::Tables;

/// The URL of the documentation.
const WEB: &str = "https://github.com/hatbox/hatbox/blob/main";

/// The heading of the global options, which only the first page describes.
const GLOBAL: &str = "Options of every command";

/// The position of a command in the tree of commands.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The words of the command, such as `trust`, `graph`; empty for hatbox itself.
    pub(super) words: Vec<String>,
    alias: Option<String>,
    siblings: Vec<String>,
}

impl Place {
    /// Returns the position of a subcommand.
    pub(super) fn inner<'a>(
        &self,
        command: &str,
        alias: Option<&str>,
        siblings: impl Iterator<Item = &'a str>,
    ) -> Self {
        let mut words = self.words.clone();
        words.push(command.to_owned());
        // The commands of hatbox itself are listed on its own page.
        let siblings = if self.words.is_empty() { Vec::new() } else { siblings.map(str::to_owned).collect() };
        Self { words, alias: alias.map(str::to_owned), siblings }
    }

    /// Returns the name of the page, such as `hatbox-trust-graph`.
    pub(super) fn page_name(&self) -> String {
        let words = self.words.iter().map(String::as_str);
        std::iter::once("hatbox").chain(words).collect::<Vec<_>>().join("-")
    }

    fn is_top(&self) -> bool {
        self.words.is_empty()
    }
}

/// Renders the page of the command at `place`. `version` is the program's name and version.
pub(super) fn render_page(
    place: &Place,
    help: &Help,
    tables: &Tables,
    (date, version): (&str, &str),
) -> String {
    let mut page = Page { text: String::new() };
    let name = place.page_name();
    page.push(&format!(".TH {} 1 {date} \"{version}\" \"hatbox manual\"\n", escape(&name.to_uppercase())));
    // No hyphenation, and no stretched spaces.
    page.push(".nh\n.ad l\n");
    page.heading("NAME");
    let about = decapitalised(&help.about).replace('`', "");
    page.push(&wrap(&format!("{} \\- {}", escape(&name), escape(&about))));
    page.heading("SYNOPSIS");
    for (number, usage) in help.usage.iter().enumerate() {
        page.push(if number == 0 { "" } else { ".br\n" });
        page.push(&wrap(&synopsis(usage)));
    }
    page.examples(help);
    let (exit_codes, description) = split_exit_codes(&help.description);
    page.description(place, &description, help);
    page.options(place, help);
    page.files(place, tables);
    page.environment(place, help, tables);
    page.exit_status(place, &exit_codes, tables);
    page.see_also(place, help);
    page.text
}

/// A page that is being written.
struct Page {
    text: String,
}

impl Page {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Begins a paragraph, unless a heading has just begun one.
    fn begin_paragraph(&mut self) {
        let last = self.text.lines().last().unwrap_or_default();
        if !last.starts_with(".SH ") && !last.starts_with(".SS ") {
            self.push(".PP\n");
        }
    }

    fn heading(&mut self, heading: &str) {
        self.push(&format!(".SH {heading}\n"));
    }

    /// Writes a paragraph of prose.
    fn paragraph(&mut self, text: &str) {
        self.begin_paragraph();
        self.push(&wrap(&inline(text)));
    }

    /// Writes a list entry: a term, which is already escaped, and its description.
    fn entry(&mut self, term: &str, text: &str) {
        self.push(".TP\n");
        self.push(&line(term));
        self.push(&wrap(&inline(text)));
    }

    fn examples(&mut self, help: &Help) {
        self.heading("EXAMPLES");
        for block in &help.examples {
            if !block.heading.is_empty() {
                self.paragraph(&block.heading);
            }
            for (command, meaning) in &block.lines {
                if !meaning.is_empty() {
                    self.paragraph(&format!("{}:", capitalised(meaning)));
                }
                self.begin_paragraph();
                self.push(".RS 4\n.EX\n");
                self.push(&line(&escape(command)));
                self.push(".EE\n.RE\n");
            }
        }
    }

    fn description(&mut self, place: &Place, paragraphs: &[String], help: &Help) {
        self.heading("DESCRIPTION");
        if place.is_top() {
            self.paragraph(
                "hatbox keeps AWS access keys encrypted, assumes the roles that the profiles of `~/.aws/config` describe, \
                 asks for an MFA code where a role requires one, and runs any program with temporary credentials.",
            );
        } else {
            self.paragraph(&format!("{}.", help.about));
        }
        for paragraph in paragraphs {
            self.paragraph(paragraph);
        }
        if let Some(alias) = &place.alias {
            self.paragraph(&format!("`hatbox {alias}` is the same command."));
        }
        if !help.commands.is_empty() {
            self.heading("COMMANDS");
            for command in &help.commands {
                let page = format!("{}-{}", place.page_name(), command.name);
                self.entry(&page_reference(&page), &command.about);
            }
        }
    }

    fn options(&mut self, place: &Place, help: &Help) {
        let arguments = help.sections.iter().filter(|section| section.heading == "Arguments");
        let options = help.sections.iter().filter(|section| section.heading != "Arguments");
        for section in arguments {
            self.heading("ARGUMENTS");
            self.entries(&section.entries);
        }
        self.heading("OPTIONS");
        for section in options.filter(|section| section.heading != GLOBAL) {
            if section.heading != "Options" {
                self.push(&format!(".SS {}\n", escape(&section.heading)));
            }
            self.entries(&section.entries);
        }
        if !place.is_top() {
            self.push(&format!(".SS {GLOBAL}\n"));
            let global = help.sections.iter().filter(|section| section.heading == GLOBAL);
            let terms = global.flat_map(|section| &section.entries).map(|entry| synopsis(&entry.term));
            let terms = terms.collect::<Vec<_>>().join(", ");
            self.push(&wrap(&format!("{terms}: see {}.", page_reference("hatbox"))));
        }
    }

    fn entries(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.push(".TP\n");
            self.push(&line(&synopsis(&entry.term)));
            for (number, block) in entry.blocks.iter().enumerate() {
                match block {
                    Block::Text(text) => {
                        self.push(if number == 0 { "" } else { ".IP\n" });
                        self.push(&wrap(&inline(text)));
                    }
                    Block::Values(values) => {
                        self.push(".RS\n");
                        for (name, meaning) in values {
                            self.push(".TP\n");
                            self.push(&line(&bold(name)));
                            self.push(&if meaning.is_empty() {
                                "\\&\n".to_owned()
                            } else {
                                wrap(&inline(meaning))
                            });
                        }
                        self.push(".RE\n");
                    }
                }
            }
        }
    }

    fn files(&mut self, place: &Place, tables: &Tables) {
        let command = place.words.first().map(|command| format!("`{command}`"));
        let rows = tables.files.iter().filter_map(|row| match row.as_slice() {
            [file, content, variables, commands] => {
                let is_shown =
                    command.as_ref().is_none_or(|command| commands == "all" || commands.contains(command));
                is_shown.then_some((file, content, variables))
            }
            _ => None,
        });
        self.heading("FILES");
        for (file, content, variables) in rows {
            let elsewhere = if variables.is_empty() {
                String::new()
            } else {
                format!(" ({variables} can name another place)")
            };
            self.entry(&bold(&file.replace('`', "")), &format!("{}{elsewhere}.", capitalised(content)));
        }
    }

    fn environment(&mut self, place: &Place, help: &Help, tables: &Tables) {
        self.heading("ENVIRONMENT");
        if place.is_top() {
            for row in &tables.own_variables {
                if let [variable, option, meaning] = row.as_slice() {
                    let option = if option.is_empty() { String::new() } else { format!(" ({option})") };
                    self.entry(
                        &bold(&variable.replace('`', "")),
                        &format!("{}{option}.", capitalised(meaning)),
                    );
                }
            }
            for row in &tables.aws_variables {
                if let [variables, meaning] = row.as_slice() {
                    self.entry(&bold(&variables.replace('`', "")), &format!("{}.", capitalised(meaning)));
                }
            }
            return;
        }
        let own = help.sections.iter().filter(|section| section.heading != GLOBAL);
        for entry in own.flat_map(|section| &section.entries) {
            let texts = entry.blocks.iter().filter_map(|block| match block {
                Block::Text(text) => Some(text.as_str()),
                Block::Values(_) => None,
            });
            let variables: Vec<&str> = texts.flat_map(variables_in).collect();
            if !variables.is_empty() {
                self.push(".TP\n");
                self.push(&line(&bold(&variables.join(", "))));
                self.push(&wrap(&format!("If {} is not given.", synopsis(&entry.term))));
            }
        }
        self.begin_paragraph();
        self.push(&wrap(&format!(
            "{} lists the variables that all commands read.",
            page_reference("hatbox")
        )));
    }

    fn exit_status(&mut self, place: &Place, sentences: &[String], tables: &Tables) {
        self.heading("EXIT STATUS");
        for sentence in sentences {
            self.paragraph(sentence);
        }
        let is_of_child = place.words.first().is_some_and(|word| word == "exec" || word == "each");
        if !is_of_child {
            self.codes(&tables.exit_codes);
        }
        if place.is_top() {
            self.paragraph("Of `hatbox exec` and `hatbox each`:");
        }
        if is_of_child || place.is_top() {
            self.codes(&tables.exit_codes_of_exec);
        }
    }

    fn codes(&mut self, rows: &[Vec<String>]) {
        for row in rows {
            if let [code, meaning] = row.as_slice() {
                self.entry(&bold(code), &format!("{}.", capitalised(meaning)));
            }
        }
    }

    fn see_also(&mut self, place: &Place, help: &Help) {
        self.heading("SEE ALSO");
        let own = place.page_name();
        let above = (0..place.words.len()).map(|count| {
            let words = place.words.iter().take(count).map(String::as_str);
            std::iter::once("hatbox").chain(words).collect::<Vec<_>>().join("-")
        });
        let parent =
            own.rsplit_once(place.words.last().map_or("", String::as_str)).map_or("", |(parent, _)| parent);
        let beside = place.siblings.iter().map(|sibling| format!("{parent}{sibling}"));
        let below = help.commands.iter().map(|command| format!("{own}-{}", command.name));
        let mut pages: Vec<String> =
            above.chain(beside).chain(below).map(|page| page_reference(&page)).collect();
        if place.is_top() {
            pages.push("\\fBaws\\fR(1)".to_owned());
        }
        self.push(&wrap(&pages.join(", ")));
        let documents = documents_in(help);
        let documents = if documents.is_empty() { vec!["README.md".to_owned()] } else { documents };
        for document in documents {
            self.push(&format!(".PP\n.UR {WEB}/{document}\n{}.UE\n", line(&escape(&document))));
        }
    }
}

/// Renders a reference such as `hatbox-exec(1)`.
fn page_reference(page: &str) -> String {
    format!("{}(1)", bold(page))
}

/// Returns the documents that the help text refers to.
fn documents_in(help: &Help) -> Vec<String> {
    let mut documents: Vec<String> = Vec::new();
    for word in help.description.iter().flat_map(|text| text.split(' ')) {
        let word = word.trim_end_matches(['.', ',', ')', ':']);
        if word.starts_with("docs/") && !documents.iter().any(|known| known == word) {
            documents.push(word.to_owned());
        }
    }
    documents
}

/// Returns the variables in notes such as `[env: A, B]` and `[default: A]`.
fn variables_in(text: &str) -> Vec<&str> {
    let notes = text.split('[').skip(1).filter_map(|note| note.split_once(']')).map(|(note, _)| note);
    let values = notes.filter_map(|note| note.strip_prefix("env: ").or(note.strip_prefix("default: ")));
    let is_variable = |name: &&str| {
        name.contains('_') && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    values.flat_map(|value| value.split([',', ' ', ';'])).filter(is_variable).collect()
}

/// Separates the sentences about exit codes from the paragraphs.
fn split_exit_codes(paragraphs: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut taken, mut kept) = (Vec::new(), Vec::new());
    for paragraph in paragraphs {
        let sentences = paragraph.split_inclusive(". ").map(str::trim_end);
        let (of_codes, others): (Vec<&str>, Vec<&str>) =
            sentences.partition(|sentence| sentence.starts_with("The exit code is "));
        taken.extend(of_codes.into_iter().map(str::to_owned));
        if !others.is_empty() {
            kept.push(others.join(" "));
        }
    }
    (taken, kept)
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

fn decapitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_about_exit_codes_have_their_own_section() {
        let paragraphs = ["It works. The exit code is 5 if not. docs/a.md says more.".to_owned()];
        let (codes, others) = split_exit_codes(&paragraphs);
        assert_eq!(codes, ["The exit code is 5 if not."]);
        assert_eq!(others, ["It works. docs/a.md says more."]);
    }

    #[test]
    fn variables_are_found_in_the_notes_about_an_option() {
        assert_eq!(variables_in("Do it [env: A_B, C_D] [setting: x_y] [default: 5m]"), ["A_B", "C_D"]);
        assert_eq!(
            variables_in("It [default: AWS_PROFILE; with --session, else `default`]"),
            ["AWS_PROFILE"]
        );
    }
}
