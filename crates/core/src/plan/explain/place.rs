//! Where a value came from, in words.

use crate::config::profile::{FileKind, Origin, Place};

/// What the two files are called to the person: with `~` for the home directory, as the caller likes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The config file.
    pub config: String,
    /// The credentials file.
    pub credentials: String,
}

impl Paths {
    /// The path of a file.
    pub fn path(&self, file: FileKind) -> &str {
        match file {
            FileKind::Config => &self.config,
            FileKind::Credentials => &self.credentials,
        }
    }

    /// Renders a place as editors and terminals understand it: `~/.aws/config:14`.
    pub fn render_place(&self, place: Place) -> String {
        format!("{}:{}", self.path(place.file), place.line)
    }
}

/// Renders where a value came from: the flag, the variable, the file and line; `None` for a default.
pub fn render_origin(origin: &Origin, paths: &Paths) -> Option<String> {
    match origin {
        Origin::Flag(name) | Origin::Env(name) => Some((*name).to_owned()),
        Origin::File { place, .. } => Some(paths.render_place(*place)),
        Origin::Default => None,
    }
}
