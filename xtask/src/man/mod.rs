//! `man`: generates the manual pages from the program's help texts and the tables in docs.
//!
//! This module depends on nothing else in this crate: `crates/cli/tests/man.rs` includes it too, as only that test
//! knows the program that was just built.

mod help;
mod page;
mod roff;
mod tables;

use std::path::Path;
use std::process::{Command, Stdio};

use help::{Help, parse_help};
use page::{Place, render_page};
use tables::Tables;

/// The error of generating the pages.
type Problem = Box<dyn std::error::Error>;

/// The command behind the shell function `hat`, which no help text lists.
const UNLISTED: &str = "hat";

/// Writes a page for each command of `program` to `directory`: `hatbox.1`, `hatbox-exec.1`, ... Returns the words of
/// each command, without `hatbox`.
///
/// `docs` is the directory with the tables of files, variables and exit codes; `date` is in the form 2026-12-31.
pub(crate) fn write_pages(
    program: &Path,
    docs: &Path,
    directory: &Path,
    date: &str,
) -> Result<Vec<Vec<String>>, Problem> {
    let version = print_of(program, &["--version"])?;
    let maker = Maker { program, directory, date, version: version.trim(), tables: Tables::load(docs)? };
    std::fs::create_dir_all(directory)?;
    let mut pages = Vec::new();
    maker.write(&Place::default(), &mut pages)?;
    Ok(pages)
}

/// The data that all pages share.
struct Maker<'a> {
    program: &'a Path,
    directory: &'a Path,
    date: &'a str,
    version: &'a str,
    tables: Tables,
}

impl Maker<'_> {
    /// Writes the page of the command at `place`, then the pages of its subcommands.
    fn write(&self, place: &Place, pages: &mut Vec<Vec<String>>) -> Result<(), Problem> {
        let words: Vec<&str> = place.words.iter().map(String::as_str).collect();
        let help = self.load_help(&words)?;
        let file = format!("{}.1", place.page_name());
        let text = render_page(place, &help, &self.tables, (self.date, self.version));
        std::fs::write(self.directory.join(file), text)?;
        pages.push(place.words.clone());
        let inner: Vec<_> = help.commands.iter().map(|c| (c.name.as_str(), c.alias())).collect();
        let unlisted = words.is_empty().then_some((UNLISTED, None));
        for (command, alias) in inner.iter().copied().chain(unlisted) {
            let siblings = inner.iter().map(|(name, _)| *name).filter(|name| *name != command);
            self.write(&place.inner(command, alias, siblings), pages)?;
        }
        Ok(())
    }

    fn load_help(&self, words: &[&str]) -> Result<Help, Problem> {
        let text = print_of(self.program, &[words, &["--help"]].concat())?;
        parse_help(&text).map_err(|problem| format!("hatbox {}: {problem}", words.join(" ")).into())
    }
}

/// Returns the output of the program, without wrapped lines.
fn print_of(program: &Path, words: &[&str]) -> Result<String, Problem> {
    let mut command = Command::new(program);
    let output = command.args(words).env_clear().env("COLUMNS", "100000").stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(format!("hatbox {}: {}", words.join(" "), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
