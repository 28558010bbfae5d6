//! The demo world: two accounts, a user, roles with and without MFA, a CI job with a token and a role for it, an
//! Identity Center portal, three buckets.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Account, Bucket, Curve, Home, IdentityCenter, IdentityProvider, Machine, MfaDevice, Object, Role, User,
    World, WorldSecret, issuer_name,
};
use crate::encoding::render_base32;
use crate::error::Error;
use crate::mint;

/// The account of the demo world that contains the user.
pub const PEOPLE_ACCOUNT: &str = "111122223333";
/// The account of the demo world that contains the roles and buckets.
pub const WORK_ACCOUNT: &str = "444455556666";
/// The user of the demo world.
pub const USER: &str = "jan";
/// The serial number of the user's MFA device.
pub const MFA_SERIAL: &str = "arn:aws:iam::111122223333:mfa/jan";
/// The read-only role of the demo world, which does not require MFA.
pub const AUDITOR_ROLE: &str = "arn:aws:iam::444455556666:role/security-auditor";
/// The demo world's role with write access, which requires MFA.
pub const ADMIN_ROLE: &str = "arn:aws:iam::444455556666:role/dev-infra-admin";
/// The issuer of the demo world's tokens, which identify CI jobs.
pub const ISSUER: &str = "https://ci.sandbox.example";
/// The audience of the demo world's tokens.
pub const AUDIENCE: &str = "sts.amazonaws.com";
/// The token subject that the demo world has a role for.
pub const SUBJECT: &str = "repo:work/site:ref:refs/heads/main";
/// The role of the demo world for CI jobs with a token.
pub const JOB_ROLE: &str = "arn:aws:iam::444455556666:role/ci-deploy";
/// The URL of the demo world's IAM Identity Center portal.
pub const START_URL: &str = "https://sandbox.awsapps.com/start";
/// The read-only permission set of the demo world, assigned in both accounts.
pub const READ_ONLY_SET: &str = "ReadOnly";
/// The permission set of the demo world with write access, assigned in the account with the buckets.
pub const DEVELOPER_SET: &str = "Developer";
/// The role of the demo world's machine, in the account with the buckets.
pub const WORKER_ROLE: &str = "worker";
/// The region of the demo world.
pub const REGION: &str = "us-east-1";

/// 2024-05-01 10:00:00 UTC.
const CREATED: i64 = 1_714_557_600;

const LOGS: [(&str, &str); 2] = [
    ("2024/05/01/app.log", "10:00:00 app started\n10:00:01 listening on port 8080\n"),
    ("2024/05/01/audit.log", "10:00:02 jan signed in with MFA\n"),
];

impl World {
    /// Creates the demo world for the sandbox directory `directory`, which receives the bytes of its objects.
    ///
    /// # Errors
    /// If the directory cannot be written, or the operating system returns no random bytes.
    pub fn demo(directory: &Path) -> Result<Self, Error> {
        let created_at = Timestamp::from_second(CREATED).unwrap_or_default();
        let mut world = Self::empty()?;
        let user = User {
            path: "/".to_owned(),
            user_id: mint::mint_unique_id("AIDA")?,
            created_at,
            keys: vec![world.mint_key(created_at)?],
            policies: [
                ("assume-work-roles".to_owned(), assume_work_roles()),
                ("manage-own-keys".to_owned(), manage_own_keys()),
                ("manage-own-mfa".to_owned(), manage_own_mfa()),
                ("iam".to_owned(), iam_read()),
                ("sign-in".to_owned(), sign_in()),
            ]
            .into(),
            boundary: None,
            tags: BTreeMap::new(),
        };
        let device = MfaDevice {
            seed: WorldSecret::new(render_base32(&mint::mint_bytes::<20>()?)),
            user: Some(USER.to_owned()),
            enabled_at: Some(created_at),
            last_step: None,
        };
        let people = Account {
            users: [(USER.to_owned(), user)].into(),
            mfa_devices: [(MFA_SERIAL.to_owned(), device)].into(),
            ..Account::default()
        };
        let mut auditor =
            demo_role(created_at, "reads all buckets, and IAM", &trust(Mfa::NotAsked), &s3_read(), 3600)?;
        auditor.policies.insert("iam".to_owned(), iam_read());
        let mut admin =
            demo_role(created_at, "reads and writes, with MFA", &trust(Mfa::Asked), &s3_write(), 43200)?;
        admin.policies.insert("iam".to_owned(), iam_write());
        let work = Account {
            roles: [("security-auditor".to_owned(), auditor), ("dev-infra-admin".to_owned(), admin)].into(),
            ..Account::default()
        };
        world.accounts = [(PEOPLE_ACCOUNT.to_owned(), people), (WORK_ACCOUNT.to_owned(), work)].into();
        world.add_demo_issuer(created_at)?;
        world.add_demo_identity_center();
        world.add_demo_machine()?;
        let home = Home::open(directory)?;
        for name in ["work-archive", "work-logs", "work-terraform-state"] {
            let mut bucket = Bucket {
                account: WORK_ACCOUNT.to_owned(),
                region: REGION.to_owned(),
                created_at,
                objects: BTreeMap::new(),
            };
            if name == "work-logs" {
                for (key, text) in LOGS {
                    let digest = home.save_bytes(text.as_bytes())?;
                    let etag = Object::etag_of(&digest);
                    let headers = [("content-type".to_owned(), "text/plain".to_owned())].into();
                    let size = text.len() as u64;
                    bucket.objects.insert(
                        key.to_owned(),
                        Object { digest, size, modified_at: created_at, etag, headers },
                    );
                }
            }
            world.buckets.insert(name.to_owned(), bucket);
        }
        Ok(world)
    }
}

