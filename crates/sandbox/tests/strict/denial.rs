//! DecodeAuthorizationMessage: the content of messages, and who may decode them.

use hatbox_sandbox::world::{PEOPLE_ACCOUNT, USER};

use crate::client::{ADMIN, AUDITOR, JAN, OPEN, Sandbox, policy};

const INVALID: &str = "Message is not a valid encoded authorization message.";

#[test]
fn a_message_that_the_sandbox_encoded_is_decoded_and_no_other() {
    let mut sandbox = Sandbox::start();
    sandbox.assume(&sandbox.jan, ADMIN, &[]);
    sandbox.assume(&sandbox.jan, OPEN, &[]).ok();
    let encoded = sandbox.control().encoded_denial(1).unwrap();
    assert!(!encoded.contains("AssumeRole") && encoded.len() <= 10_240);
    let decode = |message: &str| {
        sandbox.sts(&sandbox.jan, "DecodeAuthorizationMessage", &[("EncodedMessage", message)])
    };
    let told: serde_json::Value =
        serde_json::from_str(&decode(&encoded).ok().text("DecodedMessage")).unwrap();
    assert_eq!((&told["allowed"], &told["explicitDeny"]), (&false.into(), &false.into()));
    let context = &told["context"];
    assert_eq!((&context["action"], &context["resource"]), (&"sts:AssumeRole".into(), &ADMIN.into()));
    assert_eq!(context["principal"]["arn"], JAN);
    let code = "InvalidAuthorizationMessageException";
    for message in ["x", &encoded[1..], &format!("{encoded}A")] {
        decode(message).refused(400, code, INVALID);
    }
    // Allowed calls and unknown numbers have no message.
    for number in [0, 2, 99] {
        assert!(sandbox.control().encoded_denial(number).is_err(), "{number}");
    }
    sandbox.restart();
    let old = sandbox.sts(&sandbox.jan, "DecodeAuthorizationMessage", &[("EncodedMessage", &encoded)]);
    old.refused(400, code, INVALID);
}

#[test]
fn decoding_needs_its_permission_and_an_explicit_deny_is_named() {
    let deny = r#"{"Effect":"Deny","Action":"sts:AssumeRole","Resource":"*security-auditor"},
        {"Effect":"Deny","Action":"sts:DecodeAuthorizationMessage","Resource":"*",
            "Condition":{"StringEquals":{"aws:PrincipalType":"User"}}}"#;
    let sandbox = Sandbox::start_with(|world| {
        let people = world.accounts.get_mut(PEOPLE_ACCOUNT).unwrap();
        people.users.get_mut(USER).unwrap().policies.insert("deny".to_owned(), policy(deny));
    });
    sandbox.assume(&sandbox.jan, AUDITOR, &[]);
    let encoded = sandbox.control().encoded_denial(1).unwrap();
    let params = [("EncodedMessage", encoded.as_str())];
    let refused = sandbox.sts(&sandbox.jan, "DecodeAuthorizationMessage", &params);
    let text = "User: arn:aws:iam::111122223333:user/jan is not authorized to perform: sts:DecodeAuthorizationMessage on resource: * with an explicit deny in an identity-based policy";
    refused.refused(403, "AccessDenied", text);
    let open = sandbox.assume(&sandbox.jan, OPEN, &[]).keys();
    let told = sandbox.sts(&open, "DecodeAuthorizationMessage", &params).ok().text("DecodedMessage");
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["explicitDeny"], true);
}
