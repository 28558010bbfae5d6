//! The trust policies that IAM accepts: fields, actions, principals and length; and roles that cannot be changed.

use hatbox_sandbox::world::{PEOPLE_ACCOUNT, USER};

use crate::client::{Answer, Sandbox, policy, role};

const ROOT: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}"#;

fn update(sandbox: &Sandbox, document: &str) -> Answer {
    let params = [("RoleName", "open"), ("PolicyDocument", document)];
    sandbox.iam(&sandbox.jan, "UpdateAssumeRolePolicy", &params)
}

fn statement(principal: &str) -> String {
    policy(&format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}"#))
}

#[test]
fn a_trust_policy_has_the_fields_and_actions_of_one() {
    let sandbox = Sandbox::start();
    let malformed = |document: &str, message: &str| {
        update(&sandbox, document).refused(400, "MalformedPolicyDocument", message);
    };
    malformed("{", "This policy contains invalid Json");
    malformed(r#"{"Statement":[{"Effect":"allow","Action":"sts:AssumeRole"}]}"#, "Syntax errors in policy.");
    let with = |field: &str| policy(&ROOT.replacen('{', &format!("{{{field},"), 1));
    malformed(&with(r#""Resource":"*""#), "Has prohibited field Resource");
    malformed(&with(r#""NotResource":"*""#), "Has prohibited field NotResource");
    malformed(&policy(&ROOT.replace("Principal", "NotPrincipal")), "Has prohibited field NotPrincipal");
    malformed(&policy(r#"{"Effect":"Allow","Action":"sts:AssumeRole"}"#), "Missing required field Principal");
    let actions = "AssumeRole policy may only specify STS AssumeRole actions.";
    malformed(&policy(&ROOT.replace("sts:AssumeRole", "s3:GetObject")), actions);
    malformed(&policy(&ROOT.replace(r#""sts:AssumeRole""#, r#"["sts:AssumeRole","*"]"#)), actions);
    update(&sandbox, &policy(&ROOT.replace(r#""sts:AssumeRole""#, r#"["STS:assumerole","sts:TagSession"]"#)))
        .ok();
    let create = [("RoleName", "new"), ("AssumeRolePolicyDocument", &*with(r#""Resource":"*""#))];
    sandbox.iam(&sandbox.jan, "CreateRole", &create).refused(
        400,
        "MalformedPolicyDocument",
        "Has prohibited field Resource",
    );
}

#[test]
fn a_trust_policy_names_only_who_is_there() {
    let sandbox = Sandbox::start();
    for good in [
        r#""*""#,
        r#"{"AWS":"*"}"#,
        r#"{"AWS":"111122223333"}"#,
        r#"{"AWS":["arn:aws:iam::444455556666:root","arn:aws:iam::111122223333:user/jan"]}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:role/team/open"}"#,
        r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/open/me"}"#,
        r#"{"Service":"ec2.amazonaws.com"}"#,
        r#"{"Federated":"arn:aws:iam::444455556666:oidc-provider/ci.sandbox.example"}"#,
        r#"{"Federated":"accounts.google.com"}"#,
    ] {
        update(&sandbox, &statement(good)).ok();
    }
    for (kind, bad) in [
        ("AWS", "999999999999"),
        ("AWS", "arn:aws:iam::999999999999:root"),
        ("AWS", "arn:aws:iam::111122223333:user/nobody"),
        ("AWS", "arn:aws:iam::111122223333:user/Jan"),
        ("AWS", "arn:aws:iam::111122223333:user/*"),
        ("AWS", "arn:aws:iam::111122223333:role/open"),
        ("AWS", "arn:aws:iam::111122223333:group/ops"),
        ("AWS", "arn:aws:sts::111122223333:assumed-role/open/*"),
        ("AWS", "AIDAAAAAAAAAAAAAAAAAA"),
        ("SERVICE", "ec2"),
    ] {
        let name = if kind == "SERVICE" { "Service" } else { kind };
        let text = format!("Invalid principal in policy: \"{kind}\":\"{bad}\"");
        let answer = update(&sandbox, &statement(&format!(r#"{{"{name}":"{bad}"}}"#)));
        answer.refused(400, "MalformedPolicyDocument", &text);
    }
    let text = "Federated principals must be valid domain names or SAML metadata ARNs";
    update(&sandbox, &statement(r#"{"Federated":"x"}"#)).refused(400, "MalformedPolicyDocument", text);
}

#[test]
fn a_trust_policy_has_an_end_and_blanks_are_not_counted() {
    let sandbox = Sandbox::start();
    let of_length = |length: usize| {
        let short = policy(&ROOT.replacen('{', r#"{"Sid":"","#, 1));
        short.replace(r#""Sid":"""#, &format!(r#""Sid":"{}""#, "x".repeat(length - short.len())))
    };
    assert_eq!(of_length(2048).len(), 2048);
    update(&sandbox, &of_length(2048)).ok();
    update(&sandbox, &of_length(2048).replace(',', ",\n   ")).ok();
    let text = "Cannot exceed quota for ACLSizePerRole: 2048";
    update(&sandbox, &of_length(2049)).refused(409, "LimitExceeded", text);
}

#[test]
fn a_role_of_awss_is_changed_by_aws_alone() {
    let sandbox = Sandbox::start_with(|world| {
        let people = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap();
        for path in ["/aws-service-role/x.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/"] {
            let mut reserved = role(ROOT, &[]);
            path.clone_into(&mut reserved.path);
            people.roles.insert(format!("R{}", path.len()), reserved);
        }
    });
    let roles = &sandbox.iam(&sandbox.jan, "ListRoles", &[]).body;
    let names: Vec<_> =
        roles.split("<RoleName>R").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    assert_eq!(names.len(), 2);
    for number in names {
        let name = format!("R{number}");
        let params = [("RoleName", name.as_str()), ("PolicyDocument", &policy(ROOT))];
        let text = format!(
            "Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
        );
        for action in ["UpdateAssumeRolePolicy", "UpdateRole", "DeleteRole"] {
            sandbox.iam(&sandbox.jan, action, &params).refused(400, "UnmodifiableEntity", &text);
        }
        sandbox.iam(&sandbox.jan, "GetRole", &params).ok();
    }
}

#[test]
fn a_trust_policy_is_changed_by_who_may_and_read_back_as_it_was_written() {
    let sandbox = Sandbox::start_with(|world| {
        let jan = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap().users.get_mut(USER).unwrap();
        let one = r#"{"Effect":"Allow","Action":["iam:UpdateAssumeRolePolicy","iam:GetRole"],"Resource":"arn:aws:iam::111122223333:role/team/open"}"#;
        jan.policies = [("one".to_owned(), policy(one))].into();
    });
    let document = policy(ROOT).replace(',', ", \n ");
    update(&sandbox, &document).ok();
    let read = sandbox.iam(&sandbox.jan, "GetRole", &[("RoleName", "open")]);
    assert_eq!(read.ok().text("AssumeRolePolicyDocument"), crate::client::percent(&document));
    let other = [("RoleName", "other"), ("PolicyDocument", document.as_str())];
    let text = "User: arn:aws:iam::111122223333:user/jan is not authorized to perform: iam:UpdateAssumeRolePolicy on resource: arn:aws:iam::111122223333:role/other because no identity-based policy allows the iam:UpdateAssumeRolePolicy action";
    sandbox.iam(&sandbox.jan, "UpdateAssumeRolePolicy", &other).refused(403, "AccessDenied", text);
}
