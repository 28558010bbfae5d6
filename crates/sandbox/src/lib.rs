//! A strict stand-in for AWS, reached by URL like AWS.
//!
//! STS, IAM Identity Center, the sign-in service of `aws login`, and as much of IAM and S3 as it takes to set a scene,
//! rotate keys, and let `aws s3` and terraform's S3 backend work. It checks what AWS checks: signatures, session tokens,
//! clocks, MFA codes, tokens of identity providers, trust and identity policies, durations. It listens on 127.0.0.1
//! only, knows only keys that it minted, and keeps everything in one directory.
//!
//! The way of a request: [`server`](start) reads it whole, `dispatch` finds its action in the tables of the
//! services, `sigv4` verifies who sent it, `sts`, `sso`, `iam`, `s3` or `metadata` carries it out on the [`world`], `authorize`
//! asks the policy evaluator, and [`log`] remembers it. [`control`] moves the clock, makes faults, shows the current MFA code.

mod action;
mod authorize;
mod checksum;
mod clock;
mod console;
mod context;
pub mod control;
mod denial;
mod dispatch;
mod encoding;
mod error;
mod error_response;
mod faults;
mod http;
mod iam;
mod jwt;
pub mod log;
mod metadata;
mod mint;
mod rules;
mod s3;
mod sandbox;
mod server;
mod service;
mod signin;
mod sigv4;
mod sso;
mod sts;
mod totp;
pub mod world;
mod xml;
mod xml_read;

pub use error::Error;
pub use metadata::CONTAINER_PATH;
pub use server::{Options, Running, Stop, serve_blocking, start, start_reporting};
