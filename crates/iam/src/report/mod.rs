//! Reports who can assume which role, including through other roles, as text and as JSON.

pub(crate) mod words;

pub mod can;
pub mod path;
pub mod reach;
pub mod who;

pub mod impact;
