//! AssumeRole: trust, identity policies, external ids, tags, source identity, durations, role chaining.

use hatbox_sandbox::world::{PEOPLE_ACCOUNT, USER, WORK_ACCOUNT};

use crate::client::{AUDITOR, JAN, Keys, OPEN, Sandbox, policy, role};

const X: &str = "arn:aws:iam::444455556666:role/x";
const OVER: &str = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
const CHAINED: &str =
    "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";

fn refusal(caller: &str, action: &str, role: &str) -> String {
    format!("User: {caller} is not authorized to perform: {action} on resource: {role}")
}

fn trusting(principal: &str, rest: &str) -> String {
    format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"{rest}}}"#)
}

#[test]
fn a_session_of_a_role_is_named_after_both() {
    let sandbox = Sandbox::start();
    let answer = sandbox.assume(&sandbox.jan, OPEN, &[]);
    // The ARN does not include the path of the role.
    let arn = "arn:aws:sts::111122223333:assumed-role/open/me";
    assert_eq!(answer.ok().text("Arn"), arn);
    assert!(
        answer.text("AssumedRoleId").starts_with("AROA") && answer.text("AssumedRoleId").ends_with(":me")
    );
    let end: jiff::Timestamp = answer.text("Expiration").parse().unwrap();
    assert_eq!(answer.text("Expiration").len(), "2026-01-01T00:00:00Z".len());
    let left = end.as_second() - jiff::Timestamp::now().as_second();
    assert!((3590..=3600).contains(&left), "{left}");
    let keys = answer.keys();
    assert!(keys.id.starts_with("ASIA"));
    assert_eq!(sandbox.sts(&keys, "GetCallerIdentity", &[]).text("Arn"), arn);
}

#[test]
fn a_missing_role_looks_like_one_that_does_not_trust() {
    let sandbox = Sandbox::with_role(&trusting("555566667777", ""));
    let path = "arn:aws:iam::444455556666:role/other/security-auditor";
    for arn in [X, "arn:aws:iam::444455556666:role/none", "arn:aws:iam::999999999999:role/none", path] {
        let answer = sandbox.assume(&sandbox.jan, arn, &[]);
        answer.refused(403, "AccessDenied", &refusal(JAN, "sts:AssumeRole", arn));
    }
    sandbox.assume(&sandbox.jan, AUDITOR, &[]).ok();
}

#[test]
fn a_trust_policy_says_who_may() {
    let session_of_open = "arn:aws:sts::111122223333:assumed-role/open/me";
    for (trust, from_user, from_role, why) in [
        (trusting("arn:aws:iam::111122223333:root", ""), true, true, "the account"),
        (trusting("111122223333", ""), true, true, "the account by its digits"),
        (trusting(JAN, ""), true, false, "the user"),
        (trusting("arn:aws:iam::111122223333:user/bob", ""), false, false, "another user"),
        (trusting(OPEN, ""), false, true, "every session of the role"),
        (trusting(session_of_open, ""), false, true, "the one session"),
        (trusting("arn:aws:sts::111122223333:assumed-role/open/you", ""), false, false, "another session"),
        (trusting("444455556666", ""), false, false, "another account"),
        (
            trusting("111122223333", "") + r#",{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}"#,
            false,
            false,
            "a Deny wins",
        ),
    ] {
        let sandbox = Sandbox::with_role(&trust);
        assert_eq!(sandbox.assume(&sandbox.jan, X, &[]).status == 200, from_user, "{why}, as user");
        let open = sandbox.assume(&sandbox.jan, OPEN, &[]).keys();
        assert_eq!(sandbox.assume(&open, X, &[]).status == 200, from_role, "{why}, as role");
    }
}

#[test]
fn a_user_who_is_named_in_the_same_account_needs_no_policy_and_one_of_another_account_does() {
    for (account, trust, is_given) in
        [(PEOPLE_ACCOUNT, JAN, true), (PEOPLE_ACCOUNT, "111122223333", false), (WORK_ACCOUNT, JAN, false)]
    {
        let sandbox = Sandbox::start_with(|world| {
            world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().users.get_mut(USER).unwrap().policies.clear();
            let roles = &mut world.accounts.get_mut(account).unwrap().roles;
            roles.insert("x".to_owned(), role(&trusting(trust, ""), &[]));
        });
        let arn = format!("arn:aws:iam::{account}:role/x");
        assert_eq!(
            sandbox.assume(&sandbox.jan, &arn, &[]).status == 200,
            is_given,
            "{account} trusts {trust}"
        );
    }
}

