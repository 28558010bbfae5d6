//! Profiles for every role that IAM Identity Center assigns to a user, pure: names, the block of the config that
//! contains them, and the changes in it.
//!
//! | module | does |
//! |---|---|
//! | [`role`] | an account and a role as the portal returned them, checked |
//! | [`template`] | the name of a profile, from a template such as `{account_name}.{role_name}` |
//! | [`names`] | a unique name for each role, which no other profile has |
//! | [`block`] | the lines of the config file between two markers |
//! | [`merge`] | the file's new text, and the list of changes |

pub mod role;
pub mod template;

pub mod names;

pub mod block;

pub mod merge;
