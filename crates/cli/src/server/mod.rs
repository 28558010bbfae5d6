//! The credential server: HTTP on this machine that hands temporary credentials to the AWS SDKs, as the credential
//! servers of AWS's containers do, or the metadata service of EC2's instances.
//!
//! Every answer comes from memory. [`renewal`] renews the credentials ahead of their end, on a thread of its own; no
//! request ever waits for a person.
//!
//! | module | makes |
//! |---|---|
//! | [`request`] | of the bytes of a request one that may be answered, or the reason why not |
//! | [`client_url`] | the URL of clients that reach the server through something else |
//! | [`protocol`] | what the two kinds of server do differently |
//! | [`identity`] | one profile's path, token and answer |
//! | [`metadata`] | the tokens and paths of instance metadata |
//! | [`listener`], [`socket`], [`places`], [`connection`] with [`shared`] | connections, and replies on them |
//! | [`events`] | what the server and the renewal say to each other |
//! | [`directory`] | the files that the command reads: tokens, copies of the AWS config |
//! | [`notification`] | what the desktop shows of a renewal that fails |
//! | [`renewal`] | the next credentials, in time |
//! | [`sidecar`] | the process beside the command |

pub(crate) mod request;

pub(crate) mod client_url;

pub(crate) mod protocol;

pub(crate) mod identity;

mod metadata;

pub(crate) mod events;
mod places;
mod shared;

mod connection;
mod socket;

pub(crate) mod listener;

pub(crate) mod directory;

mod notification;

pub(crate) mod renewal;

pub(crate) mod sidecar;
