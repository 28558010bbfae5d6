//! The files of an archive or a package. The same files produce the same bytes, regardless of the directory, the time,
//! the umask and the order in which they were added.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use flate2::{Compression, GzBuilder};
use zip::write::SimpleFileOptions;

use crate::Problem;

/// Files by their path relative to the root, with `/` on every system.
#[derive(Default)]
pub(super) struct Tree {
    files: BTreeMap<String, (Kind, Vec<u8>)>,
}

/// The permissions of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Readable by everyone.
    Data,
    /// Executable by everyone.
    Program,
}

impl Kind {
    pub(super) fn mode(self) -> u32 {
        match self {
            Self::Data => 0o644,
            Self::Program => 0o755,
        }
    }
}

const DIRECTORY_MODE: u32 = 0o755;

impl Tree {
    pub(super) fn add(&mut self, path: impl Into<String>, kind: Kind, bytes: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), (kind, bytes.into()));
    }

    /// Iterates over the files, ordered by path.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, Kind, &[u8])> {
        self.files.iter().map(|(path, (kind, bytes))| (path.as_str(), *kind, bytes.as_slice()))
    }

    /// Returns all directories of the files, each before its content.
    fn directories(&self) -> BTreeSet<&str> {
        let parents = |path| std::iter::successors(parent(path), |path| parent(path));
        self.files.keys().flat_map(|path| parents(path.as_str())).collect()
    }

    /// Renders the tree below the directory `top` as `.tar.gz`. `time` is in seconds since 1970.
    pub(super) fn render_tar_gz(&self, top: &str, time: u64) -> Result<Vec<u8>, Problem> {
        // The gzip header contains neither a file name nor a time.
        let compressed = GzBuilder::new().write(Vec::new(), Compression::best());
        let mut archive = tar::Builder::new(compressed);
        let mut append = |path: &str, kind, mode, bytes: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_mode(mode);
            header.set_mtime(time);
            header.set_uid(0);
            header.set_gid(0);
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, path, bytes)
        };
        append(&format!("{top}/"), tar::EntryType::Directory, DIRECTORY_MODE, &[])?;
        for directory in self.directories() {
            append(&format!("{top}/{directory}/"), tar::EntryType::Directory, DIRECTORY_MODE, &[])?;
        }
        for (path, kind, bytes) in self.files() {
            append(&format!("{top}/{path}"), tar::EntryType::Regular, kind.mode(), bytes)?;
        }
        Ok(archive.into_inner()?.finish()?)
    }

    /// Renders the tree below the directory `top` as `.zip`. `time` is in seconds since 1970, and must be in 1980 or
    /// later; the archive has it in UTC.
    pub(super) fn render_zip(&self, top: &str, time: u64) -> Result<Vec<u8>, Problem> {
        let utc = jiff::Timestamp::from_second(i64::try_from(time)?)?.to_zoned(jiff::tz::TimeZone::UTC);
        let part = |number: i8| u8::try_from(number);
        let modified = zip::DateTime::from_date_and_time(
            u16::try_from(utc.year())?,
            part(utc.month())?,
            part(utc.day())?,
            part(utc.hour())?,
            part(utc.minute())?,
            part(utc.second())?,
        )?;
        let options = SimpleFileOptions::default()
            .system(zip::System::Unix)
            .compression_method(zip::CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(modified);
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (path, kind, bytes) in self.files() {
            archive.start_file(format!("{top}/{path}"), options.unix_permissions(kind.mode()))?;
            archive.write_all(bytes)?;
        }
        Ok(archive.finish()?.into_inner())
    }

    /// Writes the tree to `directory`, and sets the modes.
    pub(super) fn write_to(&self, directory: &Path) -> Result<(), Problem> {
        let set_mode =
            |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
        std::fs::create_dir_all(directory)?;
        set_mode(directory, DIRECTORY_MODE)?;
        for inner in self.directories() {
            let inner = directory.join(inner);
            std::fs::create_dir_all(&inner)?;
            set_mode(&inner, DIRECTORY_MODE)?;
        }
        for (path, kind, bytes) in self.files() {
            let path = directory.join(path);
            std::fs::write(&path, bytes)?;
            set_mode(&path, kind.mode())?;
        }
        Ok(())
    }
}

