//! Sessions of `aws login` (`login_session`), pure: the sign-in service's URL and page, the cache file shared with the
//! AWS CLI and the SDKs, and the proof in each call.

pub mod address;
pub mod authorize;

pub mod cache_file;
pub mod dpop;
