//! Default names of role sessions and federated users.

use hatbox_types::name::ProfileName;

/// `hatbox-PROFILE-SECONDS`, which shows the profile and time in CloudTrail. 2 to 64 characters of `[\w+=,.@-]`.
pub(super) fn default_session_name(profile: &ProfileName, now: i64) -> String {
    let profile: String = taken_characters(profile).take(40).collect();
    format!("hatbox-{profile}-{now}")
}

/// `hatbox-PROFILE`, the name of a federated user. 2 to 32 characters of `[\w+=,.@-]`.
pub(super) fn federated_name(profile: &ProfileName) -> String {
    let profile: String = taken_characters(profile).take(25).collect();
    format!("hatbox-{profile}")
}

fn taken_characters(profile: &ProfileName) -> impl Iterator<Item = char> {
    let is_taken = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    profile.as_str().chars().map(move |c| if is_taken(c) { c } else { '-' })
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
        let federated = |profile: &str| federated_name(&ProfileName::parse(profile).unwrap());
        assert_eq!(federated("my prof/x"), "hatbox-my-prof-x");
        assert_eq!(federated(&"x".repeat(200)).len(), 32);
    }
}
