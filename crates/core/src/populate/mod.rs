//! Profiles for every role that IAM Identity Center assigns to a user, pure: names, the block of the config that holds
//! them, and what changes in it.
//!
//! | module | makes |
//! |---|---|
//! | [`role`] | an account and a role as the portal returned them, checked |
//! | [`template`] | the name of a profile, from a template such as `{account_name}.{role_name}` |
//! | [`names`] | a name for each role, none of them twice, and none that another profile has |
//! | [`block`] | the lines of the config file between two marks |
//! | [`merge`] | the file's new text, and the list of what changes |

pub mod role;
pub mod template;

pub mod names;

pub mod block;

pub mod merge;
