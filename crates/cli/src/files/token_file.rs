//! Files that another program keeps a token in: a cluster's kubelet, a build server.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

/// More than any token has: STS takes 20,000 characters.
const LIMIT: usize = 32 << 10;

/// Reads such a file, up to [`LIMIT`]: what is longer is cut, and is no token. Links are followed: Kubernetes replaces
/// tokens by them.
pub(crate) fn read_token_file(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // Asked before it is opened: opening a pipe would wait for a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT));
    File::open(path)?.take(LIMIT as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
