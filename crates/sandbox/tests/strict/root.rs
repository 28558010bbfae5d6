//! AssumeRoot: who may become which root user, for which task and how long.

use std::collections::BTreeSet;

use hatbox_sandbox::world::{Organization, PEOPLE_ACCOUNT, RootSessions, USER, WORK_ACCOUNT};

use crate::client::{AUDITOR, Answer, Keys, OPEN, Sandbox, policy};

const ROOT: &str = "arn:aws:iam::444455556666:root";
pub(crate) const UNLOCK: &str = "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy";
const REFUSED: &str = "User: arn:aws:iam::111122223333:user/jan is not authorized to perform: sts:AssumeRoot on resource: arn:aws:iam::444455556666:root";

/// Returns an organization in which the people account manages the work account.
pub(crate) fn organization() -> Organization {
    Organization {
        management_account: PEOPLE_ACCOUNT.to_owned(),
        member_accounts: [WORK_ACCOUNT.to_owned()].into(),
        delegated_administrators: BTreeSet::new(),
        root_sessions: RootSessions::Enabled,
    }
}

fn with(organization: Option<Organization>) -> Sandbox {
    Sandbox::start_with(|world| world.organization = organization)
}

fn assume(sandbox: &Sandbox, keys: &Keys, target: &str, task: &str, params: &[(&str, &str)]) -> Answer {
    let mut all = vec![("TargetPrincipal", target), ("TaskPolicyArn.arn", task)];
    all.extend(params);
    sandbox.sts(keys, "AssumeRoot", &all)
}

#[test]
fn the_root_user_of_a_member_can_do_its_task_and_nothing_else() {
    let sandbox = with(Some(organization()));
    for target in [WORK_ACCOUNT, ROOT] {
        let keys = assume(&sandbox, &sandbox.jan, target, UNLOCK, &[]).keys();
        assert_eq!(sandbox.sts(&keys, "GetCallerIdentity", &[]).ok().text("Arn"), ROOT);
        sandbox.s3(&keys, "GET", "/", &[], b"").ok();
        assert_eq!(sandbox.s3(&keys, "PUT", "/work-logs/x", &[], b"x").text("Code"), "AccessDenied");
        let text = "User: arn:aws:iam::444455556666:root is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::444455556666:user/ because no session policy allows the iam:ListUsers action";
        sandbox.iam(&keys, "ListUsers", &[]).refused(403, "AccessDenied", text);
        for (action, params) in [("GetSessionToken", &[][..]), ("GetFederationToken", &[("Name", "jo")])] {
            let text = format!("Cannot call {action} with session credentials");
            sandbox.sts(&keys, action, params).refused(403, "AccessDenied", &text);
        }
    }
}

#[test]
fn a_task_is_one_of_those_that_aws_publishes() {
    let sandbox = with(Some(organization()));
    for task in [
        "IAMAuditRootUserCredentials",
        "IAMCreateRootUserPassword",
        "IAMDeleteRootUserCredentials",
        "S3UnlockBucketPolicy",
        "SQSUnlockQueuePolicy",
    ] {
        let arn = format!("arn:aws:iam::aws:policy/root-task/{task}");
        assume(&sandbox, &sandbox.jan, ROOT, &arn, &[]).ok();
    }
    for task in
        ["arn:aws:iam::aws:policy/root-task/Everything", "arn:aws:iam::aws:policy/AdministratorAccess"]
    {
        let text = format!("{task} is not a policy for a task of a root user");
        assume(&sandbox, &sandbox.jan, ROOT, task, &[]).refused(400, "ValidationError", &text);
    }
}

#[test]
fn a_target_is_an_account_or_its_root_user() {
    let sandbox = with(Some(organization()));
    for target in ["44445555666x", "arn:aws:iam::444455556666:user/root", AUDITOR] {
        let text = format!("{target} is invalid");
        assume(&sandbox, &sandbox.jan, target, UNLOCK, &[]).refused(400, "ValidationError", &text);
    }
    assume(&sandbox, &sandbox.jan, ROOT, UNLOCK, &[]).ok();
}

