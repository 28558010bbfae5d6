//! IAM calls about a whole account: required permissions, content and pagination.

use hatbox_sandbox::world::{Account, Attached, Group, PEOPLE_ACCOUNT, USER, World};

use crate::client::{Answer, Sandbox, policy, role};

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const LOCAL: &str = "arn:aws:iam::111122223333:policy/team/AssumeOps";
const TRUST: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}"#;

fn people(world: &mut World) -> &mut Account {
    world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap()
}

/// Starts a sandbox with a group `ops`, which has jan and a managed policy, and two more roles, one with a boundary.
fn peopled() -> Sandbox {
    Sandbox::start_with(|world| {
        let people = people(world);
        let inline = policy(r#"{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}"#);
        let ops = Group {
            path: "/team/".to_owned(),
            members: [USER.to_owned()].into(),
            policies: [("look".to_owned(), inline)].into(),
            ..Group::default()
        };
        people.groups.insert("ops".to_owned(), ops);
        let assume = policy(r#"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}"#);
        people.managed_policies.insert(LOCAL.to_owned(), assume);
        let to_ops = Attached { groups: ["ops".to_owned()].into(), ..Attached::default() };
        people.attachments.insert(LOCAL.to_owned(), to_ops);
        let mut bounded = role(TRUST, &[]);
        bounded.boundary = Some(READ_ONLY.to_owned());
        bounded.tags = [("team".to_owned(), "a&b".to_owned())].into();
        people.roles.insert("bounded".to_owned(), bounded);
        people.roles.insert("plain".to_owned(), role(TRUST, &[]));
        people.alias = Some("acme".to_owned());
    })
}

fn details(sandbox: &Sandbox, params: &[(&str, &str)]) -> Answer {
    sandbox.iam(&sandbox.jan, "GetAccountAuthorizationDetails", params)
}

/// Returns the content of the list element `name`.
fn list<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let start = answer.body.split_once(&format!("<{name}>")).unwrap().1;
    start.split_once(&format!("</{name}>")).unwrap().0
}

#[test]
fn the_details_of_an_account_hold_all_that_is_authorised_in_it_and_no_secret() {
    let sandbox = peopled();
    let answer = details(&sandbox, &[]);
    answer.ok();
    let users = list(&answer, "UserDetailList");
    assert!(users.contains("<Arn>arn:aws:iam::111122223333:user/jan</Arn>"), "{users}");
    assert!(users.contains("<GroupList><member>ops</member></GroupList>"), "{users}");
    assert!(users.contains("<PolicyName>all</PolicyName><PolicyDocument>%7B%22Version%22"), "{users}");
    let groups = list(&answer, "GroupDetailList");
    assert!(groups.contains("<Arn>arn:aws:iam::111122223333:group/team/ops</Arn>"), "{groups}");
    assert!(groups.contains(&format!("<PolicyArn>{LOCAL}</PolicyArn>")), "{groups}");
    let roles = list(&answer, "RoleDetailList");
    assert!(roles.contains("<AssumeRolePolicyDocument>%7B"), "{roles}");
    assert!(
        roles.contains(&format!("<PermissionsBoundaryArn>{READ_ONLY}</PermissionsBoundaryArn>")),
        "{roles}"
    );
    assert!(roles.contains("<Key>team</Key><Value>a&amp;b</Value>"), "{roles}");
    // In AWS too, only GetRole returns it.
    assert!(!roles.contains("MaxSessionDuration"));
    let policies = list(&answer, "Policies");
    assert!(policies.contains("<Path>/team/</Path>"), "{policies}");
    // Of AWS's managed policies, only those in use are listed.
    assert!(policies.contains(READ_ONLY) && !policies.contains("AdministratorAccess"), "{policies}");
    assert_eq!(answer.text("IsTruncated"), "false");
    assert!(!answer.body.contains(&sandbox.jan.id) && !answer.body.contains(&sandbox.jan.secret));
}

#[test]
fn the_details_are_those_of_the_kinds_that_are_asked_for() {
    let sandbox = peopled();
    let only = details(&sandbox, &[("Filter.member.1", "Role"), ("Filter.member.2", "LocalManagedPolicy")]);
    assert!(list(only.ok(), "RoleDetailList").contains("plain"));
    assert!(list(&only, "Policies").contains(LOCAL) && !list(&only, "Policies").contains(READ_ONLY));
    assert_eq!((list(&only, "UserDetailList"), list(&only, "GroupDetailList")), ("", ""));
    let text = "1 validation error detected: Value '[Rolle]' at 'filter' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]]";
    details(&sandbox, &[("Filter.member.1", "Rolle")]).refused(400, "ValidationError", text);
}

#[test]
fn the_details_come_in_pages_that_lose_and_repeat_nothing() {
    let sandbox = peopled();
    let whole = details(&sandbox, &[]);
    let mut seen = Vec::new();
    let mut marker = String::new();
    loop {
        let mut params = vec![("MaxItems", "2")];
        if !marker.is_empty() {
            params.push(("Marker", &marker));
        }
        let page = details(&sandbox, &params);
        page.ok();
        let arns: Vec<_> =
            page.body.split("<Arn>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
        assert!(arns.len() <= 2);
        seen.extend(arns.iter().map(|arn| (*arn).to_owned()));
        assert_eq!(page.text("IsTruncated") == "true", page.body.contains("<Marker>"));
        if page.text("IsTruncated") == "false" {
            break;
        }
        marker = page.text("Marker");
    }
    let all: Vec<_> = whole.body.split("<Arn>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    assert!(all.len() > 4);
    assert_eq!(seen, all);
    details(&sandbox, &[("Marker", "%%")]).refused(400, "ValidationError", "Invalid Marker.");
    for bad in ["0", "1001"] {
        assert_eq!(details(&sandbox, &[("MaxItems", bad)]).text("Code"), "ValidationError");
    }
    // The other lists have the same pagination.
    let roles = sandbox.iam(&sandbox.jan, "ListRoles", &[("MaxItems", "1")]);
    assert_eq!(
        (roles.ok().text("RoleName").as_str(), roles.text("IsTruncated").as_str()),
        ("bounded", "true")
    );
    let next = [("MaxItems", "1"), ("Marker", &roles.text("Marker"))];
    assert_eq!(sandbox.iam(&sandbox.jan, "ListRoles", &next).text("RoleName"), "open");
    for (action, element) in [("ListUsers", "UserName"), ("ListMFADevices", "SerialNumber")] {
        let one = sandbox.iam(&sandbox.jan, action, &[("MaxItems", "1")]);
        assert_eq!((one.ok().text(element).is_empty(), one.text("IsTruncated").as_str()), (false, "false"));
    }
}

#[test]
fn the_details_are_given_to_who_may_ask() {
    let asking = |statement: &str| {
        let statement = policy(statement);
        Sandbox::start_with(move |world| {
            let jan = people(world).users.get_mut(USER).unwrap();
            jan.policies = [("only".to_owned(), statement)].into();
        })
    };
    let other = asking(r#"{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}"#);
    let text = "User: arn:aws:iam::111122223333:user/jan is not authorized to perform: iam:GetAccountAuthorizationDetails on resource: * because no identity-based policy allows the iam:GetAccountAuthorizationDetails action";
    details(&other, &[]).refused(403, "AccessDenied", text);
    let asked = asking(r#"{"Effect":"Allow","Action":"iam:GetAccountAuthorizationDetails","Resource":"*"}"#);
    details(&asked, &[]).ok();
    assert_eq!(asked.iam(&asked.jan, "ListAccountAliases", &[]).text("Code"), "AccessDenied");
}

#[test]
fn managed_policies_of_a_user_of_a_group_and_as_a_boundary_are_heeded() {
    let with = |edit: &dyn Fn(&mut Account)| {
        Sandbox::start_with(|world| {
            let people = people(world);
            people.users.get_mut(USER).unwrap().policies.clear();
            edit(people);
        })
    };
    let code = |sandbox: &Sandbox, action: &str| sandbox.iam(&sandbox.jan, action, &[]).text("Code");
    assert_eq!(code(&with(&|_| {}), "ListUsers"), "AccessDenied");
    let to_jan = with(&|people| {
        let jan = Attached { users: [USER.to_owned()].into(), ..Attached::default() };
        people.attachments.insert(READ_ONLY.to_owned(), jan);
    });
    assert_eq!(code(&to_jan, "ListUsers"), "");
    assert_eq!(code(&to_jan, "CreateAccessKey"), "AccessDenied");
    let text = "Cannot delete entity, must detach all policies first.";
    let by_group = |members: &[&str]| {
        with(&|people| {
            let members = members.iter().map(|name| (*name).to_owned()).collect();
            people.groups.insert("ops".to_owned(), Group { members, ..Group::default() });
            let ops = Attached { groups: ["ops".to_owned()].into(), ..Attached::default() };
            people.attachments.insert("arn:aws:iam::aws:policy/AdministratorAccess".to_owned(), ops);
        })
    };
    assert_eq!(code(&by_group(&["kim"]), "ListUsers"), "AccessDenied");
    let admin = by_group(&[USER]);
    assert_eq!(code(&admin, "ListUsers"), "");
    let bounded = Sandbox::start_with(|world| {
        people(world).users.get_mut(USER).unwrap().boundary = Some(READ_ONLY.to_owned());
    });
    assert_eq!(
        (code(&bounded, "ListUsers").as_str(), code(&bounded, "CreateAccessKey").as_str()),
        ("", "AccessDenied")
    );
    // An entity with an attached managed policy cannot be deleted.
    let sandbox = Sandbox::start_with(|world| {
        let plain = Attached { roles: ["plain".to_owned()].into(), ..Attached::default() };
        people(world).roles.insert("plain".to_owned(), role(TRUST, &[]));
        people(world).attachments.insert(READ_ONLY.to_owned(), plain);
    });
    sandbox.iam(&sandbox.jan, "DeleteRole", &[("RoleName", "plain")]).refused(409, "DeleteConflict", text);
}

#[test]
fn an_account_has_its_alias_a_user_and_a_role_their_boundary_and_tags() {
    let sandbox = peopled();
    let aliases = sandbox.iam(&sandbox.jan, "ListAccountAliases", &[]);
    assert_eq!(list(aliases.ok(), "AccountAliases"), "<member>acme</member>");
    let bounded = sandbox.iam(&sandbox.jan, "GetRole", &[("RoleName", "bounded")]);
    assert_eq!(bounded.ok().text("PermissionsBoundaryArn"), READ_ONLY);
    assert_eq!((bounded.text("Key").as_str(), bounded.text("Value").as_str()), ("team", "a&b"));
    let plain = sandbox.iam(&sandbox.jan, "GetRole", &[("RoleName", "plain")]);
    assert!(!plain.ok().body.contains("PermissionsBoundary") && !plain.body.contains("<Tags>"));
    let kim = [
        ("UserName", "kim"),
        ("PermissionsBoundary", LOCAL),
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", "v"),
    ];
    assert_eq!(sandbox.iam(&sandbox.jan, "CreateUser", &kim).ok().text("PermissionsBoundaryArn"), LOCAL);
    let nowhere = "arn:aws:iam::444455556666:policy/x";
    let text = format!("Scope ARN: {nowhere} does not exist or is not attachable.");
    let bob = [("UserName", "bob"), ("PermissionsBoundary", nowhere)];
    sandbox.iam(&sandbox.jan, "CreateUser", &bob).refused(404, "NoSuchEntity", &text);
}
