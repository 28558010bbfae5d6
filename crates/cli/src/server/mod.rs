//! The credential server: HTTP on this machine that hands temporary credentials to the AWS SDKs, as the credential
//! servers of AWS's containers do.
//!
//! Every answer comes from memory. [`renewal`] renews the credentials ahead of their end, on a thread of its own; no
//! request ever waits for a person.
//!
//! | module | makes |
//! |---|---|
//! | [`request`] | of the bytes of a request one that may be answered, or the reason why not |
//! | [`identity`] | one profile's path, token and answer |
//! | [`listener`], [`socket`], [`places`], [`connection`] with [`shared`] | connections, and replies on them |
//! | [`events`] | what the server and the renewal say to each other |
//! | [`directory`] | the files that the command reads: tokens, copies of the AWS config |
//! | [`renewal`] | the next credentials, in time |
//! | [`sidecar`] | the process beside the command |

pub(crate) mod request;

pub(crate) mod identity;

pub(crate) mod events;
mod places;
mod shared;

mod connection;
mod socket;

pub(crate) mod listener;

pub(crate) mod directory;

pub(crate) mod renewal;

pub(crate) mod sidecar;
