//! The checksums that S3 clients send with the content: three CRC variants, SHA-1 and SHA-256.

use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::encoding::render_base64;

/// Returns the checksum in the form of its header: base64 of the big-endian bytes. `None` for unknown names; `type`,
/// `mode` and others share the prefix of the header.
pub(crate) fn render_checksum(algorithm: &str, bytes: &[u8]) -> Option<String> {
    const CRC32: u64 = 0xedb8_8320;
    const CRC32C: u64 = 0x82f6_3b78;
    const CRC64NVME: u64 = 0x9a6c_9329_ac4b_c9b5;
    let crc32 = |polynomial| {
        let crc = crc(polynomial, 0xffff_ffff, bytes);
        render_base64(crc.to_be_bytes().get(4..).unwrap_or_default())
    };
    Some(match algorithm {
        "crc32" => crc32(CRC32),
        "crc32c" => crc32(CRC32C),
        "crc64nvme" => render_base64(&crc(CRC64NVME, u64::MAX, bytes).to_be_bytes()),
        "sha1" => render_base64(&Sha1::digest(bytes)),
        "sha256" => render_base64(&Sha256::digest(bytes)),
        _ => return None,
    })
}

/// Computes a reflected CRC that starts with all bits of `mask` set and flips them at the end.
fn crc(polynomial: u64, mask: u64, bytes: &[u8]) -> u64 {
    let table: [u64; 256] = std::array::from_fn(|byte| {
        (0..8).fold(byte as u64, |crc, _| if crc & 1 == 1 { crc >> 1 ^ polynomial } else { crc >> 1 })
    });
    let step = |crc: u64, byte: &u8| {
        let index = (crc ^ u64::from(*byte)) & 0xff;
        table.get(usize::try_from(index).unwrap_or_default()).copied().unwrap_or_default() ^ crc >> 8
    };
    bytes.iter().fold(mask, step) ^ mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_catalogues_for_123456789() {
        // The check values of the CRC catalogue: cbf43926, e3069283, ae8b14860a799888.
        for (algorithm, check) in
            [("crc32", "y/Q5Jg=="), ("crc32c", "4waSgw=="), ("crc64nvme", "rosUhgp5mIg=")]
        {
            assert_eq!(render_checksum(algorithm, b"123456789").unwrap(), check, "{algorithm}");
        }
        assert_eq!(render_checksum("type", b"x"), None);
    }
}
