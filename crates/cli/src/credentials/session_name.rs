//! The name of a role's session where the profile fixes none.

use hatbox_types::name::ProfileName;

/// `hatbox-PROFILE-SECONDS`: in CloudTrail it tells the hat and the time. 2..=64 of `[\w+=,.@-]`.
pub(super) fn default_session_name(profile: &ProfileName, now: i64) -> String {
    let profile: String = profile
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) { c } else { '-' })
        .take(40)
        .collect();
    format!("hatbox-{profile}-{now}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_name_is_one_that_sts_takes() {
        let name = |profile: &str| default_session_name(&ProfileName::parse(profile).unwrap(), 1_768_471_200);
        assert_eq!(name("dev-infra-admin"), "hatbox-dev-infra-admin-1768471200");
        assert_eq!(name("my prof/x"), "hatbox-my-prof-x-1768471200");
        assert!(name(&"x".repeat(200)).len() <= 64);
    }
}