impl World {
    /// Adds an issuer that the work account trusts, and a role for its jobs.
    fn add_demo_issuer(&mut self, created_at: Timestamp) -> Result<(), Error> {
        self.identity_providers.insert(ISSUER.to_owned(), IdentityProvider::mint(Curve::P256)?);
        let provider = self.add_oidc_provider(WORK_ACCOUNT, ISSUER, AUDIENCE);
        let trust = trust_of_jobs(&provider);
        let role = demo_role(created_at, "writes, for jobs of this team", &trust, &s3_write(), 3600)?;
        let account = self.accounts.entry(WORK_ACCOUNT.to_owned()).or_default();
        account.roles.insert("ci-deploy".to_owned(), role);
        Ok(())
    }

    /// Adds `accounts` accounts, in each of which the user of Identity Center has `roles` read-only permission sets.
    pub fn add_sso_accounts(&mut self, accounts: u32, roles: u32) {
        let Some(user) = self.identity_center.as_ref().map(|center| center.browser_user.clone()) else {
            return;
        };
        let names: Vec<String> = (1..=roles).map(|number| format!("Role{number:02}")).collect();
        for name in &names {
            self.add_permission_set(name, 3600, [("s3".to_owned(), s3_read())].into());
        }
        let mut number = 0;
        for _ in 0..accounts {
            let id = loop {
                number += 1;
                let id = format!("{:012}", 200_000_000_000_u64 + number);
                if !self.accounts.contains_key(&id) {
                    break id;
                }
            };
            for name in &names {
                self.assign_permission_set(&user, &id, name);
            }
            self.accounts.entry(id).or_default().name = Some(format!("Team {number:03}"));
        }
    }

    /// Adds the parts that a demo world of an older version lacks.
    pub(crate) fn add_missing_parts(&mut self) -> Result<(), Error> {
        let is_demo = self.user(PEOPLE_ACCOUNT, USER).is_some() && self.accounts.contains_key(WORK_ACCOUNT);
        if is_demo && self.identity_center.is_none() {
            self.add_demo_identity_center();
        }
        if is_demo && self.machine.is_none() { self.add_demo_machine() } else { Ok(()) }
    }

    /// Adds a machine whose role may read the buckets.
    fn add_demo_machine(&mut self) -> Result<(), Error> {
        let created_at = Timestamp::from_second(CREATED).unwrap_or_default();
        let trust = policy(&json!([{
            "Effect": "Allow",
            "Principal": { "Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"] },
            "Action": "sts:AssumeRole",
        }]));
        let role = demo_role(created_at, "reads all buckets, for machines", &trust, &s3_read(), 3600)?;
        self.machine = Some(Machine {
            account: WORK_ACCOUNT.to_owned(),
            role: WORKER_ROLE.to_owned(),
            new_role: Some(role),
            container_token: WorldSecret::new(hex::encode(mint::mint_bytes::<16>()?)),
            tokens: Vec::new(),
        });
        Ok(())
    }

    /// Adds a portal and two permission sets for the user.
    fn add_demo_identity_center(&mut self) {
        self.identity_center = Some(IdentityCenter::new(START_URL, USER));
        let read = [("s3".to_owned(), s3_read()), ("iam".to_owned(), iam_read())].into();
        self.add_permission_set(READ_ONLY_SET, 3600, read);
        let write = [("s3".to_owned(), s3_write()), ("iam".to_owned(), iam_read())].into();
        self.add_permission_set(DEVELOPER_SET, 4 * 3600, write);
        for (account, name) in [(PEOPLE_ACCOUNT, "People"), (WORK_ACCOUNT, "Work")] {
            self.assign_permission_set(USER, account, READ_ONLY_SET);
            let account = self.accounts.entry(account.to_owned()).or_default();
            account.name.get_or_insert_with(|| name.to_owned());
        }
        self.assign_permission_set(USER, WORK_ACCOUNT, DEVELOPER_SET);
    }
}

fn demo_role(
    created_at: Timestamp,
    description: &str,
    trust: &str,
    policy: &str,
    max_session_seconds: i64,
) -> Result<Role, Error> {
    Ok(Role {
        path: "/".to_owned(),
        role_id: mint::mint_unique_id("AROA")?,
        created_at,
        trust: trust.to_owned(),
        description: description.to_owned(),
        policies: [("s3".to_owned(), policy.to_owned())].into(),
        boundary: None,
        max_session_seconds,
        tags: BTreeMap::new(),
    })
}

