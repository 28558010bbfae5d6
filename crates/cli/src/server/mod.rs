//! The credential server: HTTP on this machine that provides temporary credentials to the AWS SDKs, with the protocol
//! of AWS's container credentials or of EC2 instance metadata.
//!
//! Every answer comes from memory. [`renewals`] has the credentials renewed before they expire, in other threads;
//! requests never wait for the user.
//!
//! | module | does |
//! |---|---|
//! | [`request`] | parses the bytes of a request, and checks whether it may be answered |
//! | [`client_url`] | the URL for clients that reach the server through a forwarder |
//! | [`protocol`] | the differences between the two kinds of server |
//! | [`identity`] | one profile's path, token and answer |
//! | [`metadata`] | the tokens and paths of instance metadata |
//! | [`listener`], [`socket`], [`places`], [`connection`] with [`shared`] | connections, and replies on them |
//! | [`events`] | signals between the server and the renewal |
//! | [`directory`] | the files that the command reads: tokens, copies of the AWS config |
//! | [`notification`] | desktop notifications about a failed renewal |
//! | [`renewer`] | the thread that obtains the next credentials of a profile |
//! | [`renewal`] | decides when a profile is renewed, and warns |
//! | [`renewals`] | all profiles of a server, until it ends |
//! | [`sidecar`] | the process that runs beside the command |

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

mod renewer;

pub(crate) mod renewal;

pub(crate) mod renewals;

pub(crate) mod sidecar;
