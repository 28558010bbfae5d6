//! The audit log: which credentials were handed over to what, one JSON object per line, in files that only the user can
//! read.
//!
//! | | |
//! |---|---|
//! | `audit.jsonl` | the current file; each line is appended in one write, so lines of several processes do not mix |
//! | `audit.1.jsonl` | the previous file, replaced when `audit.jsonl` exceeds 4 MiB |
//! | `audit.lock` | held while the previous file is replaced |

use std::path::{Path, PathBuf};

use hatbox_types::text::printable;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sys::files::{FileError, append_private, read_private};
use crate::sys::format_version::is_newer_json;
use crate::sys::lock;

/// The version of a line. Lines do not state it, as it is the first.
const VERSION: u64 = 1;
/// The size in bytes from which a new file is started.
const ROTATE_AT: u64 = 4 << 20;
/// Limit in bytes: a log is only larger if it cannot be renamed.
const READ_LIMIT: u64 = 64 << 20;
/// The start of each line, which finds the next line after a truncated one. Within a JSON string the quotes are
/// escaped.
const START: &str = r#"{"time":""#;

/// One use of a profile. Contains no secrets and no command arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuditEntry {
    /// The first field, because of [`START`].
    pub(crate) time: Timestamp,
    /// How the credentials left hatbox: `exec`, `export`, ...
    pub(crate) exit: String,
    /// Empty for credentials from the environment whose profile is not known.
    pub(crate) profile: String,
    /// The file name of the command; `None` for a shell or if there is no command.
    #[serde(default)]
    pub(crate) command: Option<String>,
    /// The ARN of the role, or the name of the permission set.
    #[serde(default)]
    pub(crate) role: Option<String>,
    #[serde(default)]
    pub(crate) account: Option<String>,
    /// Only its last four characters.
    #[serde(default)]
    pub(crate) access_key_id: Option<String>,
    #[serde(default)]
    pub(crate) expires_at: Option<Timestamp>,
    /// The value of `--reason`.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// The environment variable that identifies a coding agent.
    #[serde(default)]
    pub(crate) agent: Option<String>,
    /// The id of the process, which becomes the command.
    #[serde(default)]
    pub(crate) pid: u32,
}

/// The log in one directory.
#[derive(Debug)]
pub(crate) struct AuditLog {
    current: PathBuf,
    earlier: PathBuf,
    lock: PathBuf,
}

/// The content of a log.
#[derive(Debug, Default)]
pub(crate) struct AuditRecord {
    /// Oldest first.
    pub(crate) entries: Vec<AuditEntry>,
    /// How many lines could not be read.
    pub(crate) damaged: usize,
}

impl AuditLog {
    pub(crate) fn at(directory: &Path) -> Self {
        let file = |name: &str| directory.join(name);
        Self { current: file("audit.jsonl"), earlier: file("audit.1.jsonl"), lock: file("audit.lock") }
    }

    /// Returns the path of the current file.
    pub(crate) fn path(&self) -> &Path {
        &self.current
    }

    /// Appends a line.
    pub(crate) fn append(&self, entry: &AuditEntry) -> Result<(), FileError> {
        let line = serde_json::to_string(entry)
            .map_err(|error| FileError::io("write", &self.current)(std::io::Error::other(error)))?;
        // Escapes terminal control sequences, for users who print the file. A JSON parser reads the same value.
        let line = printable(&line).into_owned() + "\n";
        if append_private(&self.current, line.as_bytes())? > ROTATE_AT {
            self.rotate()?;
        }
        Ok(())
    }

    /// Starts a new file, unless another process has just done so.
    fn rotate(&self) -> Result<(), FileError> {
        let _lock = lock::hold(&self.lock)?;
        let length = match std::fs::metadata(&self.current) {
            Ok(about) => about.len(),
            // Another process has renamed it, and no one has written since.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(FileError::io("open", &self.current)(error)),
        };
        if length > ROTATE_AT {
            std::fs::rename(&self.current, &self.earlier).map_err(FileError::io("replace", &self.earlier))?;
        }
        Ok(())
    }

