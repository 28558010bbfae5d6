//! Graphs with more nodes than a reader can take in at a glance are simplified.

use hatbox_iam::graph::Mfa;
use hatbox_iam::graph::json::render_json;
use hatbox_iam::graph::svg::render_svg;
use hatbox_iam::graph::text::{Characters, render_text};

use crate::{Draft, HOME, PROD};

/// This many users with one role, and another user with one role more.
fn crowd(users: usize) -> Draft {
    let mut draft = Draft::default();
    let [ops, admin] = ["Ops", "Admin"].map(|name| draft.role(PROD, name));
    for number in 0..users {
        let user = draft.user(HOME, &format!("user{number:02}"));
        draft.edge(user, ops, Mfa::Required);
    }
    let boss = draft.user(HOME, "boss");
    draft.edge(boss, ops, Mfa::Required);
    draft.edge(boss, admin, Mfa::Required);
    draft
}

#[test]
fn up_to_60_nodes_each_is_drawn() {
    let text = render_text(&crowd(57).finish(), Characters::Lines).to_string();
    assert!(text.contains("user56 ──mfa──> Ops"), "{text}");
    assert!(!text.contains("57 users:"), "{text}");
}

#[test]
fn above_60_nodes_users_of_equal_reach_are_one() {
    let graph = crowd(58).finish();
    let text = render_text(&graph, Characters::Lines).to_string();
    assert!(text.contains("58 users: user00, user01, … ──mfa──> Ops"), "{text}");
    assert!(text.contains("\nboss "), "{text}");
    assert!(text.contains("2 roles, 59 users, 0 warnings."), "{text}");
    let svg = render_svg(&graph);
    assert!(svg.contains(">58 users</text>"), "{svg}");
    assert_eq!(svg.matches("<rect class=\"node\"").count(), 4);
    // JSON contains all nodes.
    assert_eq!(render_json(&graph).unwrap().matches(r#""kind":"user""#).count(), 59);
}

#[test]
fn users_who_differ_in_mfa_stay_apart() {
    let mut draft = crowd(70);
    draft.edges[0].mfa = Mfa::NotRequired;
    draft.edges[1].conditions.push("aws:SourceIp is 203.0.113.7".to_owned());
    draft.edges[2].unknown.push("the boundary of user02".to_owned());
    let text = render_text(&draft.finish(), Characters::Lines).to_string();
    for line in [
        "user00                      ────────> Ops   ! no MFA",
        "user01                      ──mfa──> Ops   if aws:SourceIp is 203.0.113.7",
        "user02                      ──mfa──> Ops   ? depends on the boundary of user02",
        "67 users: user03, user04, … ──mfa──> Ops",
    ] {
        assert!(text.lines().any(|given| given.starts_with(line)), "no {line} in\n{text}");
    }
}

#[test]
fn accounts_with_the_same_roles_are_one() {
    let mut draft = crowd(10);
    for number in 0..40 {
        let account = format!("2000000000{number:02}");
        draft.account(&account, &format!("team{number:02}"));
        let [audit, deploy, apply] = ["Audit", "Deploy", "Apply"].map(|name| draft.role(&account, name));
        // The users have the indexes 2 to 11.
        draft.edge(2, audit, Mfa::Required);
        draft.edge(3, deploy, if number == 7 { Mfa::NotRequired } else { Mfa::Required });
        draft.edge(deploy, apply, Mfa::NotRequired);
    }
    let svg = render_svg(&draft.finish());
    assert!(svg.contains(">39 accounts team00, "), "{svg}");
    assert!(svg.contains(">team07 200000000007</text>"), "{svg}");
    assert_eq!(svg.matches(">Audit</text>").count(), 2, "{svg}");
    assert_eq!(svg.matches(">Apply</text>").count(), 2, "{svg}");
}

#[test]
fn a_chain_of_thousands_of_roles_is_drawn() {
    let mut draft = Draft::default();
    let mut last = draft.user(HOME, "alice");
    for number in 0..3000 {
        let role = draft.role(PROD, &format!("R{number}"));
        draft.edge(last, role, Mfa::NotRequired);
        last = role;
    }
    let graph = draft.finish();
    let text = render_text(&graph, Characters::Lines).to_string();
    assert!(text.lines().all(|line| line.chars().count() < 200));
    assert!(render_svg(&graph).ends_with("</svg>\n"));
}

#[test]
fn where_many_lines_cross_those_of_the_node_that_is_pointed_at_are_marked() {
    let mut draft = Draft::default();
    let roles: Vec<usize> = (0..10).map(|number| draft.role(PROD, &format!("R{number}"))).collect();
    for number in 0..10 {
        let user = draft.user(HOME, &format!("user{number}"));
        for role in &roles[..=number] {
            draft.edge(user, *role, Mfa::Required);
        }
    }
    assert!(!render_svg(&draft.clone().finish()).contains(":has(.n0:hover)"), "55 lines can be told apart");
    let boss = draft.user(HOME, "boss");
    let more: Vec<usize> = (0..30).map(|number| draft.role(PROD, &format!("S{number}"))).collect();
    for role in more {
        draft.edge(boss, role, Mfa::Required);
    }
    let svg = render_svg(&draft.finish());
    assert!(svg.contains("\n.many:has(.n0:hover) .e0{opacity:1;stroke-width:3}\n"), "{svg}");
    assert!(svg.contains("<g class=\"user n0\">") && svg.contains("<path class=\"line mfa e0 e"), "{svg}");
}
