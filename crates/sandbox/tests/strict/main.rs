//! Tests the sandbox from outside: over real HTTP, with requests signed by `aws-sigv4`. Each rule has a refused call
//! and a similar one that is accepted.

#[cfg(test)]
mod client;
#[cfg(test)]
mod console;
#[cfg(test)]
mod context;
#[cfg(test)]
mod control;
#[cfg(test)]
mod denial;
#[cfg(test)]
mod iam;
#[cfg(test)]
mod iam_account;
#[cfg(test)]
mod iam_trust;
#[cfg(test)]
mod lifetimes;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod mfa;
#[cfg(test)]
mod outbound;
#[cfg(test)]
mod parameters;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod regions;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod root;
#[cfg(test)]
mod s3;
#[cfg(test)]
mod s3_streams;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod sso;
#[cfg(test)]
mod sso_pages;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod web_identity;
