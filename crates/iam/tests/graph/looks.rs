//! The exact output for small graphs.

use hatbox_iam::graph::dot::render_dot;
use hatbox_iam::graph::json::render_json;
use hatbox_iam::graph::svg::render_svg;
use hatbox_iam::graph::text::{Characters, render_text};
use hatbox_iam::graph::{Account, Edge, Graph, Kind, Mfa, Node};

use crate::{Draft, HOME, PROD, small};

fn text(draft: Draft) -> String {
    render_text(&draft.finish(), Characters::Lines).to_string()
}

#[test]
fn text_has_users_on_the_left_and_the_roles_of_each_account_on_the_right() {
    assert_eq!(
        text(small()),
        "\
home 111122223333                      prod 444455556666
alice ──mfa──> Ops ┈┈no mfa┈┈> Audit   Ops
      ──mfa──> Admin                   Admin   only alice
bob   ──mfa──> Ops                     Audit   reachable without MFA through Ops
carol ────────> Legacy   ! no MFA      Legacy  ! no MFA
4 roles, 3 users, 2 warnings.
mfa: MFA required, ┈ chained (max 1 h), ! access keys are enough
Indirect access is not counted: changing policies or creating access keys.
"
    );
}

#[test]
fn text_for_terminals_without_lines_has_dashes_and_dots() {
    let text = render_text(&small().finish(), Characters::Ascii).to_string();
    assert_eq!(
        text,
        "\
home 111122223333                      prod 444455556666
alice --mfa--> Ops ..no mfa..> Audit   Ops
      --mfa--> Admin                   Admin   only alice
bob   --mfa--> Ops                     Audit   reachable without MFA through Ops
carol --------> Legacy   ! no MFA      Legacy  ! no MFA
4 roles, 3 users, 2 warnings.
mfa: MFA required, . chained (max 1 h), ! access keys are enough
Indirect access is not counted: changing policies or creating access keys.
"
    );
    assert!(text.is_ascii());
}

#[test]
fn conditions_unknown_facts_and_outsiders_are_shown() {
    let mut draft = small();
    let dave = draft.user(HOME, "dave");
    let stranger = draft.outsider("777788889999", "any user or role");
    let anyone = draft.outsider("", "anyone");
    let [ops, admin, audit] = [3, 4, 5];
    draft.edge(dave, admin, Mfa::Required).conditions.push("aws:SourceIp is 203.0.113.0/24".to_owned());
    draft.edge(stranger, ops, Mfa::Unknown).unknown.push("policies of 777788889999".to_owned());
    draft.edge(anyone, audit, Mfa::NotRequired);
    draft.user(HOME, "erin");
    draft.role(PROD, "Lambda");
    draft.not_known.push("SCP, RCP".to_owned());
    assert_eq!(
        text(draft),
        "\
home 111122223333
alice            ──mfa──> Ops ┈┈no mfa┈┈> Audit
                 ──mfa──> Admin
bob              ──mfa──> Ops
carol            ────────> Legacy   ! no MFA
dave             ──mfa──> Admin   if aws:SourceIp is 203.0.113.0/24

777788889999
any user or role ──mfa?──> Ops   ? depends on policies of 777788889999

elsewhere
anyone           ────────> Audit   ! no MFA

prod 444455556666
Ops
Admin
Audit   ! no MFA
Legacy  ! no MFA
5 roles, 5 users, 2 warnings.
mfa: MFA required, ┈ chained (max 1 h), ! access keys are enough, ? not known
Can assume no role: erin.
No user here can assume: Lambda.
Not known, and may change this: SCP, RCP.
Indirect access is not counted: changing policies or creating access keys.
"
    );
}

#[test]
fn roles_of_the_same_name_are_kept_apart_by_their_account() {
    let mut draft = Draft::default();
    draft.account(PROD, "prod");
    let alice = draft.user(HOME, "alice");
    for account in [HOME, PROD] {
        let admin = draft.role(account, "Admin");
        draft.edge(alice, admin, Mfa::Required);
    }
    let text = text(draft);
    assert!(text.contains("alice ──mfa──> Admin (111122223333)"), "{text}");
    assert!(text.contains("      ──mfa──> Admin (prod)"), "{text}");
}

#[test]
fn a_long_chain_goes_on_in_a_line_of_its_own_and_a_loop_ends() {
    let mut draft = Draft::default();
    let mut last = draft.user(HOME, "alice");
    for number in 1..=5 {
        let role = draft.role(PROD, &format!("R{number}"));
        draft.edge(last, role, Mfa::NotRequired);
        last = role;
    }
    draft.edge(last, 1, Mfa::NotRequired);
    let text = text(draft);
    for line in [
        "alice ────────> R1   ! no MFA ",
        "                   ┈┈no mfa┈┈> R2 ┈┈no mfa┈┈> R3 ",
        "longer chains ",
        "R3 ┈┈no mfa┈┈> R4 ┈┈no mfa┈┈> R5 ┈┈no mfa┈┈> R1 ",
    ] {
        assert!(text.lines().any(|given| given.starts_with(line)), "no {line} in\n{text}");
    }
}

