//! Who else can change where a path leads: by replacing the file, a directory above it, or a symlink on the way.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::access::{NotTrusted, Ownership};
use crate::sys::peer::is_trusted_user;

/// How many symlinks the kernel follows (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// A directory or an entry of one through which other users can change where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OpenWay {
    pub(crate) path: PathBuf,
    pub(crate) why: NotTrusted,
}

impl OpenWay {
    /// Returns the command that fixes it, if there is one.
    pub(crate) fn hint(&self) -> Option<String> {
        self.why.hint(&self.path.display().to_string())
    }
}

impl fmt::Display for OpenWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.why {
            NotTrusted::Writers => write!(f, "they can write to `{path}`"),
            NotTrusted::Owner(uid) => write!(f, "`{path}` belongs to another user (uid {uid})"),
        }
    }
}

/// Finds where users other than this one and root can put something else in the place of `path`, which may not exist.
/// As in sshd, a group that can write to a directory counts as others. In a directory with the sticky bit, such as
/// /tmp, only its owner and that of an entry can replace the entry.
pub(crate) fn find_open_way(path: &Path) -> io::Result<Option<OpenWay>> {
    let mut left: VecDeque<Step> = steps_of(&std::path::absolute(path)?).collect();
    // Has no symlinks, so its parent is the directory above it.
    let mut reached = PathBuf::from("/");
    let mut links = 0;
    while let Some(step) = left.pop_front() {
        let name = match step {
            Step::Root => {
                reached = PathBuf::from("/");
                continue;
            }
            Step::Up => {
                reached.pop();
                continue;
            }
            Step::Into(name) => name,
        };
        let directory = Ownership::of_directory(&reached)?;
        if let Err(why) = directory.check_trusted() {
            return Ok(Some(OpenWay { path: reached, why }));
        }
        let entry = reached.join(name);
        let about = match std::fs::symlink_metadata(&entry) {
            Ok(about) => about,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if directory.is_sticky() && !is_trusted_user(about.uid()) {
            return Ok(Some(OpenWay { path: entry, why: NotTrusted::Owner(about.uid()) }));
        }
        if about.is_symlink() {
            links += 1;
            if links > MOST_LINKS {
                return Err(rustix::io::Errno::LOOP.into());
            }
            for step in steps_of(&std::fs::read_link(&entry)?).rev() {
                left.push_front(step);
            }
        } else {
            reached = entry;
        }
    }
    Ok(None)
}

enum Step {
    Root,
    Up,
    Into(OsString),
}

fn steps_of(path: &Path) -> impl DoubleEndedIterator<Item = Step> {
    path.components().filter_map(|component| match component {
        Component::RootDir => Some(Step::Root),
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Into(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};

    use super::*;

    /// Another user, on a machine without this uid.
    const OTHER: u32 = 61_234;

    #[test]
    fn a_directory_at_any_height_that_others_can_write_to_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap();
        let inner = home.join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let file = inner.join("not there yet");
        let find = || find_open_way(&file).unwrap();
        assert_eq!(find(), None);
        for open in [home.join("a"), inner] {
            for (mode, is_found) in
                [(0o777, true), (0o770, true), (0o702, true), (0o1777, false), (0o755, false)]
            {
                fs::set_permissions(&open, Permissions::from_mode(mode)).unwrap();
                let way = is_found.then(|| OpenWay { path: open.clone(), why: NotTrusted::Writers });
                assert_eq!(find(), way, "{mode:o}");
            }
        }
    }

    #[test]
    fn symlinks_are_followed_to_the_directories_that_hold_them() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap();
        for name in ["mine", "open"] {
            fs::create_dir(home.join(name)).unwrap();
        }
        symlink("../mine", home.join("open/link")).unwrap();
        symlink("around", home.join("around")).unwrap();
        fs::write(home.join("mine/file"), "").unwrap();
        let find = || find_open_way(&home.join("open/link/file"));
        assert_eq!(find().unwrap(), None);
        fs::set_permissions(home.join("open"), Permissions::from_mode(0o777)).unwrap();
        let open = OpenWay { path: home.join("open"), why: NotTrusted::Writers };
        assert_eq!(find().unwrap(), Some(open));
        assert!(find_open_way(&home.join("around")).is_err());
    }

    #[test]
    fn what_belongs_to_another_user_is_found() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root can give a file to another user");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap();
        let (shared, mine) = (home.join("shared"), home.join("mine"));
        fs::create_dir(&mine).unwrap();
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, Permissions::from_mode(0o1777)).unwrap();
        symlink(&mine, shared.join("link")).unwrap();
        let find = || find_open_way(&shared.join("link/file")).unwrap();
        assert_eq!(find(), None);
        lchown(shared.join("link"), Some(OTHER), None).unwrap();
        let way = OpenWay { path: shared.join("link"), why: NotTrusted::Owner(OTHER) };
        assert_eq!(find(), Some(way));
        chown(&mine, Some(OTHER), None).unwrap();
        let way = OpenWay { path: mine.clone(), why: NotTrusted::Owner(OTHER) };
        assert_eq!(find_open_way(&mine.join("file")).unwrap(), Some(way));
    }
}
