//! hatbox and its sandbox with the real programs on the other side: `aws`, boto3, the other SDKs, terraform, and moto
//! as a second opinion on what hatbox sends.
//!
//! [`scene`] is a sandbox and a home directory, [`python`] makes the virtual environment, [`recorder`] records what a
//! client sends, [`wire`] sends it again, and [`sdks`] builds programs of other SDKs. A test whose program is missing
//! prints `skipped: <why>`.
#![cfg(all(feature = "file", feature = "sandbox", unix))]

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod aws_cli;
#[cfg(test)]
mod boto3;
#[cfg(test)]
mod console;
#[cfg(test)]
mod container_engine;
#[cfg(test)]
mod containers;
#[cfg(test)]
mod firefox;
#[cfg(test)]
mod login_session;
#[cfg(test)]
mod moto;
#[cfg(test)]
mod process;
#[cfg(test)]
mod python;
#[cfg(test)]
mod recorder;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod sdks;
#[cfg(test)]
mod server;
#[cfg(test)]
mod shells;
#[cfg(test)]
mod sso;
#[cfg(test)]
mod sso_cache;
#[cfg(test)]
mod tampering;
#[cfg(test)]
mod terraform;
#[cfg(test)]
mod web_identity;
#[cfg(test)]
mod wire;
