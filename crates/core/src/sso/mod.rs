//! IAM Identity Center, pure: addresses, the parts of a sign-in, and the token files that the AWS CLI and the SDKs share.

pub mod authorize;
pub mod sign_in;
pub mod start_url;
pub mod token_file;
