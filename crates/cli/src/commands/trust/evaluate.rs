//! `hatbox trust evaluate`: reads one request per line and prints one answer per line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use hatbox_iam::policy::evaluate::evaluate;
use hatbox_iam::policy::rows::{parse_row, render_answer, render_unreadable};

use crate::args::TrustEvaluateArgs;
use crate::errors::{Failure, FailureKind};
use crate::world::World;
use crate::world::dirs::shown_path;

/// In bytes per line, far more than a request with many policies of AWS's maximum size.
const MAX_LINE: u64 = 16 << 20;

pub(super) fn run(world: &World, args: &TrustEvaluateArgs) -> Result<(), Failure> {
    let mut lines = open(&args.file).map_err(|error| could_not_read(&args.file, &error))?;
    let (mut rows, mut unreadable) = (0_usize, 0_usize);
    loop {
        let mut line = Vec::new();
        let count = lines.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut line);
        if count.map_err(|error| could_not_read(&args.file, &error))? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        rows += 1;
        let (answer, is_answered) = if line.len() as u64 > MAX_LINE {
            if !line.ends_with(b"\n") {
                lines.skip_until(b'\n').map_err(|error| could_not_read(&args.file, &error))?;
            }
            (render_unreadable(&format!("the line is longer than {} MiB", MAX_LINE >> 20)), false)
        } else {
            answer(&line)
        };
        unreadable += usize::from(!is_answered);
        world.output.data(&format!("{answer}\n"))?;
    }
    if unreadable > 0 {
        let error = format!("{unreadable} of {rows} lines could not be read: see the errors in the output");
        return Err(Failure::new(FailureKind::Failed, error));
    }
    Ok(())
}

/// Returns the answer to a line, and whether the line was a valid request.
fn answer(line: &[u8]) -> (String, bool) {
    let Ok(text) = std::str::from_utf8(line) else {
        return (render_unreadable("the line is not UTF-8"), false);
    };
    match parse_row(text.trim_end_matches(['\n', '\r'])) {
        Ok(row) => (render_answer(&row.id, &evaluate(&row.request, &row.layers)), true),
        Err(error) => (error.render(), false),
    }
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(BufReader::new(File::open(path)?)))
}

fn could_not_read(path: &Path, error: &io::Error) -> Failure {
    let name = if path == Path::new("-") { "stdin".to_owned() } else { format!("`{}`", shown_path(path)) };
    Failure::new(FailureKind::Failed, format!("could not read {name}")).caused_by(error)
}
