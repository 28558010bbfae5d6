//! `SHA256SUMS`: the digests of the files, in the format of `sha256sum --check`.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::VERSION;
use crate::Problem;

pub(super) const NAME: &str = "SHA256SUMS";

/// Returns the digest in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Writes the digests of all files of this version in `directory`, including those of earlier runs.
pub(super) fn write_sums(directory: &Path) -> Result<(), Problem> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if is_ours(&name) {
            lines.push((name.clone(), sha256(&std::fs::read(directory.join(&name))?)));
        }
    }
    lines.sort();
    let text: String = lines.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
    std::fs::write(directory.join(NAME), text)?;
    Ok(())
}

fn is_ours(name: &str) -> bool {
    let rest = name.strip_prefix("hatbox-").or_else(|| name.strip_prefix("hatbox_"));
    let rest = rest.and_then(|rest| rest.strip_prefix(VERSION));
    rest.is_some_and(|rest| rest.starts_with(['-', '_']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_are_of_this_version_alone_and_sorted() {
        let directory = tempfile::tempdir().unwrap();
        let names = [
            format!("hatbox_{VERSION}_amd64.deb"),
            format!("hatbox-{VERSION}-x86_64-unknown-linux-gnu.tar.gz"),
            format!("hatbox-{VERSION}0-x86_64-unknown-linux-gnu.tar.gz"),
            "notes".to_owned(),
        ];
        for name in &names {
            std::fs::write(directory.path().join(name), "abc").unwrap();
        }
        write_sums(directory.path()).unwrap();
        // FIPS 180-2, appendix B.1.
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let expected = format!("{digest}  {}\n{digest}  {}\n", names[1], names[0]);
        assert_eq!(std::fs::read_to_string(directory.path().join(NAME)).unwrap(), expected);
    }
}
