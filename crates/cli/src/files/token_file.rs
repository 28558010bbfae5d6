//! Files in which another program keeps a token, such as the kubelet or a CI runner.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

/// Limit in bytes, more than STS accepts (20,000 characters).
const LIMIT: usize = 32 << 10;

/// Reads such a file, up to [`LIMIT`] bytes; a longer one is truncated, and invalid. Follows links, as Kubernetes uses
/// them to replace tokens.
pub(crate) fn read_token_file(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // Checked before opening: opening a named pipe would wait for a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT));
    File::open(path)?.take(LIMIT as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
