//! Renders where a value came from.

use crate::config::profile::{FileKind, Origin, Place};

/// The paths of the two AWS files as shown to the user, such as with `~` for the home directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The config file.
    pub config: String,
    /// The credentials file.
    pub credentials: String,
}

impl Paths {
    /// Returns the path of a file.
    pub fn path(&self, file: FileKind) -> &str {
        match file {
            FileKind::Config => &self.config,
            FileKind::Credentials => &self.credentials,
        }
    }

    /// Renders a place in the form that editors and terminals recognize: `~/.aws/config:14`.
    pub fn render_place(&self, place: Place) -> String {
        format!("{}:{}", self.path(place.file), place.line)
    }
}

/// Renders where a value came from: a flag, a variable, or a file and line. Returns `None` for a default.
pub fn render_origin(origin: &Origin, paths: &Paths) -> Option<String> {
    match origin {
        Origin::Flag(name) | Origin::Env(name) => Some((*name).to_owned()),
        Origin::File { place, .. } => Some(paths.render_place(*place)),
        Origin::Default => None,
    }
}
