//! Keeps the output of a command until it has ended: in memory and, beyond a limit, in an unnamed file that only this
//! user can read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::output::Stream;

/// In bytes, for each command.
const IN_MEMORY: usize = 256 << 10;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;

/// Pieces of output in the order in which they were read.
#[derive(Debug, Default)]
pub(super) struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
    /// Why later output was not kept.
    failed: Option<io::Error>,
}

impl Spool {
    /// Keeps a piece. Keeps nothing more once the disk is full.
    pub(super) fn push(&mut self, stream: Stream, bytes: &[u8]) {
        if self.failed.is_some() || bytes.is_empty() {
            return;
        }
        let tag = match stream {
            Stream::Stdout => STDOUT,
            Stream::Stderr => STDERR,
        };
        for chunk in bytes.chunks(u16::MAX.into()) {
            let [high, low] = u16::try_from(chunk.len()).unwrap_or_default().to_be_bytes();
            self.memory.extend_from_slice(&[tag, high, low]);
            self.memory.extend_from_slice(chunk);
        }
        if self.memory.len() > IN_MEMORY
            && let Err(error) = self.spill()
        {
            // The part that reached the file is read from there.
            self.memory.clear();
            self.failed = Some(error);
        }
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            file => file.insert(create_unnamed()?),
        };
        file.write_all(&self.memory)?;
        self.memory.clear();
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.memory.is_empty() && self.file.is_none()
    }

    /// Passes all pieces to `give`, in order. Returns why some are missing.
    pub(super) fn replay<E>(
        mut self,
        mut give: impl FnMut(Stream, &[u8]) -> Result<(), E>,
    ) -> Result<Option<io::Error>, E> {
        let mut failed = self.failed.take();
        if let Some(file) = &mut self.file
            && let Err(error) = file.seek(SeekFrom::Start(0))
        {
            return Ok(Some(error));
        }
        let mut records: Box<dyn Read> = match self.file {
            Some(file) => Box::new(io::BufReader::new(file).chain(&*self.memory)),
            None => Box::new(&*self.memory),
        };
        let mut chunk = Vec::new();
        loop {
            let mut head = [0; 3];
            match records.read_exact(&mut head) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(failed),
                Err(error) => return Ok(Some(failed.unwrap_or(error))),
            }
            let [tag, high, low] = head;
            chunk.resize(u16::from_be_bytes([high, low]).into(), 0);
            if let Err(error) = records.read_exact(&mut chunk) {
                // A piece was only partly written.
                failed.get_or_insert(error);
                return Ok(failed);
            }
            give(if tag == STDOUT { Stream::Stdout } else { Stream::Stderr }, &chunk)?;
        }
    }
}

/// Creates an unnamed private file, which disappears when it is closed or the process is killed.
fn create_unnamed() -> io::Result<File> {
    let file = tempfile::tempfile()?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_come_back_in_their_order_from_memory_and_from_a_file() {
        for count in [3, 20_000] {
            let mut spool = Spool::default();
            assert!(spool.is_empty());
            let line = |number: usize| format!("line {number}, and some more text behind it\n");
            for number in 0..count {
                let stream = if number % 2 == 0 { Stream::Stdout } else { Stream::Stderr };
                spool.push(stream, line(number).as_bytes());
            }
            assert!(!spool.is_empty() && spool.memory.len() <= IN_MEMORY + 100);
            assert_eq!(spool.file.is_some(), count > 3);
            let mut number = 0;
            let failed = spool.replay(|stream, bytes| {
                assert_eq!(bytes, line(number).as_bytes());
                assert_eq!(stream == Stream::Stdout, number % 2 == 0);
                number += 1;
                Ok::<_, ()>(())
            });
            assert!(failed.unwrap().is_none());
            assert_eq!(number, count);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_file_is_the_users_alone_and_has_no_name() {
        use std::os::unix::fs::MetadataExt;
        let mut spool = Spool::default();
        spool.push(Stream::Stdout, &vec![b'x'; 2 * IN_MEMORY]);
        let about = spool.file.unwrap().metadata().unwrap();
        assert_eq!((about.mode() & 0o777, about.nlink()), (0o600, 0));
    }
}