#[test]
fn a_role_that_is_named_in_the_same_account_needs_no_policy_and_one_of_another_account_does() {
    for (account, trust, is_given) in [
        (PEOPLE_ACCOUNT, OPEN, true),
        (PEOPLE_ACCOUNT, "111122223333", false),
        (WORK_ACCOUNT, OPEN, false),
        (WORK_ACCOUNT, "111122223333", false),
    ] {
        let sandbox = Sandbox::start_with(|world| {
            world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().roles.get_mut("open").unwrap().policies.clear();
            let roles = &mut world.accounts.get_mut(account).unwrap().roles;
            roles.insert("x".to_owned(), role(&trusting(trust, ""), &[]));
        });
        let open = sandbox.assume(&sandbox.jan, OPEN, &[]).keys();
        let arn = format!("arn:aws:iam::{account}:role/x");
        assert_eq!(sandbox.assume(&open, &arn, &[]).status == 200, is_given, "{account} trusts {trust}");
    }
}

#[test]
fn a_deny_of_the_caller_wins_over_trust() {
    let sandbox = Sandbox::start_with(|world| {
        let deny = policy(r#"{"Effect":"Deny","Action":"sts:AssumeRole","Resource":"*security-auditor"}"#);
        let people = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap();
        people.users.get_mut(USER).unwrap().policies.insert("deny".to_owned(), deny);
    });
    sandbox.assume(&sandbox.jan, AUDITOR, &[]).refused(
        403,
        "AccessDenied",
        &refusal(JAN, "sts:AssumeRole", AUDITOR),
    );
    sandbox.assume(&sandbox.jan, OPEN, &[]).ok();
    let log = sandbox.control().log(0).unwrap();
    assert!(!log[0].because.is_empty(), "the log says why");
}

#[test]
fn an_external_id_must_be_there_and_right() {
    let sandbox = Sandbox::with_role(&trusting(
        "111122223333",
        r#","Condition":{"StringEquals":{"sts:ExternalId":"e-1"}}"#,
    ));
    let text = refusal(JAN, "sts:AssumeRole", X);
    sandbox.assume(&sandbox.jan, X, &[]).refused(403, "AccessDenied", &text);
    sandbox.assume(&sandbox.jan, X, &[("ExternalId", "e-2")]).refused(403, "AccessDenied", &text);
    sandbox.assume(&sandbox.jan, X, &[("ExternalId", "e-1")]).ok();
}

#[test]
fn conditions_see_the_caller_and_the_call() {
    for (condition, is_given) in [
        (r#""StringEquals":{"sts:RoleSessionName":"me"}"#, true),
        (r#""StringEquals":{"sts:RoleSessionName":"you"}"#, false),
        (r#""StringEquals":{"aws:username":"jan"}"#, true),
        (r#""StringEquals":{"aws:PrincipalType":"User","aws:PrincipalAccount":"111122223333"}"#, true),
        (r#""ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/jan"}"#, true),
        (r#""IpAddress":{"aws:SourceIp":"127.0.0.0/8"}"#, true),
        (r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#, false),
        (r#""Bool":{"aws:SecureTransport":"true"}"#, false),
        (r#""DateLessThan":{"aws:CurrentTime":"2001-01-01T00:00:00Z"}"#, false),
        (r#""NumericGreaterThan":{"aws:EpochTime":"1000000000"}"#, true),
        (r#""Null":{"aws:MultiFactorAuthPresent":"true"}"#, true),
        (r#""Bool":{"aws:MultiFactorAuthPresent":"false"}"#, false),
        (r#""BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}"#, true),
        (r#""Null":{"aws:TokenIssueTime":"false"}"#, false),
    ] {
        let sandbox =
            Sandbox::with_role(&trusting("111122223333", &format!(r#","Condition":{{{condition}}}"#)));
        assert_eq!(sandbox.assume(&sandbox.jan, X, &[]).status == 200, is_given, "{condition}");
    }
}

#[test]
fn a_session_is_as_long_as_the_role_allows_and_no_longer() {
    let sandbox = Sandbox::start();
    sandbox.assume(&sandbox.jan, AUDITOR, &[("DurationSeconds", "3600")]).ok();
    let answer = sandbox.assume(&sandbox.jan, AUDITOR, &[("DurationSeconds", "3601")]);
    answer.refused(400, "ValidationError", OVER);
    sandbox.assume(&sandbox.jan, OPEN, &[("DurationSeconds", "43200")]).ok();
    assert_eq!(sandbox.control().log(0).unwrap()[2].granted_seconds, Some(43_200));
}

#[test]
fn a_chain_lasts_an_hour_whatever_the_role_allows() {
    let sandbox = Sandbox::start();
    let role = sandbox.assume(&sandbox.jan, OPEN, &[]).keys();
    let session = sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).keys();
    for keys in [&role, &session] {
        sandbox.assume(keys, OPEN, &[("DurationSeconds", "3601")]).refused(400, "ValidationError", CHAINED);
        sandbox.assume(keys, OPEN, &[("DurationSeconds", "3600")]).ok();
    }
    sandbox.assume(&sandbox.jan, OPEN, &[("DurationSeconds", "3601")]).ok();
}

fn root(sandbox: &mut Option<Keys>) -> impl FnOnce(&mut hatbox_sandbox::world::World) {
    move |world| {
        let key = world.mint_key(jiff::Timestamp::UNIX_EPOCH).unwrap();
        *sandbox = Some(Keys { id: key.id.clone(), secret: key.secret.expose().to_owned(), token: None });
        world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().root_keys.push(key);
    }
}

#[test]
fn the_root_user_assumes_no_role_and_has_short_tokens() {
    let mut keys = None;
    let sandbox = Sandbox::start_with(root(&mut keys));
    let keys = keys.unwrap();
    let arn = sandbox.sts(&keys, "GetCallerIdentity", &[]).text("Arn");
    assert_eq!(arn, "arn:aws:iam::111122223333:root");
    let text = "Roles may not be assumed by root accounts.";
    sandbox.assume(&keys, OPEN, &[]).refused(403, "AccessDenied", text);
    sandbox.assume(&sandbox.jan, OPEN, &[]).ok();
    for (who, granted) in [(&keys, 3600), (&sandbox.jan, 7200)] {
        sandbox.sts(who, "GetSessionToken", &[("DurationSeconds", "7200")]).ok();
        assert_eq!(sandbox.control().log(0).unwrap().last().unwrap().granted_seconds, Some(granted));
    }
}

#[test]
fn session_credentials_make_no_tokens() {
    let sandbox = Sandbox::start();
    let role = sandbox.assume(&sandbox.jan, OPEN, &[]).keys();
    let session = sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).keys();
    for keys in [&role, &session] {
        let text = "Cannot call GetSessionToken with session credentials";
        sandbox.sts(keys, "GetSessionToken", &[]).refused(403, "AccessDenied", text);
        let text = "Cannot call GetFederationToken with session credentials";
        sandbox.sts(keys, "GetFederationToken", &[("Name", "jo")]).refused(403, "AccessDenied", text);
        sandbox.sts(keys, "GetCallerIdentity", &[]).ok();
        sandbox.assume(keys, OPEN, &[]).ok();
    }
    let info = [("AccessKeyId", sandbox.jan.id.as_str())];
    assert_eq!(sandbox.sts(&session, "GetAccessKeyInfo", &info).status, 403);
    assert_eq!(sandbox.sts(&role, "GetAccessKeyInfo", &info).ok().text("Account"), PEOPLE_ACCOUNT);
}

#[test]
fn caller_identity_is_returned_even_under_an_explicit_deny() {
    let sandbox = Sandbox::start_with(|world| {
        let deny = policy(r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#);
        let people = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap();
        people.users.get_mut(USER).unwrap().policies.insert("deny".to_owned(), deny);
    });
    sandbox.sts(&sandbox.jan, "GetCallerIdentity", &[]).ok();
    sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).ok();
    let info = [("AccessKeyId", sandbox.jan.id.as_str())];
    let text = "User: arn:aws:iam::111122223333:user/jan is not authorized to perform: sts:GetAccessKeyInfo on resource: * with an explicit deny in an identity-based policy";
    sandbox.sts(&sandbox.jan, "GetAccessKeyInfo", &info).refused(403, "AccessDenied", text);
}

#[test]
fn tags_need_tag_session_and_are_seen_by_conditions() {
    let tag = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "blue")];
    let sandbox = Sandbox::with_role(&trusting("111122223333", ""));
    sandbox.assume(&sandbox.jan, X, &tag).refused(403, "AccessDenied", &refusal(JAN, "sts:TagSession", X));
    sandbox.assume(&sandbox.jan, X, &[]).ok();
    let trust = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["sts:AssumeRole","sts:TagSession"],
        "Condition":{"StringEquals":{"aws:RequestTag/Team":"blue"}}}"#;
    let sandbox = Sandbox::with_role(trust);
    sandbox.assume(&sandbox.jan, X, &tag).ok();
    let red = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "red")];
    assert_eq!(sandbox.assume(&sandbox.jan, X, &red).text("Code"), "AccessDenied");
    let twice = [tag[0], tag[1], ("Tags.member.2.Key", "team"), ("Tags.member.2.Value", "x")];
    assert_eq!(sandbox.assume(&sandbox.jan, X, &twice).text("Code"), "ValidationError");
}

#[test]
fn transitive_tags_go_on_and_others_do_not() {
    let trust = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["sts:AssumeRole","sts:TagSession"],
        "Condition":{"StringEquals":{"aws:PrincipalTag/Team":"blue"}}}"#;
    let tag = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "blue")];
    let go_on = [tag[0], tag[1], ("TransitiveTagKeys.member.1", "Team")];
    let sandbox = Sandbox::with_role(trust);
    let plain = sandbox.assume(&sandbox.jan, OPEN, &[]).keys();
    assert_eq!(sandbox.assume(&plain, X, &[]).text("Code"), "AccessDenied", "no tag, no role");
    // After another role, only a transitive tag is still set.
    for (tags, is_given) in [(&tag[..], false), (&go_on[..], true)] {
        let first = sandbox.assume(&sandbox.jan, OPEN, tags).keys();
        let second = sandbox.assume(&first, OPEN, &[]).keys();
        assert_eq!(sandbox.assume(&second, X, &[]).status == 200, is_given);
        let again = sandbox.assume(&first, OPEN, &tag);
        assert_eq!(again.status == 200, !is_given, "an inherited tag cannot be set again");
    }
    let stray = [("TransitiveTagKeys.member.1", "Team")];
    assert_eq!(sandbox.assume(&sandbox.jan, OPEN, &stray).text("Code"), "ValidationError");
}

#[test]
fn a_source_identity_needs_its_permission_and_sticks() {
    let set = [("SourceIdentity", "jan.doe")];
    let sandbox = Sandbox::with_role(&trusting("111122223333", ""));
    let text = refusal(JAN, "sts:SetSourceIdentity", X);
    sandbox.assume(&sandbox.jan, X, &set).refused(403, "AccessDenied", &text);
    let first = sandbox.assume(&sandbox.jan, OPEN, &set);
    assert_eq!(first.text("SourceIdentity"), "jan.doe");
    let first = first.keys();
    // The source identity is inherited, so the next role needs the permission too.
    let caller = "arn:aws:sts::111122223333:assumed-role/open/me";
    sandbox.assume(&first, X, &[]).refused(403, "AccessDenied", &refusal(caller, "sts:SetSourceIdentity", X));
    assert_eq!(sandbox.assume(&first, OPEN, &[]).text("SourceIdentity"), "jan.doe");
    sandbox.assume(&first, OPEN, &set).ok();
    let other = sandbox.assume(&first, OPEN, &[("SourceIdentity", "someone")]);
    other.refused(403, "AccessDenied", &refusal(caller, "sts:SetSourceIdentity", OPEN));
}

#[test]
fn what_awss_documents_leave_open_is_refused() {
    for condition in [
        r#"{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/33"}}"#,
        r#"{"ArnNotLike":{"aws:username":"arn:aws:iam:::x"}}"#,
        r#"{"ForAnyValue:StringEqualsIfExists":{"aws:PrincipalTag/none":"x"}}"#,
    ] {
        let sandbox = Sandbox::with_role(&trusting("111122223333", &format!(r#","Condition":{condition}"#)));
        sandbox.assume(&sandbox.jan, X, &[]).refused(403, "AccessDenied", &refusal(JAN, "sts:AssumeRole", X));
    }
    // A role in the session's own account that trusts everyone, and a session policy that does not allow
    // `sts:AssumeRole`.
    let sandbox = Sandbox::start_with(|world| {
        let open = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().roles.get_mut("open").unwrap();
        open.trust = policy(&trusting("*", ""));
    });
    let read = policy(r#"{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}"#);
    let cut = sandbox.assume(&sandbox.jan, OPEN, &[("Policy", &read)]).keys();
    let caller = "arn:aws:sts::111122223333:assumed-role/open/me";
    let again = sandbox.assume(&cut, OPEN, &[]);
    again.refused(403, "AccessDenied", &refusal(caller, "sts:AssumeRole", OPEN));
    let whole = sandbox.assume(&sandbox.jan, OPEN, &[]).keys();
    sandbox.assume(&whole, OPEN, &[]).ok();
}

#[test]
fn a_session_policy_and_a_boundary_cut_what_the_role_may() {
    let read = policy(r#"{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}"#);
    let sandbox = Sandbox::start();
    let whole = sandbox.assume(&sandbox.jan, OPEN, &[]).keys();
    let cut = sandbox.assume(&sandbox.jan, OPEN, &[("Policy", &read)]).keys();
    sandbox.iam(&whole, "ListUsers", &[]).ok();
    sandbox.s3(&cut, "GET", "/", &[], b"").ok();
    let text = "User: arn:aws:sts::111122223333:assumed-role/open/me is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::111122223333:user/ because no session policy allows the iam:ListUsers action";
    sandbox.iam(&cut, "ListUsers", &[]).refused(403, "AccessDenied", text);
    let managed = [("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")];
    let cut = sandbox.assume(&sandbox.jan, OPEN, &managed).keys();
    sandbox.s3(&cut, "GET", "/", &[], b"").ok();
    assert_eq!(sandbox.iam(&cut, "ListUsers", &[]).status, 403);
    let sandbox = Sandbox::start_with(|world| {
        let people = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap();
        let arn = "arn:aws:iam::111122223333:policy/read";
        people.managed_policies.insert(arn.to_owned(), read);
        people.roles.get_mut("open").unwrap().boundary = Some(arn.to_owned());
    });
    let bounded = sandbox.assume(&sandbox.jan, OPEN, &[]).keys();
    sandbox.s3(&bounded, "GET", "/", &[], b"").ok();
    assert!(
        sandbox
            .iam(&bounded, "ListUsers", &[])
            .text("Message")
            .contains("no permissions boundary policy allows")
    );
}

#[test]
fn a_federated_user_has_what_user_and_policy_both_allow() {
    let sandbox = Sandbox::start();
    let read = policy(r#"{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}"#);
    let answer = sandbox.sts(&sandbox.jan, "GetFederationToken", &[("Name", "jo"), ("Policy", &read)]);
    assert_eq!(answer.ok().text("FederatedUserId"), "111122223333:jo");
    assert_eq!(answer.text("Arn"), "arn:aws:sts::111122223333:federated-user/jo");
    let keys = answer.keys();
    sandbox.s3(&keys, "GET", "/", &[], b"").ok();
    let nothing = sandbox.sts(&sandbox.jan, "GetFederationToken", &[("Name", "jo")]).keys();
    assert_eq!(sandbox.s3(&nothing, "GET", "/", &[], b"").status, 403);
    assert_eq!(sandbox.assume(&keys, OPEN, &[]).status, 403);
    sandbox.iam(&keys, "ListUsers", &[]).refused(
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid",
    );
}
