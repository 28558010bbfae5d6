//! The IAM data of several AWS accounts: users, groups, roles, policies and the organization, each fact with the source
//! that it comes from.
//!
//! [`Accounts::add_source`] reads one source and merges it in. Sources are read in the given order: a later source
//! overrides earlier ones for the same fact, and adds new facts.
//!
//! | source | what it is | contents |
//! |---|---|---|
//! | [`snapshot`] | written by `hatbox trust snapshot` | all of IAM, several accounts, MFA devices |
//! | [`details`] | `aws iam get-account-authorization-details` | all of IAM except MFA devices |
//! | `terraform.tfstate`, version 4 | Terraform's state | the resources that Terraform manages |
//! | `terraform show -json` | of a state or a plan | likewise; for a plan, the result of applying it |
//! | a policy | a trust policy, in a file named after the role | that policy |
//!
//! Values that a plan knows only after apply are [`Attribute::UntilApply`], never guessed.

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
