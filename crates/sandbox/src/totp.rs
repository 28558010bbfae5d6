//! One-time codes of MFA devices: RFC 6238 with HMAC-SHA1, 30 s steps, 6 digits.

use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// How long a code is current.
pub(crate) const STEP_SECONDS: i64 = 30;

/// Returns the number of the step that contains `at`.
pub(crate) fn step_at(at: Timestamp) -> i64 {
    at.as_second().div_euclid(STEP_SECONDS)
}

/// Returns the code of a device with `seed` in `step`.
pub(crate) fn render_code(seed: &[u8], step: i64) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(seed) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = digest.last().map_or(0, |b| usize::from(b & 15));
    let word = (0..4)
        .fold(0_u32, |word, i| word << 8 | u32::from(digest.get(offset + i).copied().unwrap_or_default()));
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

/// Returns the step of `code` if it is the current, previous or next one and later than `last_step`. The codes of
/// `last_step` and all earlier steps count as used.
pub(crate) fn match_step(seed: &[u8], code: &str, at: Timestamp, last_step: Option<i64>) -> Option<i64> {
    let current = step_at(at);
    (current - 1..=current + 1)
        .filter(|&step| last_step.is_none_or(|last| step > last))
        .find(|&step| bool::from(render_code(seed, step).as_bytes().ct_eq(code.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &[u8] = b"12345678901234567890";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(render_code(SEED, step_at(at(second))), code, "{second}");
        }
    }

    #[test]
    fn a_code_is_taken_one_step_either_side_and_no_further() {
        let now = at(3000);
        for (step, is_taken) in [(98, false), (99, true), (100, true), (101, true), (102, false)] {
            let code = render_code(SEED, step);
            assert_eq!(match_step(SEED, &code, now, None), is_taken.then_some(step), "step {step}");
        }
    }

    #[test]
    fn a_used_code_and_older_ones_are_refused_and_the_next_is_taken() {
        let now = at(3000);
        for (step, is_taken) in [(99, false), (100, false), (101, true)] {
            let code = render_code(SEED, step);
            assert_eq!(match_step(SEED, &code, now, Some(100)).is_some(), is_taken, "step {step}");
        }
    }
}
