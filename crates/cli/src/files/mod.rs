//! The user's files: the AWS config, sources of accounts, and who else may read or write them.

pub(crate) mod audit_log;
pub(crate) mod aws_config;
pub(crate) mod chosen_profiles;
pub(crate) mod failure_file;
pub(crate) mod instance;
pub(crate) mod login_cache;
pub(crate) mod modes;
pub(crate) mod programs;
pub(crate) mod project;
pub(crate) mod settings_edit;
pub(crate) mod sso_cache;
pub(crate) mod token_file;
pub(crate) mod trust_sources;
