//! Files that the user names for output: new or existing files, devices, pipes, descriptors.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::files::{FileError, Keep, follow_links, remove, write_atomic};

/// How to write to a path.
enum Kind {
    /// A regular file, which may not exist yet.
    Regular,
    /// Anything that must be written to in place, without being removed or replaced.
    InPlace,
}

/// Writes `bytes` to `path` as `cp` would: replaces a regular file completely, also behind a symlink, and writes into a
/// device, a pipe or an open descriptor (`/dev/stderr`, `/dev/fd/3`).
pub(crate) fn write_output(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    match kind_of(path)? {
        Kind::Regular => match write_atomic(path, bytes, Keep::ModeAndLink) {
            // The file itself is mounted into a container, or its directory is read-only.
            Err(FileError::Io { source, .. }) if is_fixed_in_place(&source) && path.is_file() => {
                write_to(OpenOptions::new().write(true).truncate(true), path, bytes)
            }
            result => result,
        },
        Kind::InPlace => write_to(OpenOptions::new().append(true), path, bytes),
    }
}

/// Appends whole lines to a file that another program created and reads later. Ends an incomplete last line first.
pub(crate) fn append_lines(path: &Path, lines: &[u8]) -> Result<(), FileError> {
    // If the file cannot be read, an empty line does less harm than two joined lines.
    if is_line_open(path).unwrap_or(true) {
        write_to(OpenOptions::new().append(true), path, b"\n")?;
    }
    write_to(OpenOptions::new().append(true), path, lines)
}

/// Whether the last line of a file lacks its line end.
fn is_line_open(path: &Path) -> io::Result<bool> {
    let about = fs::metadata(path)?;
    if !about.is_file() || about.len() == 0 {
        return Ok(false);
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Removes the output of an earlier run from `path`.
pub(crate) fn clear_output(path: &Path) -> Result<(), FileError> {
    match kind_of(path)? {
        Kind::Regular => match remove(&follow_links(path)?) {
            Err(FileError::Io { source, .. }) if is_fixed_in_place(&source) => {
                write_to(OpenOptions::new().write(true).truncate(true), path, b"")
            }
            result => result.map(drop),
        },
        Kind::InPlace => Ok(()),
    }
}

fn kind_of(path: &Path) -> Result<Kind, FileError> {
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => Err(FileError::Directory(path.display().to_string())),
        Ok(about) if about.is_file() && !is_descriptor(path)? => Ok(Kind::Regular),
        Ok(_) => Ok(Kind::InPlace),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kind::Regular),
        Err(error) => Err(FileError::io("open", path)(error)),
    }
}

/// Whether a path leads to an open descriptor: the file behind it may be a log, which must only be appended to.
fn is_descriptor(path: &Path) -> Result<bool, FileError> {
    let is_in = |path: &Path| path.starts_with("/proc") || path.starts_with("/dev/fd");
    let mut target = path.to_owned();
    loop {
        if is_in(&target) {
            return Ok(true);
        }
        match fs::read_link(&target) {
            Ok(next) => target = target.parent().map_or_else(|| next.clone(), |parent| parent.join(&next)),
            // Not a symlink, so this is the target. `metadata` already fails for endless chains.
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotFound) => {
                return Ok(false);
            }
            Err(error) => return Err(FileError::io("open", path)(error)),
        }
    }
}

fn is_fixed_in_place(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), ResourceBusy | CrossesDevices | PermissionDenied | ReadOnlyFilesystem)
}

fn write_to(options: &OpenOptions, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut file: File = options.open(path).map_err(FileError::io("open", path))?;
    file.write_all(bytes).map_err(FileError::io("write", path))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};

    use rustix::fs::{CWD, FileType, Mode, makedev, mkfifoat, mknodat};

    use super::*;

    #[test]
    fn a_pipe_is_written_to_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
        clear_output(&path).unwrap();
        let reader = std::thread::spawn({
            let path = path.clone();
            move || fs::read(path).unwrap()
        });
        write_output(&path, b"text").unwrap();
        assert_eq!(reader.join().unwrap(), b"text");
        assert!(fs::symlink_metadata(&path).unwrap().file_type().is_fifo());
    }

    #[test]
    fn a_device_is_written_to_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let null = dir.path().join("null");
        let mode = Mode::from_raw_mode(0o666);
        let made = mknodat(CWD, &null, FileType::CharacterDevice, mode, makedev(1, 3));
        if made.is_err() || OpenOptions::new().append(true).open(&null).is_err() {
            println!("skipped: no device can be made here");
            return;
        }
        let link = dir.path().join("link");
        symlink(&null, &link).unwrap();
        let before = fs::metadata(&null).unwrap().ino();
        for path in [&null, &link] {
            clear_output(path).unwrap();
            write_output(path, b"text").unwrap();
        }
        let after = fs::metadata(&null).unwrap();
        assert!(after.file_type().is_char_device() && after.ino() == before);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn what_cannot_be_written_to_is_an_error_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let around = dir.path().join("around");
        symlink(&around, &around).unwrap();
        for path in [dir.path(), &socket, &around] {
            assert!(write_output(path, b"text").is_err(), "{}", path.display());
            clear_output(path).ok();
            assert!(fs::symlink_metadata(path).is_ok(), "{}", path.display());
        }
    }

    #[test]
    fn a_link_leads_to_the_file_that_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        symlink("file", &link).unwrap();
        for _ in 0..2 {
            write_output(&link, b"text").unwrap();
            assert_eq!(fs::read(&file).unwrap(), b"text");
            clear_output(&link).unwrap();
            assert!(!file.exists() && fs::symlink_metadata(&link).unwrap().is_symlink());
        }
    }

    #[test]
    fn a_descriptor_is_written_on() {
        use std::os::fd::AsRawFd;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, "before\n").unwrap();
        let log = File::open(&path).unwrap();
        let descriptor = dir.path().join("descriptor");
        symlink(format!("/dev/fd/{}", log.as_raw_fd()), &descriptor).unwrap();
        clear_output(&descriptor).unwrap();
        write_output(&descriptor, b"after\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"before\nafter\n");
    }
}
