//! The tables in docs that manual pages repeat: files, variables, exit codes.

use std::path::Path;

use super::Problem;

/// The rows, without markup except backticks.
pub(super) struct Tables {
    /// Columns: file, content, variables, commands.
    pub(super) files: Vec<Vec<String>>,
    /// Columns: variable, option, meaning.
    pub(super) own_variables: Vec<Vec<String>>,
    /// Columns: variables, meaning.
    pub(super) aws_variables: Vec<Vec<String>>,
    /// Columns: exit code, meaning. The exit codes of `exec` are in a separate table.
    pub(super) exit_codes: Vec<Vec<String>>,
    pub(super) exit_codes_of_exec: Vec<Vec<String>>,
}

impl Tables {
    pub(super) fn load(docs: &Path) -> Result<Self, Problem> {
        let table = |name: &str, heading: &str, at: usize| -> Result<Vec<Vec<String>>, Problem> {
            let text = std::fs::read_to_string(docs.join(name))?;
            let section = text.split_once(heading).map_or("", |(_, section)| section);
            let table = parse_tables(section).into_iter().nth(at);
            table.ok_or_else(|| format!("no table below `{heading}` of {name}").into())
        };
        Ok(Self {
            files: table("files.md", "# Files", 0)?,
            own_variables: table("environment.md", "## Of hatbox", 0)?,
            aws_variables: table("environment.md", "## Of AWS", 0)?,
            exit_codes: table("exit-codes.md", "# Exit codes", 0)?,
            exit_codes_of_exec: table("exit-codes.md", "# Exit codes", 1)?,
        })
    }
}

/// Parses the tables in a text, without their headings.
fn parse_tables(text: &str) -> Vec<Vec<Vec<String>>> {
    let mut tables = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.starts_with('|') {
            continue;
        }
        // Skip the separator below the headings.
        lines.next();
        let mut rows = Vec::new();
        while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
            let row = row.trim_matches('|').split('|');
            rows.push(row.map(|cell| without_links(cell.trim())).collect());
        }
        tables.push(rows);
    }
    tables
}

/// Replaces each `[text](address)` by `text`.
fn without_links(text: &str) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        let Some((shown, (_, after))) =
            link.split_once("](").and_then(|(t, r)| Some((t, r.split_once(')')?)))
        else {
            break;
        };
        made.push_str(before);
        made.push_str(shown);
        rest = after;
    }
    made.push_str(rest);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_without_their_links() {
        let text = "x\n\n| a | b |\n|---|---|\n| `c` | [d](e.md#f) or [g](h) |\n| i | |\n\ny\n\n| j |\n|---|\n| [k] |\n";
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        assert_eq!(parse_tables(text), [vec![row(&["`c`", "d or g"]), row(&["i", ""])], vec![row(&["[k]"])]]);
    }
}
