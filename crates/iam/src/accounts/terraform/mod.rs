//! What Terraform knows of IAM: the resources of a state or a plan, and what each of them has.
//!
//! | resource | has |
//! |---|---|
//! | `aws_iam_role` | trust policy, boundary, tags, longest session, inline and attached policies |
//! | `aws_iam_user`, `aws_iam_group` | that it is there; of a user boundary and tags |
//! | `aws_iam_policy` | the document |
//! | `aws_iam_user_policy`, `..._group_policy`, `..._role_policy` | an inline policy |
//! | `aws_iam_user_policy_attachment`, `..._group_...`, `..._role_...`, `aws_iam_policy_attachment` | an attached policy |
//! | `aws_iam_user_group_membership`, `aws_iam_group_membership` | groups of users |
//!
//! Others are passed over. No one but Terraform is asked, so lists of policies are never taken for whole.

mod resource;

mod facts;
mod files;
