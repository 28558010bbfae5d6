//! A strict local stand-in for AWS, reached by URL like AWS itself.
//!
//! It implements STS, IAM Identity Center, the sign-in service of `aws login`, and enough of IAM and S3 to set up
//! tests, rotate keys, and run `aws s3` and terraform's S3 backend. Like AWS, it checks signatures, session tokens,
//! clocks, MFA codes, tokens of identity providers, trust and identity policies, and durations. It listens on 127.0.0.1
//! only, accepts only keys that it minted, and keeps everything in one directory.
//!
//! The path of a request: [`server`](start) reads it completely, `dispatch` finds its action in the tables of the
//! services, `sigv4` verifies the caller, `sts`, `sso`, `iam`, `s3` or `metadata` performs it on the [`world`],
//! `authorize` runs the policy evaluator, and [`log`] records the call. [`control`] moves the clock, injects faults,
//! and shows the current MFA code.

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