/// Compresses a file for a package: gzip without name and time.
pub(super) fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut compressed = GzBuilder::new().write(Vec::new(), Compression::best());
    compressed.write_all(bytes)?;
    Ok(compressed.finish()?)
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const TIME: u64 = 1_800_000_000;

    fn tree(order: impl IntoIterator<Item = &'static str>) -> Tree {
        let mut tree = Tree::default();
        for path in order {
            let kind = if path == "hatbox" { Kind::Program } else { Kind::Data };
            tree.add(path, kind, format!("this is {path}\n"));
        }
        tree
    }

    const PATHS: [&str; 4] = ["hatbox", "man/man1/hatbox.1", "LICENSE-MIT", "man/man1/hatbox-exec.1"];

    #[test]
    fn the_order_of_the_files_does_not_change_an_archive() {
        let (one, other) = (tree(PATHS), tree(PATHS.into_iter().rev()));
        assert_eq!(one.render_tar_gz("x", TIME).unwrap(), other.render_tar_gz("x", TIME).unwrap());
        assert_eq!(one.render_zip("x", TIME).unwrap(), other.render_zip("x", TIME).unwrap());
        assert_ne!(one.render_tar_gz("x", TIME).unwrap(), one.render_tar_gz("x", TIME + 2).unwrap());
    }

    /// An archive contains nothing about the machine: its bytes depend neither on time nor umask. Another version of a
    /// compression library may change them.
    #[test]
    fn an_archive_has_the_same_bytes_everywhere() {
        let tree = tree(PATHS);
        let digest = |bytes: Vec<u8>| super::super::sums::sha256(&bytes);
        let tar_gz = "1325b95b277461d8af2f61b5fef199810c9d2be1cfcc4891b7e0bd09aeb1905e";
        let zip = "1b01d27e96321929b2f7576d92111ca40dbe7ff291055f92d04a74192ba2969d";
        assert_eq!(digest(tree.render_tar_gz("x", TIME).unwrap()), tar_gz);
        assert_eq!(digest(tree.render_zip("x", TIME).unwrap()), zip);
    }

    #[test]
    fn tar_finds_owners_modes_and_times_as_they_were_set() {
        let bytes = tree(PATHS).render_tar_gz("hatbox-1-x", TIME).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            assert_eq!(header.mtime().unwrap(), TIME);
            format!("{:o} {}", header.mode().unwrap(), entry.path().unwrap().display())
        });
        let expected = [
            "755 hatbox-1-x/",
            "755 hatbox-1-x/man/",
            "755 hatbox-1-x/man/man1/",
            "644 hatbox-1-x/LICENSE-MIT",
            "755 hatbox-1-x/hatbox",
            "644 hatbox-1-x/man/man1/hatbox-exec.1",
            "644 hatbox-1-x/man/man1/hatbox.1",
        ];
        assert_eq!(entries.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_zip_holds_what_was_added() {
        let bytes = tree(PATHS).render_zip("hatbox-1-x", TIME).unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut file = archive.by_name("hatbox-1-x/man/man1/hatbox.1").unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut file, &mut text).unwrap();
        assert_eq!(text, "this is man/man1/hatbox.1\n");
    }

    /// Packages are built from the written files, whose modes must not depend on the umask.
    #[test]
    fn the_umask_does_not_change_what_is_written() {
        let written = |umask: &str| {
            let directory = tempfile::tempdir().unwrap();
            let own = std::env::current_exe().unwrap();
            let mut command = Command::new("sh");
            command.args(["-c", &format!("umask {umask} && exec \"$@\""), "sh"]).arg(own);
            command.args(["--exact", "dist::tree::tests::write_for_another_test"]);
            command.env("TREE_DIRECTORY", directory.path().join("tree"));
            assert!(command.output().unwrap().status.success());
            let mut list = Command::new("find");
            list.args([".", "-printf", "%m %p\\n"]).current_dir(directory.path().join("tree"));
            let mut lines: Vec<String> = String::from_utf8(list.output().unwrap().stdout)
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect();
            lines.sort();
            lines
        };
        let open = written("000");
        assert!(open.contains(&"755 ./hatbox".to_owned()), "{open:?}");
        assert_eq!(open, written("077"));
    }

    #[test]
    fn write_for_another_test() {
        if let Some(directory) = std::env::var_os("TREE_DIRECTORY") {
            tree(PATHS).write_to(Path::new(&directory)).unwrap();
        }
    }
}
