//! Descriptors that the caller passes by number.
#![expect(unsafe_code, reason = "a descriptor given by number can only be borrowed with from_raw")]

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;

use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_getfd, fcntl_setfd};

fn with<T>(number: i32, work: impl FnOnce(BorrowedFd<'_>) -> rustix::io::Result<T>) -> io::Result<T> {
    if number < 0 {
        return Err(rustix::io::Errno::BADF.into());
    }
    // SAFETY: the descriptor is used only for one system call, which fails with EBADF if it is not open. This program
    // only closes descriptors that it opened.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    Ok(work(borrowed)?)
}

/// Keeps the child from inheriting the descriptor, which stays open here.
pub(crate) fn close_on_exec(number: i32) -> io::Result<()> {
    with(number, |fd| fcntl_setfd(fd, fcntl_getfd(fd)? | FdFlags::CLOEXEC))
}

/// Returns another descriptor for the same open file.
pub(crate) fn duplicate(number: i32) -> io::Result<File> {
    with(number, |fd| fcntl_dupfd_cloexec(fd, 3)).map(File::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::AsRawFd;

    #[test]
    fn a_duplicate_reads_the_same_file_and_a_closed_number_is_an_error() {
        let (mut reader, mut writer) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writer, b"x").unwrap();
        drop(writer);
        close_on_exec(reader.as_raw_fd()).unwrap();
        let mut text = String::new();
        duplicate(reader.as_raw_fd()).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "x");
        assert_eq!(reader.read(&mut [0; 1]).unwrap(), 0, "both share one position");
        assert!(duplicate(-1).is_err());
        assert!(duplicate(9999).is_err());
    }
}
