//! The recovery passphrase, which hatbox generates for the user to write down.
//!
//! ```text
//! hatbox-recovery-7k2mq-x0d9f-pv3hn-8atjc-gz5re-w4y6b
//! ```
//!
//! 30 digits of Crockford's base 32 (150 bits). The prefix distinguishes it from a chosen passphrase, so each is tried
//! on its own wrap only. Capital letters, `O` for `0`, and `I` or `L` for `1` are accepted.

use hatbox_types::secret::SecretString;
use zeroize::Zeroizing;

const PREFIX: &str = "hatbox-recovery-";
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const GROUPS: usize = 6;
const GROUP: usize = 5;

/// Generates a recovery passphrase.
///
/// # Errors
/// If the operating system returns no random bytes.
pub(super) fn generate() -> Result<SecretString, getrandom::Error> {
    let mut random = Zeroizing::new([0_u8; GROUPS * GROUP]);
    getrandom::getrandom(&mut *random)?;
    let mut text = String::with_capacity(PREFIX.len() + GROUPS * (GROUP + 1));
    text.push_str(PREFIX);
    for (at, byte) in random.iter().enumerate() {
        if at > 0 && at.is_multiple_of(GROUP) {
            text.push('-');
        }
        // 256 is a multiple of 32, so all digits are equally likely.
        let digit = DIGITS.get(usize::from(byte % 32)).copied().unwrap_or(b'0');
        text.push(char::from(digit));
    }
    Ok(SecretString::new(text))
}

/// Returns the normalized recovery passphrase, if `typed` is one.
pub(super) fn read(typed: &SecretString) -> Option<SecretString> {
    let text = Zeroizing::new(typed.expose().trim().to_ascii_lowercase());
    let digits = text.strip_prefix(PREFIX)?;
    let mut meant = String::with_capacity(text.len());
    meant.push_str(PREFIX);
    meant.extend(digits.chars().map(|c| match c {
        'o' => '0',
        'i' | 'l' => '1',
        c => c,
    }));
    Some(SecretString::new(meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_passphrase_is_read_as_it_was_meant_and_no_other_text_is_one() {
        let made = generate().unwrap();
        let digits = made.expose().strip_prefix(PREFIX).unwrap();
        assert_eq!(digits.split('-').map(str::len).collect::<Vec<_>>(), [5; 6]);
        assert!(digits.bytes().all(|b| b == b'-' || DIGITS.contains(&b)));
        assert_ne!(made.expose(), generate().unwrap().expose());
        let typed = made.expose().to_ascii_uppercase().replace('0', "O").replace('1', "l");
        let read_back = read(&SecretString::new(format!(" {typed} "))).unwrap();
        // The letters of the prefix must not be replaced by digits.
        assert_eq!(read_back.expose(), made.expose());
        assert!(read(&SecretString::new("correct horse".to_owned())).is_none());
        assert!(read(&SecretString::new("hatbox-recover".to_owned())).is_none());
    }
}
