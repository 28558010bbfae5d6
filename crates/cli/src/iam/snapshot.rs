//! Fetches all IAM data of an account for a snapshot, and notes what the profile may not read.

use hatbox_iam::policy::arn::Arn;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::LiveIam;
use crate::aws::iam::{IamError, IamProblem};
use crate::errors::{Failure, FailureKind};

/// The version of the snapshot's format.
const SCHEMA: u32 = 1;

/// The actions of IAM that are called, and how often. All of them only read.
pub(crate) const READ_ACTIONS: [(&str, &str); 4] = [
    ("iam:GetAccountAuthorizationDetails", "users, groups, roles, policies"),
    ("iam:ListAccountAliases", "the account's name"),
    ("iam:ListRoles", "how long a session of each role may be"),
    ("iam:ListMFADevices", "for each user"),
];

/// One account.
pub(crate) struct AccountSnapshot {
    pub(crate) account: String,
    pub(crate) user_count: usize,
    pub(crate) role_count: usize,
    /// What is missing, and why.
    pub(crate) notes: Vec<String>,
    value: Value,
}

/// Fetches everything that `live` may read. Only the account details are required.
///
/// # Errors
/// If the account details cannot be read, or IAM cannot be reached.
pub(crate) fn fetch_account(live: &LiveIam, now: Timestamp) -> Result<AccountSnapshot, Failure> {
    let details = live.iam.fetch_details().map_err(|error| live.details_failure(&error))?;
    let users = names(&details, "UserDetailList", "UserName");
    let account = account_of(&details).ok_or_else(|| {
        let profile = &live.profile;
        Failure::new(FailureKind::Failed, format!("the account of `{profile}` has no user, group or role"))
    })?;
    let mut notes = Vec::new();
    let alias = optional(live.iam.fetch_alias(), "the account's name is", &mut notes, live)?.flatten();
    let longest = live.iam.fetch_longest_sessions();
    let longest = optional(longest, "how long sessions of roles may be is", &mut notes, live)?;
    let roles: Map<String, Value> = longest
        .into_iter()
        .flatten()
        .map(|(name, seconds)| (name, json!({ "max_session_duration": seconds })))
        .collect();
    let devices = fetch_devices(live, &users, &mut notes)?;
    Ok(AccountSnapshot {
        user_count: users.len(),
        role_count: names(&details, "RoleDetailList", "RoleName").len(),
        notes,
        value: json!({
            "account": account,
            "alias": alias,
            "taken": Timestamp::from_second(now.as_second()).unwrap_or(now).to_string(),
            "details": details,
            "mfa_devices": devices,
            "roles": roles,
        }),
        account,
    })
}

/// Renders a snapshot.
pub(crate) fn render_snapshot(accounts: &[AccountSnapshot]) -> String {
    let accounts: Vec<&Value> = accounts.iter().map(|account| &account.value).collect();
    format!("{:#}\n", json!({ "schema": SCHEMA, "accounts": accounts }))
}

impl LiveIam {
    fn details_failure(&self, error: &IamError) -> Failure {
        self.failure("could not read the account's IAM", "iam:GetAccountAuthorizationDetails", error)
    }
}

/// Fetches the devices of each user, if that is allowed.
fn fetch_devices(
    live: &LiveIam,
    users: &[String],
    notes: &mut Vec<String>,
) -> Result<Map<String, Value>, Failure> {
    let mut devices = Map::new();
    let mut first_error = None;
    let mut denied_count = 0;
    for user in users {
        match live.iam.fetch_mfa_devices(user) {
            Ok(serials) => {
                devices.insert(user.clone(), serials.into());
            }
            // The user was deleted in the meantime.
            Err(error) if error.problem == IamProblem::NoSuchEntity => {}
            Err(error) => {
                check_reachable(live, &error)?;
                denied_count += 1;
                first_error.get_or_insert(error);
            }
        }
    }
    if let Some(error) = first_error {
        let count = users.len();
        notes.push(format!("the MFA devices of {denied_count} of {count} users are not known: {error}"));
    }
    Ok(devices)
}

/// Returns nothing for data that the profile may not read.
fn optional<T>(
    result: Result<T, IamError>,
    what: &str,
    notes: &mut Vec<String>,
    live: &LiveIam,
) -> Result<Option<T>, Failure> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) => {
            check_reachable(live, &error)?;
            notes.push(format!("{what} not known: {error}"));
            Ok(None)
        }
    }
}

/// Whether further calls may succeed.
fn check_reachable(live: &LiveIam, error: &IamError) -> Result<(), Failure> {
    match error.problem {
        IamProblem::Unreachable | IamProblem::Credentials | IamProblem::Throttled => {
            Err(live.details_failure(error))
        }
        _ => Ok(()),
    }
}

fn items<'a>(details: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    details.get(list).and_then(Value::as_array).into_iter().flatten()
}

fn names(details: &Value, list: &str, name: &str) -> Vec<String> {
    items(details, list).filter_map(|item| item.get(name)?.as_str().map(str::to_owned)).collect()
}

/// Returns the account of these details, from the ARNs in them.
fn account_of(details: &Value) -> Option<String> {
    let lists = ["UserDetailList", "RoleDetailList", "GroupDetailList"];
    let mut arns =
        lists.iter().flat_map(|list| items(details, list)).filter_map(|item| item.get("Arn")?.as_str());
    arns.find_map(|arn| Arn::parse(arn).map(|arn| arn.account.to_owned()))
}
