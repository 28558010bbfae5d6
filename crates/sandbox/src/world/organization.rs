//! The organization of some of the accounts, as AssumeRoot needs it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

/// An organization of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// The management account.
    pub management_account: String,
    /// The member accounts.
    pub member_accounts: BTreeSet<String>,
    /// Member accounts that are delegated administrators for IAM.
    pub delegated_administrators: BTreeSet<String>,
    /// Whether centralized root access for member accounts is enabled.
    pub root_sessions: RootSessions,
}

/// Whether centralized root access is enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RootSessions {
    /// AssumeRoot returns sessions.
    Enabled,
    /// AssumeRoot is refused.
    Disabled,
}

impl Organization {
    /// Returns whether `account` is the management account or a delegated administrator.
    pub(crate) fn is_run_by(&self, account: &str) -> bool {
        self.management_account == account || self.delegated_administrators.contains(account)
    }
}

/// The resource ARN of any root user in a policy.
const ROOT: &str = "arn:aws:iam::*:root";

/// The task policies: the name in AWS, the resource, and the allowed actions. The documents are our own.
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

/// Returns the document of the task policy `arn`; `None` if AWS has no task policy of this name.
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
