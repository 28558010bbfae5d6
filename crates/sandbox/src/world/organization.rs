//! The organization that accounts may belong to, as far as AssumeRoot asks for it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

/// An organization of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// The account that manages the others.
    pub management_account: String,
    /// The accounts that it manages.
    pub member_accounts: BTreeSet<String>,
    /// Members that may do for IAM what the management account may.
    pub delegated_administrators: BTreeSet<String>,
    /// Whether tasks of the members' root users can be done from there: centralized root access.
    pub root_sessions: RootSessions,
}

/// Whether centralized root access is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RootSessions {
    /// AssumeRoot gives sessions.
    Enabled,
    /// It gives none.
    Disabled,
}

impl Organization {
    /// Whether users and roles of `account` may do what the management account may.
    pub(crate) fn is_run_by(&self, account: &str) -> bool {
        self.management_account == account || self.delegated_administrators.contains(account)
    }
}

/// A root user, as the resource of a policy.
const ROOT: &str = "arn:aws:iam::*:root";

/// What each task of a root user needs, and of what. The names are AWS's, the documents our own.
const TASKS: [(&str, &str, &[&str]); 5] = [
    (
        "IAMAuditRootUserCredentials",
        ROOT,
        &[
            "iam:GetAccessKeyLastUsed",
            "iam:GetLoginProfile",
            "iam:GetUser",
            "iam:ListAccessKeys",
            "iam:ListMFADevices",
            "iam:ListSigningCertificates",
        ],
    ),
    ("IAMCreateRootUserPassword", ROOT, &["iam:CreateLoginProfile", "iam:GetLoginProfile"]),
    (
        "IAMDeleteRootUserCredentials",
        ROOT,
        &[
            "iam:DeactivateMFADevice",
            "iam:DeleteAccessKey",
            "iam:DeleteLoginProfile",
            "iam:DeleteSigningCertificate",
            "iam:GetLoginProfile",
            "iam:GetUser",
            "iam:ListAccessKeys",
            "iam:ListMFADevices",
            "iam:ListSigningCertificates",
        ],
    ),
    (
        "S3UnlockBucketPolicy",
        "*",
        &["s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:ListAllMyBuckets", "s3:PutBucketPolicy"],
    ),
    (
        "SQSUnlockQueuePolicy",
        "*",
        &["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueues", "sqs:SetQueueAttributes"],
    ),
];

/// The document of the task policy `arn`; `None` when AWS publishes none of that name.
pub(crate) fn task_policy(arn: &str) -> Option<String> {
    let name = arn.strip_prefix("arn:aws:iam::aws:policy/root-task/")?;
    let (_, resource, actions) = TASKS.iter().find(|(task, _, _)| *task == name)?;
    let allow = json!([{ "Effect": "Allow", "Action": actions, "Resource": resource }]);
    Some(json!({ "Version": "2012-10-17", "Statement": allow }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hatbox_iam::policy::document::Policy;

    #[test]
    fn every_task_has_a_policy_that_can_be_read() {
        for (name, _, _) in TASKS {
            let document = task_policy(&format!("arn:aws:iam::aws:policy/root-task/{name}")).unwrap();
            Policy::parse(&document).unwrap();
        }
        assert_eq!(task_policy("arn:aws:iam::aws:policy/IAMAuditRootUserCredentials"), None);
    }
}
