//! What is known of several AWS accounts: users, groups, roles, policies and the organization, each fact with
//! the source that it is from.
//!
//! [`Accounts::add_source`] reads one source and merges it in. Sources come in the order given: a later one
//! corrects what an earlier one says of the same thing, and adds what is new.
//!
//! | source | is | has |
//! |---|---|---|
//! | [`snapshot`] | written by `hatbox trust snapshot` | all of IAM, several accounts, MFA devices |
//! | [`details`] | `aws iam get-account-authorization-details` | all of IAM but MFA devices |
//! | `terraform.tfstate`, version 4 | what Terraform keeps | what Terraform manages |
//! | `terraform show -json` | of a state, or of a plan | the same; of a plan, as it will be |
//! | a policy | the trust policy of the role that is called as the file is | that policy |
//!
//! What a plan does not know until it is applied is [`Attribute::UntilApply`], never guessed.

mod origin;

mod document;
mod entities;

mod model;

mod read;

pub mod details;
pub mod snapshot;
mod terraform;

mod source;

pub use document::Document;
pub use entities::{Attribute, Extent};
pub use entities::{Grants, Group, ManagedPolicy, Role, UnplacedRole, User};
pub use model::{Account, Accounts, Note};
pub use model::{Organization, OrganizationPolicies};
pub use origin::{Origin, OriginId, SourceKind};
pub use source::SourceError;
