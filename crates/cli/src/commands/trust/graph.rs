//! `hatbox trust graph`: draws who can assume which role.

use std::path::Path;
use std::process::ExitCode;

use hatbox_iam::assume::context::Assumptions;
use hatbox_iam::graph::dot::render_dot;
use hatbox_iam::graph::json::render_json;
use hatbox_iam::graph::survey;
use hatbox_iam::graph::svg::render_svg;
use hatbox_iam::graph::text::{Characters, render_text};

use super::sources::load_accounts;
use crate::args::{GlobalArgs, TrustGraphArgs, TrustGraphFormat};
use crate::errors::{Failure, FailureKind};
use crate::output::Output;
use crate::sys::output_file::write_output;
use crate::world::World;
use crate::world::environment::Environment;

pub(super) fn run(world: &World, global: &GlobalArgs, args: &TrustGraphArgs) -> Result<ExitCode, Failure> {
    let file = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let format = match (args.format, file) {
        (Some(format), _) => format,
        (None, Some(file)) => format_of(file)?,
        (None, None) => TrustGraphFormat::Text,
    };
    let accounts = load_accounts(world, global, &args.sources)?;
    let graph = survey(&accounts, &Assumptions { context: Vec::new(), now: world.clock.now() });
    let text = match format {
        TrustGraphFormat::Svg => render_svg(&graph),
        TrustGraphFormat::Text => render_text(&graph, characters(world, args, file.is_none())).to_string(),
        TrustGraphFormat::Dot => render_dot(&graph),
        TrustGraphFormat::Json => {
            render_json(&graph).map_err(|error| Failure::of_error(FailureKind::Failed, &error))?
        }
    };
    match file {
        None => world.output.data(&text)?,
        Some(file) => {
            let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
            write_output(&path, text.as_bytes())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the format of a file name's extension.
fn format_of(file: &Path) -> Result<TrustGraphFormat, Failure> {
    let ending = file.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    match ending.as_deref() {
        Some("svg") => Ok(TrustGraphFormat::Svg),
        Some("txt") => Ok(TrustGraphFormat::Text),
        Some("dot" | "gv") => Ok(TrustGraphFormat::Dot),
        Some("json") => Ok(TrustGraphFormat::Json),
        _ => {
            let error = format!("no format for the extension of `{}`", file.display());
            Err(Failure::new(FailureKind::Usage, error)
                .hint("use .svg, .txt, .dot or .json, or give the format: --format svg"))
        }
    }
}

/// Returns line-drawing characters, unless the terminal cannot show them.
fn characters(world: &World, args: &TrustGraphArgs, is_to_stdout: bool) -> Characters {
    let is_shown = is_to_stdout && Output::is_stdout_terminal();
    if args.ascii || (is_shown && !has_utf8(&world.environment)) {
        Characters::Ascii
    } else {
        Characters::Lines
    }
}

/// Whether the locale uses UTF-8, which is decided by the first of its variables that is set (POSIX.1-2024, Base
/// Definitions, 8.2). The console of Windows accepts any character.
fn has_utf8(environment: &Environment) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| environment.text(name));
    let is_utf8 = |locale: String| locale.to_ascii_lowercase().replace('-', "").contains("utf8");
    cfg!(windows) || locale.is_some_and(is_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_of_the_locale_that_is_set_decides_its_characters() {
        for (variables, expected) in [
            (&[("LANG", "en_US.UTF-8")][..], true),
            (&[("LANG", "C.utf8")], true),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], false),
            (&[("LANG", "C"), ("LC_CTYPE", "de_DE.UTF-8"), ("LC_ALL", "")], true),
            (&[("LANG", "de_DE.ISO-8859-1")], false),
            (&[], false),
        ] {
            assert_eq!(has_utf8(&Environment::of(variables)), expected || cfg!(windows), "{variables:?}");
        }
    }

    #[test]
    fn the_ending_of_the_file_decides_the_format() {
        assert_eq!(format_of(Path::new("docs/trust.SVG")).ok(), Some(TrustGraphFormat::Svg));
        assert_eq!(format_of(Path::new("a.gv")).ok(), Some(TrustGraphFormat::Dot));
        for name in ["picture.png", "svg", ".svg"] {
            assert_eq!(
                format_of(Path::new(name)).map_err(|failure| failure.kind),
                Err(FailureKind::Usage),
                "{name}"
            );
        }
    }
}
