//! IAM Identity Center, pure: URLs, the parts of a sign-in, and the token files shared with the AWS CLI and the SDKs.

pub mod authorize;
pub mod sign_in;
pub mod start_url;
pub mod token_file;