    /// Reads both files.
    ///
    /// # Errors
    /// Also if a newer version of hatbox wrote one of the lines.
    pub(crate) fn load(&self) -> Result<AuditRecord, FileError> {
        let read = |path: &Path| match read_private(path, READ_LIMIT) {
            Err(FileError::Absent(_)) => Ok(Vec::new()),
            read => read,
        };
        let mut current = read(&self.current)?;
        let earlier = read(&self.earlier)?;
        // The files were rotated between the two reads.
        if !current.is_empty() && earlier.starts_with(&current) {
            current = read(&self.current)?;
        }
        for (path, bytes) in [(&self.earlier, &earlier), (&self.current, &current)] {
            if bytes.split(|byte| *byte == b'\n').any(is_newer_line) {
                return Err(FileError::newer(path));
            }
        }
        let mut record = AuditRecord::default();
        for line in [earlier, current].iter().flat_map(|bytes| bytes.split(|byte| *byte == b'\n')) {
            match parse_line(&String::from_utf8_lossy(line)) {
                Line::Empty => {}
                Line::Entry(entry) => record.entries.push(*entry),
                Line::Damaged(rest) => {
                    record.damaged += 1;
                    record.entries.extend(rest.map(|entry| *entry));
                }
            }
        }
        Ok(record)
    }
}

/// Returns whether the line states a later version. The quick search comes first, as few lines contain the word.
fn is_newer_line(line: &[u8]) -> bool {
    const NAME: &[u8] = b"\"version\":";
    line.windows(NAME.len()).any(|part| part == NAME) && is_newer_json(line, VERSION)
}

enum Line {
    Empty,
    Entry(Box<AuditEntry>),
    /// A truncated line, and the complete line that follows it, if any.
    Damaged(Option<Box<AuditEntry>>),
}

fn parse_line(line: &str) -> Line {
    if line.trim().is_empty() {
        return Line::Empty;
    }
    let parse = |text: &str| serde_json::from_str(text).ok().map(Box::new);
    match parse(line) {
        Some(entry) => Line::Entry(entry),
        None => Line::Damaged(line.rfind(START).and_then(|at| parse(line.get(at..).unwrap_or_default()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn entry(profile: &str) -> AuditEntry {
        AuditEntry {
            time: "2026-11-29T16:00:00Z".parse().unwrap(),
            exit: "exec".to_owned(),
            profile: profile.to_owned(),
            command: Some("x\u{1b}[2J\u{9b}".to_owned()),
            role: None,
            account: None,
            access_key_id: None,
            expires_at: None,
            reason: Some("a \"{\"time\":\"\" b".to_owned()),
            agent: None,
            pid: 7,
        }
    }

    fn profiles(record: &AuditRecord) -> Vec<&str> {
        record.entries.iter().map(|entry| entry.profile.as_str()).collect()
    }

    #[test]
    fn what_is_written_is_read_back_and_holds_no_escape() {
        let dir = tempfile::tempdir().unwrap();
        let log = AuditLog::at(&dir.path().join("log"));
        assert!(log.load().unwrap().entries.is_empty());
        log.append(&entry("a")).unwrap();
        log.append(&entry("b")).unwrap();
        let record = log.load().unwrap();
        assert_eq!(record.entries, [entry("a"), entry("b")]);
        let text = fs::read_to_string(log.path()).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{9b}']) && text.lines().all(|line| line.starts_with(START)));
    }

    #[test]
    fn a_line_that_was_cut_off_takes_no_other_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let log = AuditLog::at(&dir.path().join("log"));
        log.append(&entry("a")).unwrap();
        let whole = fs::read_to_string(log.path()).unwrap();
        let cut = &whole[..whole.len() / 2];
        fs::write(log.path(), format!("{whole}{cut}{whole}\n\nnot JSON\n{whole}{cut}")).unwrap();
        let record = log.load().unwrap();
        assert_eq!((profiles(&record), record.damaged), (vec!["a"; 3], 3));
    }

    #[test]
    fn a_full_file_becomes_the_earlier_one_and_there_are_never_more_than_two() {
        let dir = tempfile::tempdir().unwrap();
        let log = AuditLog::at(&dir.path().join("log"));
        let fill = || {
            let line = serde_json::to_string(&entry("old")).unwrap() + "\n";
            let count = usize::try_from(ROTATE_AT).unwrap() / line.len() + 1;
            append_private(log.path(), line.repeat(count).as_bytes()).unwrap();
            count
        };
        let count = fill();
        log.append(&entry("last")).unwrap();
        log.append(&entry("new")).unwrap();
        let record = log.load().unwrap();
        assert_eq!(record.entries.len(), count + 2);
        assert_eq!(profiles(&record)[count..], ["last", "new"]);
        fill();
        log.append(&entry("last")).unwrap();
        assert!(!log.path().exists(), "renamed");
        // The line of a process that opened the file before is in it: that is no failure of the log.
        log.rotate().unwrap();
        let names = fs::read_dir(dir.path().join("log")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        assert_eq!(names, ["audit.1.jsonl", "audit.lock"]);
    }
}
