//! The block of the config file that `hatbox sso populate` owns: finds, parses and renders it.
//!
//! ```text
//! # >>> hatbox sso populate corp
//! # hatbox writes this block again: profiles without an assigned role are removed.
//! # template = {account_name}.{role_name}
//! # region = eu-west-1
//!
//! [profile Prod.Admin]
//! sso_session=corp
//! sso_account_id=111122223333
//! sso_role_name=Admin
//! region=eu-west-1
//!
//! # <<< hatbox sso populate corp
//! ```
//! Other programs see the two markers as comments. hatbox finds the block by its markers alone; each session has its
//! own.

use std::ops::Range;

use super::template::{NameTemplate, TemplateError};
use crate::config::entry::Body;
use crate::config::header::SectionKind;
use crate::config::origin::FileKind;
use crate::config::syntax::{Document, Section, TooLarge};
use hatbox_types::name::Region;

const BEGIN: &str = "# >>> hatbox sso populate ";
const END: &str = "# <<< hatbox sso populate ";
const NOTE: &str = "# hatbox writes this block again: profiles without an assigned role are removed.";
const TEMPLATE: &str = "# template = ";
const REGION: &str = "# region = ";

/// Why a block cannot be used. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// A marker without its counterpart, or two blocks of one session.
    #[error(
        "the marks of `hatbox sso populate {session}` do not match: expected one `>>>` line and one `<<<` line below it"
    )]
    Marks {
        /// The session.
        session: String,
        /// The line of a marker.
        line: u32,
    },
    /// A section in the block that hatbox did not write.
    #[error("a section in the block of `hatbox sso populate {session}` is not one of its profiles")]
    Foreign {
        /// The session.
        session: String,
        /// Its line.
        line: u32,
    },
    /// Settings below the end marker, without a header, which belong to the block's last profile.
    #[error(
        "a setting below the end mark of `hatbox sso populate {session}` belongs to a profile above the mark"
    )]
    Below {
        /// The session.
        session: String,
        /// Its line.
        line: u32,
    },
    /// The template or region saved in the block is invalid.
    #[error("the block of `hatbox sso populate {session}` has an invalid {what}")]
    Remembered {
        /// The session.
        session: String,
        /// Which of the two.
        what: &'static str,
        /// Why it is invalid.
        #[source]
        reason: Option<TemplateError>,
        /// Its line.
        line: u32,
    },
    /// The file is too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

impl BlockError {
    /// Returns the line that it is about.
    pub fn line(&self) -> Option<u32> {
        match self {
            Self::Marks { line, .. }
            | Self::Foreign { line, .. }
            | Self::Below { line, .. }
            | Self::Remembered { line, .. } => Some(*line),
            Self::TooLarge(_) => None,
        }
    }
}

/// A profile of a block, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenProfile {
    /// The profile's name.
    pub name: String,
    /// `sso_account_id`.
    pub account_id: String,
    /// `sso_role_name`.
    pub role_name: String,
    /// The lines below its header, including settings that the user added.
    pub(super) body: Vec<u8>,
}

/// An existing block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The template of the last run.
    pub template: Option<NameTemplate>,
    /// The region of the last run.
    pub region: Option<Region>,
    /// Its profiles, in the order of the file.
    pub profiles: Vec<WrittenProfile>,
    /// Its range, including the lines of both markers.
    pub(super) range: Range<usize>,
}

/// A line of the text, without its line end.
struct Line<'a> {
    text: &'a [u8],
    range: Range<usize>,
    number: u32,
}

fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    text.split_inclusive(|&b| b == b'\n').zip(1..).map(move |(line, number)| {
        let range = start..start + line.len();
        start = range.end;
        Line { text: line.trim_ascii_end(), range, number }
    })
}

