//! The IAM resources of a Terraform state or plan, and the facts in each of them.
//!
//! | resource | facts |
//! |---|---|
//! | `aws_iam_role` | trust policy, boundary, tags, maximum session duration, inline and attached policies |
//! | `aws_iam_user`, `aws_iam_group` | existence; for a user, boundary and tags |
//! | `aws_iam_policy` | the document |
//! | `aws_iam_{user,group,role}_policy` | an inline policy |
//! | `aws_iam_{user,group,role}_policy_attachment`, `aws_iam_policy_attachment` | an attached policy |
//! | `aws_iam_user_group_membership`, `aws_iam_group_membership` | groups of users |
//!
//! Other resources are ignored. Terraform only knows the policies that it manages, so lists of policies never count as
//! complete.

mod resource;

mod facts;
mod files;
