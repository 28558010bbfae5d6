//! The AWS config and credentials files: from text to the settings of one profile.
//!
//! | module | does |
//! |---|---|
//! | [`syntax`] with [`header`] and [`entry`] | index the unchanged text, and parse lines on demand |
//! | [`files`] | both files together: names, similar names, warnings |
//! | [`outline`] | the columns of a list of many profiles |
//! | [`overrides`] | the values from flags and environment |
//! | [`resolve`], over the private `layers` and `sso` | applies all of it in order: a [`profile::Profile`] |
//! | [`edit`] | changes a text without touching other bytes |
//!
//! Precedence: flag, hatbox's and aws-vault's variables, AWS's variables, the profile, what it includes,
//! and `[default]` for `region` and `output` alone. No identity is inherited.

pub(crate) mod foreign;
pub mod origin;
pub mod problem;

pub mod header;

pub mod entry;

pub mod syntax;

pub mod endpoint;
pub mod value;

pub mod error;

mod checked;
mod default_identity;
pub mod files;
pub mod outline;
pub mod overrides;
pub mod profile;

mod known_keys;
mod layers;

pub mod guard;

mod service_url;
mod sso;

pub mod console_keys;

pub mod resolve;

mod tags;

pub mod edit;

pub use default_identity::{WithoutIdentity, without_default_identity};
pub use error::ConfigError;
pub use files::Config;
pub use header::SectionKind;
pub use known_keys::nearest_known_key;
pub use origin::{FileKind, Origin, Place, Sourced};
pub use overrides::{Flags, Overrides};
pub use problem::Warning;
pub use resolve::{Which, resolve_profile};
pub use sso::resolve_sso_session;
pub use tags::resolve_tags;
