//! Builds the command line for its help, which other lines do not need.

use clap::{Command, CommandFactory};

use super::Cli;

/// Returns the complete command line, with a note in each command's `-h` about the global options.
pub(crate) fn command_for_help() -> Command {
    let mut command = Cli::command();
    command.build();
    let name = command.get_name().to_owned();
    command.mut_subcommands(|inner| end_short_help(inner, &name))
}

fn end_short_help(command: Command, before: &str) -> Command {
    let name = format!("{before} {}", command.get_name());
    let line = format!("Options of every command: {name} --help");
    let long = command.get_after_long_help().or(command.get_after_help()).cloned().unwrap_or_default();
    let short = match command.get_after_help() {
        Some(text) => format!("{}\n\n{line}", text.ansi()),
        None => line,
    };
    command.after_help(short).after_long_help(long).mut_subcommands(|inner| end_short_help(inner, &name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::GLOBAL;

    const COLUMNS: usize = 80;

    /// Calls `check` for every command, with its `-h` and `--help` on a terminal of 80 columns.
    fn for_every_command(check: &mut dyn FnMut(&Command, &str, &str)) {
        fn visit(command: &Command, check: &mut dyn FnMut(&Command, &str, &str)) {
            let mut narrow = command.clone().term_width(COLUMNS);
            let (short, long) = (narrow.render_help().to_string(), narrow.render_long_help().to_string());
            check(command, &short, &long);
            for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
                visit(inner, check);
            }
        }
        let mut count = 0;
        visit(&command_for_help(), &mut |command, short, long| {
            count += 1;
            check(command, short, long);
        });
        assert!(count > 20, "only {count} commands");
    }

    /// Returns the lines of the `Examples:` block, including its heading.
    fn examples(text: &str) -> Vec<&str> {
        let block = text.lines().skip_while(|line| !line.starts_with("Example"));
        block.take_while(|line| !line.is_empty()).collect()
    }

    #[test]
    fn at_80_columns_examples_look_as_in_the_source() {
        let mut count = 0;
        for_every_command(&mut |command, short, long| {
            let name = command.get_name();
            let sources =
                [command.get_before_long_help(), command.get_after_help(), command.get_after_long_help()];
            for source in sources.into_iter().flatten().map(ToString::to_string) {
                for line in examples(&source) {
                    assert!(line.chars().count() <= COLUMNS - 2, "{name}: {line}");
                    assert!(short.lines().chain(long.lines()).any(|shown| shown == line), "{name}: {line}");
                    count += 1;
                }
            }
        });
        assert!(count > 15, "only {count} lines");
    }

    #[test]
    fn at_80_columns_a_paragraph_is_broken_once() {
        for_every_command(&mut |command, short, long| {
            for line in short.lines().chain(long.lines()) {
                assert!(line.chars().count() <= COLUMNS, "{}: {line}", command.get_name());
            }
            // A line break in the source would leave a short line in the middle of a paragraph.
            for text in [command.get_after_help(), command.get_after_long_help()].into_iter().flatten() {
                let text = text.to_string();
                let is_broken = |line: &str| line.chars().count() > COLUMNS - 2;
                for paragraph in text.split("\n\n").filter(|paragraph| paragraph.contains('\n')) {
                    assert!(!paragraph.lines().any(is_broken), "{}: {paragraph}", command.get_name());
                }
            }
        });
    }

    #[test]
    fn the_options_of_every_command_are_in_long_help_only() {
        for_every_command(&mut |command, short, long| {
            let name = command.get_name();
            assert!(
                !short.contains("--passphrase-fd") && !short.contains(&format!("{GLOBAL}:\n")),
                "{short}"
            );
            assert!(long.contains("--passphrase-fd"), "{name}");
            let last = short.lines().last().unwrap_or_default();
            assert!(last.contains("ptions of every command: hatbox"), "{name}: {last}");
            assert!(last.ends_with("--help") && !long.contains(last), "{name}: {last}");
        });
    }

    #[test]
    fn a_list_of_commands_has_one_line_for_each_and_ends_hatboxs_help() {
        for_every_command(&mut |command, short, long| {
            if !command.has_subcommands() {
                return;
            }
            for text in [short, long] {
                let list = text.lines().skip_while(|line| *line != "Commands:").skip(1);
                let list: Vec<_> = list.take_while(|line| line.starts_with("  ")).collect();
                let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
                assert_eq!(list.len(), shown.count(), "{text}");
            }
            if command.get_name() == "hatbox" {
                assert!(short.lines().count() <= 40, "{short}");
                let end = long.lines().rev().take_while(|line| line.starts_with("  ")).count();
                let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
                assert_eq!(end, shown.count(), "{long}");
            }
        });
    }

    #[test]
    fn help_begins_with_a_short_sentence_and_has_an_example() {
        for_every_command(&mut |command, short, long| {
            let name = command.get_name();
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let count = about.split_whitespace().count();
            assert!((2..=10).contains(&count), "{name}: {about}");
            assert!(about.starts_with(char::is_uppercase) && !about.ends_with('.'), "{name}: {about}");
            assert!(examples(long).len() > 1, "{name} has no example: {long}");
            // The top-level `-h` needs its lines for the list of commands.
            assert!(name == "hatbox" || examples(short).len() > 1, "{name} has no example: {short}");
        });
    }
}