#[test]
fn a_session_lasts_a_quarter_of_an_hour_at_most() {
    let sandbox = with(Some(organization()));
    for (asked, seconds) in [(None, 900), (Some("900"), 900), (Some("60"), 60), (Some("0"), 0)] {
        let params: Vec<_> = asked.map(|asked| ("DurationSeconds", asked)).into_iter().collect();
        let keys = assume(&sandbox, &sandbox.jan, ROOT, UNLOCK, &params).keys();
        assert_eq!(sandbox.control().log(0).unwrap().last().unwrap().granted_seconds, Some(seconds));
        let who = sandbox.sts(&keys, "GetCallerIdentity", &[]);
        assert_eq!(who.text("Code"), if seconds == 0 { "ExpiredToken" } else { "" });
    }
    let answer = assume(&sandbox, &sandbox.jan, ROOT, UNLOCK, &[("DurationSeconds", "901")]);
    assert_eq!(answer.text("Code"), "ValidationError");
}

#[test]
fn the_caller_s_account_must_run_the_organization_of_the_target() {
    let other = Organization { management_account: "999999999999".to_owned(), ..organization() };
    let delegated =
        Organization { delegated_administrators: [PEOPLE_ACCOUNT.to_owned()].into(), ..other.clone() };
    let empty = Organization { member_accounts: BTreeSet::new(), ..organization() };
    for (run, is_given) in [
        (Some(organization()), true),
        (Some(delegated), true),
        (Some(other), false),
        (Some(empty), false),
        (None, false),
    ] {
        let sandbox = with(run);
        let answer = assume(&sandbox, &sandbox.jan, ROOT, UNLOCK, &[]);
        if is_given {
            answer.ok();
        } else {
            answer.refused(403, "AccessDenied", REFUSED);
        }
    }
    let off = Organization { root_sessions: RootSessions::Disabled, ..organization() };
    let sandbox = with(Some(off));
    let text = "Centralized root access is not enabled in the organization.";
    assume(&sandbox, &sandbox.jan, ROOT, UNLOCK, &[]).refused(403, "AccessDenied", text);
}

#[test]
fn the_caller_s_own_policies_must_allow_it_for_the_task() {
    let only = r#"{"Effect":"Allow","Action":"sts:AssumeRoot","Resource":"arn:aws:iam::444455556666:root",
        "Condition":{"StringEquals":{"sts:TaskPolicyArn":"arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"}}}"#;
    let sandbox = Sandbox::start_with(|world| {
        world.organization = Some(organization());
        let people = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap();
        people.users.get_mut(USER).unwrap().policies = [("only".to_owned(), policy(only))].into();
    });
    assume(&sandbox, &sandbox.jan, ROOT, UNLOCK, &[]).ok();
    let other = UNLOCK.replace("S3UnlockBucket", "SQSUnlockQueue");
    let text = format!("{REFUSED} because no identity-based policy allows the sts:AssumeRoot action");
    assume(&sandbox, &sandbox.jan, ROOT, &other, &[]).refused(403, "AccessDenied", &text);
}

#[test]
fn a_root_user_and_a_session_of_a_user_cannot_call_it_and_a_role_can() {
    let mut root = None;
    let sandbox = Sandbox::start_with(|world| {
        world.organization = Some(organization());
        let key = world.mint_key(jiff::Timestamp::UNIX_EPOCH).unwrap();
        root = Some(Keys { id: key.id.clone(), secret: key.secret.expose().to_owned(), token: None });
        world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().root_keys.push(key);
    });
    let text = REFUSED.replace("user/jan", "root");
    assume(&sandbox, &root.unwrap(), ROOT, UNLOCK, &[]).refused(403, "AccessDenied", &text);
    let session = sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).keys();
    let text = "Cannot call AssumeRoot with session credentials";
    assume(&sandbox, &session, ROOT, UNLOCK, &[]).refused(403, "AccessDenied", text);
    let role = sandbox.assume(&sandbox.jan, OPEN, &[("SourceIdentity", "jan.doe")]).keys();
    let answer = assume(&sandbox, &role, ROOT, UNLOCK, &[]);
    assert_eq!(answer.ok().text("SourceIdentity"), "jan.doe");
}