#[test]
fn json_has_every_fact() {
    let mut draft = small();
    draft.edges[0].conditions.push("sts:ExternalId is given".to_owned());
    draft.edges[0].unknown.push("SCP".to_owned());
    draft.user(HOME, "erin");
    draft.not_known.push("RCP".to_owned());
    let json = render_json(&draft.finish()).unwrap();
    assert!(json.starts_with(r#"{"schema":1,"accounts":[{"id":"111122223333","label":"home"},"#), "{json}");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["nodes"].as_array().unwrap().len(), 8);
    assert_eq!(
        json["nodes"][0],
        serde_json::json!({
            "id": "arn:aws:iam::111122223333:user/alice", "kind": "user", "name": "alice", "account": HOME
        })
    );
    assert_eq!(
        json["edges"][0],
        serde_json::json!({
            "from": "arn:aws:iam::111122223333:user/alice",
            "to": "arn:aws:iam::444455556666:role/Ops",
            "mfa": "required", "chained": false,
            "conditions": ["sts:ExternalId is given"], "depends_on": ["SCP"],
        })
    );
    assert_eq!(json["edges"][4]["chained"], true);
    assert_eq!(
        json["warnings"],
        serde_json::json!([
            {"role": "arn:aws:iam::444455556666:role/Audit", "text": "reachable without MFA through Ops"},
            {"role": "arn:aws:iam::444455556666:role/Legacy", "text": "no MFA"},
        ])
    );
    assert_eq!(json["not_known"], serde_json::json!(["RCP"]));
}

#[test]
fn dot_has_a_cluster_for_each_account() {
    let dot = render_dot(&small().finish());
    let expected = [
        r#"  label="4 roles, 3 users, 2 warnings.\nIndirect access is not counted: changing policies or creating access keys.""#,
        r#"    label="home 111122223333""#,
        r#"    n0 [label="alice", tooltip="arn:aws:iam::111122223333:user/alice", shape=ellipse]"#,
        r#"    n6 [label="Legacy\n! no MFA", tooltip="arn:aws:iam::444455556666:role/Legacy"]"#,
        r#"  n0 -> n3 [label="mfa", tooltip="alice → Ops: with MFA only"]"#,
        r##"  n2 -> n6 [label="no mfa", tooltip="carol → Legacy: no MFA, access keys alone are enough", color="#cf222e"]"##,
        r##"  n3 -> n5 [label="no mfa", tooltip="Ops → Audit: no MFA; chained, 1 h at most", style=dashed, color="#9a6700"]"##,
    ];
    for line in expected {
        assert!(dot.lines().any(|given| given == line), "no line {line} in\n{dot}");
    }
}

#[test]
fn svg_says_in_words_what_its_colours_say_and_more_where_something_is_pointed_at() {
    let svg = render_svg(&small().finish());
    for part in [
        "<title>Who can assume which role: 4 roles, 3 users, 2 warnings.</title>",
        "<title>Ops → Audit: no MFA; chained, 1 h at most</title>",
        "<title>arn:aws:iam::444455556666:role/Ops\nfrom: alice, bob\nto: Audit</title>",
        "<title>arn:aws:iam::444455556666:role/Legacy (no MFA)\nfrom: carol</title>",
        ">no mfa</text>",
        ">! no MFA</text>",
        ">only alice</text>",
        ">MFA required</text>",
        "@media(prefers-color-scheme:dark)",
    ] {
        assert!(svg.contains(part), "no {part} in\n{svg}");
    }
    // Nothing external, and nothing that can run.
    for part in ["<script", "href", "url(", "@import", "onload"] {
        assert!(!svg.contains(part), "{part} in\n{svg}");
    }
}

#[test]
fn a_graph_takes_what_makes_sense_and_keeps_the_easiest_way() {
    let node = |kind, id: &str| Node {
        kind,
        account: None,
        name: id.to_owned(),
        id: id.to_owned(),
        members: Vec::new(),
        has_more: false,
    };
    let edge = |from, to, mfa| Edge { from, to, mfa, conditions: Vec::new(), unknown: Vec::new() };
    let graph = Graph::new(
        vec![
            Account { id: "1".into(), label: Some("first".into()) },
            Account { id: "1".into(), label: None },
        ],
        vec![node(Kind::Role, "R"), node(Kind::User, "u"), node(Kind::User, "u")],
        vec![
            edge(1, 0, Mfa::Required),
            // A duplicate of the user, without MFA.
            edge(2, 0, Mfa::NotRequired),
            edge(0, 0, Mfa::NotRequired),
            edge(0, 1, Mfa::NotRequired),
            edge(7, 0, Mfa::NotRequired),
            edge(1, 7, Mfa::NotRequired),
        ],
        Vec::new(),
        Vec::new(),
    );
    assert_eq!(graph.accounts().len(), 1);
    assert_eq!(graph.accounts()[0].label.as_deref(), Some("first"));
    assert_eq!(graph.nodes().iter().map(|node| node.id.as_str()).collect::<Vec<_>>(), ["u", "R"]);
    assert_eq!(graph.edges(), [edge(0, 1, Mfa::NotRequired)]);
}

#[test]
fn nothing_is_a_picture_too() {
    let text = text(Draft::default());
    assert!(text.starts_with("0 roles, 0 users, 0 warnings."), "{text}");
}