/// Finds the block of `session` in the text of a config file.
///
/// # Errors
/// If its markers do not match, or it contains something that hatbox did not write, which must not be lost.
pub fn find_block(text: &[u8], session: &str) -> Result<Option<Block>, BlockError> {
    let (begin, end) = (format!("{BEGIN}{session}"), format!("{END}{session}"));
    let (mut first, mut last): (Option<Line<'_>>, Option<Line<'_>>) = (None, None);
    for line in lines(text) {
        let is_first = line.text == begin.as_bytes();
        if !is_first && line.text != end.as_bytes() {
            continue;
        }
        let session = session.to_owned();
        match (&first, &last) {
            (None, None) if is_first => first = Some(line),
            (Some(_), None) if !is_first => last = Some(line),
            _ => return Err(BlockError::Marks { session, line: line.number }),
        }
    }
    match (first, last) {
        (Some(first), Some(last)) => read_block(text, session, &first, &last).map(Some),
        (Some(first), None) => Err(BlockError::Marks { session: session.to_owned(), line: first.number }),
        _ => Ok(None),
    }
}

fn read_block(text: &[u8], session: &str, first: &Line<'_>, last: &Line<'_>) -> Result<Block, BlockError> {
    let session_name = || session.to_owned();
    let is_header = |line: &Line<'_>| line.text.first() == Some(&b'[');
    let is_comment = |line: &Line<'_>| matches!(line.text.trim_ascii_start(), [] | [b'#' | b';', ..]);
    let below = lines(text).filter(|line| line.number > last.number).take_while(|line| !is_header(line));
    if let Some(line) = below.into_iter().find(|line| !is_comment(line)) {
        return Err(BlockError::Below { session: session_name(), line: line.number });
    }
    let (mut template, mut region) = (None, None);
    let within = lines(text).filter(|line| (first.number..last.number).contains(&line.number));
    for line in within.skip(1).take_while(|line| !is_header(line)) {
        let number = line.number;
        let wrong =
            |what, reason| BlockError::Remembered { session: session_name(), what, reason, line: number };
        let text = String::from_utf8_lossy(line.text);
        if !is_comment(&line) {
            return Err(BlockError::Foreign { session: session_name(), line: number });
        } else if let Some(text) = text.strip_prefix(TEMPLATE) {
            let read = NameTemplate::parse(text).map_err(|error| wrong("template", Some(error)))?;
            template = Some(read);
        } else if let Some(text) = text.strip_prefix(REGION) {
            region = Some(Region::parse(text).map_err(|_| wrong("region", None))?);
        }
    }
    let inner = text.get(first.range.end..last.range.start).unwrap_or_default();
    let document = Document::parse(FileKind::Config, inner.to_vec())?;
    let mut profiles = Vec::new();
    for section in document.sections() {
        let body = section.scan();
        let profile = read_profile(session, &section, &body).ok_or_else(|| BlockError::Foreign {
            session: session_name(),
            line: first.number + section.place().line,
        })?;
        profiles.push(profile);
    }
    Ok(Block { template, region, profiles, range: first.range.start..last.range.end })
}

/// Returns `None` for a section that is not a profile of this session.
fn read_profile(session: &str, section: &Section<'_>, body: &Body<'_>) -> Option<WrittenProfile> {
    let value = |key: &str| {
        let entry = body.entries.iter().rev().find(|entry| entry.has_key(key))?;
        Some(entry.value.as_ref().to_owned())
    };
    let is_own = section.kind() == SectionKind::Profile
        && section.header_problem().is_none()
        && value("sso_session").as_deref() == Some(session);
    Some(WrittenProfile {
        name: is_own.then(|| section.name().into_owned())?,
        account_id: value("sso_account_id")?,
        role_name: value("sso_role_name")?,
        body: section.body().to_vec(),
    })
}

/// Renders the lines of a block, with the line ends `end`.
pub(super) fn render_block(
    session: &str,
    template: &NameTemplate,
    region: Option<&Region>,
    sections: &[Vec<u8>],
    end: &[u8],
) -> Vec<u8> {
    let mut text = Vec::new();
    let mut line = |line: &[u8]| {
        text.extend_from_slice(line);
        text.extend_from_slice(end);
    };
    line(format!("{BEGIN}{session}").as_bytes());
    line(NOTE.as_bytes());
    line(format!("{TEMPLATE}{template}").as_bytes());
    if let Some(region) = region {
        line(format!("{REGION}{region}").as_bytes());
    }
    for section in sections {
        line(b"");
        line(section.trim_ascii_end());
    }
    line(b"");
    line(format!("{END}{session}").as_bytes());
    text
}
