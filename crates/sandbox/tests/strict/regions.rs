//! Regions in which STS is not activated for an account.

use hatbox_sandbox::world::{PEOPLE_ACCOUNT, WORK_ACCOUNT};

use crate::client::{AUDITOR, Answer, Keys, Sandbox, Signing};

/// Starts a sandbox in which STS is deactivated for `account` in `region`.
fn without(account: &str, region: &str) -> Sandbox {
    Sandbox::start_with(|world| {
        world.accounts.get_mut(account).unwrap().disabled_regions.insert(region.to_owned());
        world.organization = Some(crate::root::organization());
    })
}

fn call(sandbox: &Sandbox, keys: &Keys, region: &str, action: &str, params: &[(&str, &str)]) -> Answer {
    let mut all = vec![("Action", action), ("Version", "2011-06-15")];
    all.extend(params);
    let mut raw = sandbox.query(keys, "sts", &all);
    raw.headers.retain(|(name, _)| name == "host" || name == "content-type");
    let signing = Signing { region: Some(region), ..Signing::default() };
    sandbox.send(&sandbox.sign(keys, "sts", raw, signing))
}

#[test]
fn a_disabled_region_gives_no_credentials_and_another_does() {
    const TEXT: &str = "STS is not activated in this region for account:111122223333. Your account administrator can activate STS in this region using the IAM Console.";
    let sandbox = without(PEOPLE_ACCOUNT, "ap-east-1");
    let role = [("RoleArn", AUDITOR), ("RoleSessionName", "me")];
    let root = [("TargetPrincipal", WORK_ACCOUNT), ("TaskPolicyArn.arn", crate::root::UNLOCK)];
    for (action, params) in [
        ("AssumeRole", &role[..]),
        ("AssumeRoot", &root),
        ("GetSessionToken", &[]),
        ("GetFederationToken", &[("Name", "jo")]),
    ] {
        let refused = call(&sandbox, &sandbox.jan, "ap-east-1", action, params);
        refused.refused(403, "RegionDisabledException", TEXT);
        call(&sandbox, &sandbox.jan, "eu-west-1", action, params).ok();
    }
}

#[test]
fn a_disabled_region_still_answers_get_caller_identity() {
    let sandbox = without(PEOPLE_ACCOUNT, "ap-east-1");
    call(&sandbox, &sandbox.jan, "ap-east-1", "GetCallerIdentity", &[]).ok();
}

#[test]
fn the_account_of_the_caller_counts_and_not_that_of_the_role() {
    let sandbox = without(WORK_ACCOUNT, "ap-east-1");
    let role = [("RoleArn", AUDITOR), ("RoleSessionName", "me")];
    let session = call(&sandbox, &sandbox.jan, "ap-east-1", "AssumeRole", &role).keys();
    // The session belongs to the account of its role, so that account counts now.
    let answer = call(&sandbox, &session, "ap-east-1", "AssumeRole", &role);
    assert_eq!((answer.status, answer.text("Code").as_str()), (403, "RegionDisabledException"));
}

#[test]
fn a_world_saved_before_there_were_disabled_regions_has_none() {
    let sandbox = Sandbox::start();
    let path = sandbox.directory.join("state.json");
    let mut state: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for account in state["accounts"].as_object_mut().unwrap().values_mut() {
        assert!(account.as_object_mut().unwrap().remove("disabled_regions").is_some());
    }
    std::fs::write(&path, state.to_string()).unwrap();
    let world = hatbox_sandbox::world::load_world(&sandbox.directory).unwrap().unwrap();
    assert!(world.accounts.values().all(|account| account.disabled_regions.is_empty()));
}