fn policy(statements: &Value) -> String {
    format!("{:#}", json!({ "Version": "2012-10-17", "Statement": statements }))
}

#[derive(Clone, Copy, PartialEq)]
enum Mfa {
    Asked,
    NotAsked,
}

fn trust(mfa: Mfa) -> String {
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:aws:iam::{PEOPLE_ACCOUNT}:root") },
        "Action": "sts:AssumeRole",
    });
    if let (Mfa::Asked, Some(statement)) = (mfa, statement.as_object_mut()) {
        statement.insert("Condition".to_owned(), json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } }));
    }
    policy(&json!([statement]))
}

fn trust_of_jobs(provider: &str) -> String {
    let issuer = issuer_name(ISSUER);
    policy(&json!([{
        "Effect": "Allow",
        "Principal": { "Federated": provider },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": { format!("{issuer}:aud"): AUDIENCE },
            "StringLike": { format!("{issuer}:sub"): "repo:work/*" },
        },
    }]))
}

fn assume_work_roles() -> String {
    policy(&json!([
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": format!("arn:aws:iam::{WORK_ACCOUNT}:role/*"),
        },
        // For the console, which does not accept credentials of GetSessionToken.
        {
            "Effect": "Allow",
            "Action": "sts:GetFederationToken",
            "Resource": format!("arn:aws:sts::{PEOPLE_ACCOUNT}:federated-user/*"),
        },
    ]))
}

fn manage_own_keys() -> String {
    policy(&json!([{
        "Effect": "Allow",
        "Action": [
            "iam:GetUser", "iam:ListMFADevices", "iam:CreateAccessKey", "iam:DeleteAccessKey",
            "iam:GetAccessKeyLastUsed", "iam:ListAccessKeys", "iam:UpdateAccessKey",
        ],
        "Resource": format!("arn:aws:iam::{PEOPLE_ACCOUNT}:user/${{aws:username}}"),
    }]))
}

/// From AWS's guide, for users who manage their own MFA devices.
fn manage_own_mfa() -> String {
    policy(&json!([
        {
            "Effect": "Allow",
            "Action": ["iam:CreateVirtualMFADevice", "iam:DeleteVirtualMFADevice"],
            "Resource": format!("arn:aws:iam::{PEOPLE_ACCOUNT}:mfa/*"),
        },
        {
            "Effect": "Allow",
            "Action": ["iam:EnableMFADevice", "iam:ListMFADevices"],
            "Resource": format!("arn:aws:iam::{PEOPLE_ACCOUNT}:user/${{aws:username}}"),
        },
        { "Effect": "Allow", "Action": "iam:ListVirtualMFADevices", "Resource": "*" },
    ]))
}

/// The content of AWS's managed policy SignInLocalDevelopmentAccess.
fn sign_in() -> String {
    policy(&json!([{
        "Effect": "Allow",
        "Action": ["signin:AuthorizeOAuth2Access", "signin:CreateOAuth2Token"],
        "Resource": "arn:aws:signin:*:*:oauth2/public-client/*",
    }]))
}

const READ: [&str; 5] = [
    "s3:ListAllMyBuckets",
    "s3:ListBucket",
    "s3:GetBucketLocation",
    "s3:GetBucketVersioning",
    "s3:GetObject",
];

/// The calls that `hatbox trust` makes to live IAM.
const READ_IAM: [&str; 5] = [
    "iam:GetAccountAuthorizationDetails",
    "iam:GetRole",
    "iam:ListAccountAliases",
    "iam:ListMFADevices",
    "iam:ListRoles",
];

fn iam_read() -> String {
    policy(&json!([{ "Effect": "Allow", "Action": READ_IAM, "Resource": "*" }]))
}

fn iam_write() -> String {
    let actions: Vec<&str> = READ_IAM.into_iter().chain(["iam:UpdateAssumeRolePolicy"]).collect();
    policy(&json!([{ "Effect": "Allow", "Action": actions, "Resource": "*" }]))
}

fn s3_read() -> String {
    policy(&json!([{ "Effect": "Allow", "Action": READ, "Resource": "*" }]))
}

fn s3_write() -> String {
    let write =
        ["s3:CreateBucket", "s3:DeleteBucket", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"];
    let actions: Vec<&str> = READ.into_iter().chain(write).collect();
    policy(&json!([{ "Effect": "Allow", "Action": actions, "Resource": "*" }]))
}

/// Returns the managed policies that can be session policies.
pub(super) fn managed_policies() -> BTreeMap<String, String> {
    let allow = |actions: Value| policy(&json!([{ "Effect": "Allow", "Action": actions, "Resource": "*" }]));
    [
        ("AdministratorAccess", allow(json!("*"))),
        ("AmazonS3FullAccess", allow(json!("s3:*"))),
        ("AmazonS3ReadOnlyAccess", allow(json!(["s3:Get*", "s3:List*"]))),
        ("ReadOnlyAccess", allow(json!(["iam:Get*", "iam:List*", "s3:Get*", "s3:List*", "sts:Get*"]))),
    ]
    .into_iter()
    .map(|(name, document)| (format!("arn:aws:iam::aws:policy/{name}"), document))
    .collect()
}
