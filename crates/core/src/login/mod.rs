//! Sessions of `aws login` (`login_session`), pure: where the sign-in service is, what its page is asked, the cache file
//! that the AWS CLI and the SDKs share, and the proof that each call carries.

pub mod address;
pub mod authorize;

pub mod cache_file;
pub mod dpop;
