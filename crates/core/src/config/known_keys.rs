//! The keys that hatbox or AWS's own tools read in a profile, to report all others as unknown.

use hatbox_types::text::suggest::nearest_name;

/// Whether hatbox, the AWS CLI or an SDK reads `key`, in any case.
pub(super) fn is_known_key(key: &str) -> bool {
    KNOWN.binary_search_by(|known| known.bytes().cmp(key.bytes().map(|b| b.to_ascii_lowercase()))).is_ok()
}

/// Returns the known key that `key` probably stands for; `None` if it is known itself, or similar to no key.
pub fn nearest_known_key(key: &str) -> Option<&'static str> {
    // A short word is similar to many keys without meaning any of them.
    const LEAST: usize = 5;
    let is_open =
        key.len() >= LEAST && !is_known_key(key) && !OWN.iter().any(|own| own.eq_ignore_ascii_case(key));
    is_open.then(|| nearest_name(&key.to_ascii_lowercase(), KNOWN.iter().chain(&OWN).copied())).flatten()
}

/// Returns the key of hatbox's own that `key` probably stands for.
pub(super) fn nearest_own_key(key: &str) -> Option<&'static str> {
    nearest_name(&key.to_ascii_lowercase(), OWN.iter().copied())
}

/// The keys that only hatbox reads, kept separate so that other profiles are not searched for them.
pub(super) const OWN: [&str; 11] = [
    "hatbox_browser",
    "hatbox_chromium_data_dir",
    "hatbox_chromium_profile",
    "hatbox_confirm",
    "hatbox_console_policy_arn",
    "hatbox_deny_commands",
    "hatbox_firefox_container",
    "hatbox_firefox_container_color",
    "hatbox_firefox_container_icon",
    "hatbox_read_only_for_agents",
    "hatbox_read_only_role_arn",
];

/// Sorted, for the binary search.
const KNOWN: &[&str] = &[
    "account_id_endpoint_mode",
    "api_versions",
    "auth_scheme_preference",
    "aws_access_key_id",
    "aws_account_id",
    "aws_credential_expiration",
    "aws_expiration",
    "aws_secret_access_key",
    "aws_security_token",
    "aws_session_expiration",
    "aws_session_token",
    "ca_bundle",
    "cli_auto_prompt",
    "cli_binary_format",
    "cli_error_format",
    "cli_follow_urlparam",
    "cli_help_output",
    "cli_hide_confirm_prompts",
    "cli_history",
    "cli_pager",
    "cli_timestamp_format",
    "client_certificate",
    "cloudfront",
    "cloudsearch",
    "credential_process",
    "credential_source",
    "csm_client_id",
    "csm_enabled",
    "csm_host",
    "csm_port",
    "defaults_mode",
    "disable_request_compression",
    "duration_seconds",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "ec2_metadata_v1_disabled",
    "emr",
    "emr-containers",
    "endpoint_discovery_enabled",
    "endpoint_url",
    "expiration",
    "external_id",
    "hatbox_tags",
    "identity_source",
    "ignore_configured_endpoint_urls",
    "include_profile",
    "login_session",
    "max_attempts",
    "metadata_service_num_attempts",
    "metadata_service_timeout",
    "mfa_process",
    "mfa_serial",
    "output",
    "parameter_validation",
    "proxy_endpoint",
    "region",
    "request_checksum_calculation",
    "request_min_compression_size_bytes",
    "response_checksum_validation",
    "retry_mode",
    "role_arn",
    "role_session_name",
    "s3",
    "s3_disable_express_session_auth",
    "s3_disable_multiregion_access_points",
    "s3_us_east_1_regional_endpoint",
    "s3_use_arn_region",
    "s3api",
    "sdk_ua_app_id",
    "services",
    "session_tags",
    "sigv4a_signing_region_set",
    "source_identity",
    "source_profile",
    "sso_account_id",
    "sso_auth_scheme",
    "sso_region",
    "sso_registration_scopes",
    "sso_role_name",
    "sso_session",
    "sso_start_url",
    "sso_use_device_code",
    "sts_regional_endpoints",
    "tcp_keepalive",
    "transitive_session_tags",
    "use_dualstack_endpoint",
    "use_fips_endpoint",
    "user_agent_extra",
    "web_identity_token_file",
    "web_identity_token_process",
    "x_security_token_expires",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_key_is_found_in_any_case() {
        assert!(KNOWN.is_sorted_by(|a, b| a < b));
        for key in KNOWN {
            assert!(is_known_key(key) && is_known_key(&key.to_uppercase()), "{key}");
        }
        assert!(!is_known_key("mfa_seriall") && !is_known_key(""));
        assert!(OWN.iter().all(|key| key.starts_with("hatbox_") && !is_known_key(key)));
    }

    #[test]
    fn a_slip_of_a_known_key_is_reported_and_a_key_of_its_own_is_not() {
        for (key, meant) in [
            ("mfa_seriall", Some("mfa_serial")),
            ("Source-Profile", Some("source_profile")),
            ("rolearn", Some("role_arn")),
            ("mfa_serial", None),
            ("Hatbox_Confirm", None),
            ("hatbox_confrim", Some("hatbox_confirm")),
            ("my_tools_color", None),
            ("s4", None),
        ] {
            assert_eq!(nearest_known_key(key), meant, "{key}");
        }
    }
}
