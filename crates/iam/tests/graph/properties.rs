//! Properties of every picture, for any names and edges.

use hatbox_iam::graph::dot::render_dot;
use hatbox_iam::graph::json::render_json;
use hatbox_iam::graph::svg::render_svg;
use hatbox_iam::graph::text::{Characters, render_text};
use hatbox_iam::graph::{Account, Edge, Graph, Kind, Mfa, Node, Perhaps};
use proptest::prelude::*;

use crate::Draft;
use crate::markup::{Drawn, read};

/// Ordinary names, and hostile ones that try to break the picture.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z][A-Za-z0-9+=,.@_-]{0,12}",
        1 => Just("A".to_owned()),
        1 => "[<>&\"'\\\\\n\r\t\0\u{1b}\u{202e}\u{200b}\u{ffff}é漢a-z;]{0,12}",
        1 => Just("</text><script>alert(1)</script>".to_owned()),
        1 => Just("W".repeat(200)),
    ]
}

fn mfa() -> impl Strategy<Value = Mfa> {
    prop_oneof![Just(Mfa::Required), Just(Mfa::NotRequired), Just(Mfa::Unknown)]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![3 => Just(Kind::User), 1 => Just(Kind::Outside), 4 => Just(Kind::Role)]
}

/// Few nodes, or enough to be combined.
fn draft() -> impl Strategy<Value = Draft> {
    let accounts = proptest::collection::vec(proptest::option::of(name()), 0..4);
    let nodes = proptest::collection::vec((kind(), 0..5_usize, name()), 0..90);
    (accounts, nodes).prop_flat_map(|(accounts, nodes)| {
        let places = 0..nodes.len().max(1);
        let facts = || proptest::collection::vec(name(), 0..2);
        let edge = (places.clone(), places.clone(), mfa(), facts(), facts());
        let pair = (places.clone(), places, 0..2_usize);
        let facts = (proptest::collection::vec(edge, 0..120), proptest::collection::vec(pair, 0..12));
        facts.prop_map(move |(edges, perhaps)| Draft {
            perhaps: perhaps
                .into_iter()
                .map(|(from, to, what)| Perhaps { from, to, unknown: [format!("policy {what}")].into() })
                .collect(),
            ..make(&accounts, &nodes, edges)
        })
    })
}

type DraftEdge = (usize, usize, Mfa, Vec<String>, Vec<String>);

fn make(accounts: &[Option<String>], nodes: &[(Kind, usize, String)], edges: Vec<DraftEdge>) -> Draft {
    let id = |number: usize| format!("{number:012}");
    Draft {
        accounts: accounts
            .iter()
            .enumerate()
            .map(|(number, label)| Account { id: id(number), label: label.clone() })
            .collect(),
        nodes: nodes
            .iter()
            .enumerate()
            .map(|(at, (kind, account, name))| Node {
                kind: *kind,
                account: (*account < 4).then(|| id(*account)),
                name: name.clone(),
                id: format!("{at} {name}"),
                members: Vec::new(),
                has_more: false,
            })
            .collect(),
        edges: edges
            .into_iter()
            .map(|(from, to, mfa, conditions, unknown)| Edge { from, to, mfa, conditions, unknown })
            .collect(),
        perhaps: Vec::new(),
        not_known: vec!["SCP".to_owned()],
    }
}

/// Returns the same facts in another order.
fn shuffle(draft: &Draft, by: usize) -> Draft {
    let count = draft.nodes.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|at| (at * 7919 + by) % (count + 1));
    let place = |old: usize| order.iter().position(|at| *at == old).unwrap_or(old);
    let mut edges: Vec<Edge> = draft
        .edges
        .iter()
        .map(|edge| Edge { from: place(edge.from), to: place(edge.to), ..edge.clone() })
        .collect();
    edges.reverse();
    Draft {
        accounts: draft.accounts.iter().rev().cloned().collect(),
        nodes: order.iter().map(|at| draft.nodes[*at].clone()).collect(),
        edges,
        perhaps: draft
            .perhaps
            .iter()
            .rev()
            .map(|pair| Perhaps { from: place(pair.from), to: place(pair.to), ..pair.clone() })
            .collect(),
        not_known: draft.not_known.clone(),
    }
}

fn all(graph: &Graph) -> [String; 5] {
    [
        render_svg(graph),
        render_text(graph, Characters::Lines).to_string(),
        render_text(graph, Characters::Ascii).to_string(),
        render_dot(graph),
        render_json(graph).unwrap(),
    ]
}

fn of_class<'a>(drawn: &'a [Drawn], class: &str) -> Vec<&'a Drawn> {
    drawn.iter().filter(|one| one.class.split(' ').next() == Some(class)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_order_of_the_facts_does_not_matter(draft in draft(), by in 0..1000_usize) {
        let shuffled = shuffle(&draft, by);
        prop_assert_eq!(all(&draft.finish()), all(&shuffled.finish()));
    }

    #[test]
    fn every_picture_is_well_formed_and_nothing_is_drawn_over_anything(draft in draft()) {
        let svg = render_svg(&draft.finish());
        let drawn = read(&svg).map_err(TestCaseError::fail)?;
        prop_assert!(!svg.contains("<script"));
        let view = &of_class(&drawn, "view")[0];
        let frames = of_class(&drawn, "frame");
        let nodes = of_class(&drawn, "node");
        let labels = of_class(&drawn, "label");
        for one in &drawn {
            prop_assert!(view.holds(one), "{one:?} is not in {view:?}");
        }
        for one in nodes.iter().chain(&labels) {
            prop_assert_eq!(frames.iter().filter(|frame| frame.holds(one)).count(), 1, "{:?}", one);
        }
        let solid: Vec<&Drawn> = nodes.iter().chain(&labels).copied().collect();
        for group in [&frames, &solid] {
            for (at, one) in group.iter().enumerate() {
                for other in &group[at + 1..] {
                    prop_assert!(!one.overlaps(other), "{one:?} and {other:?}");
                }
            }
        }
    }

    #[test]
    fn no_name_breaks_out_of_its_line(draft in draft()) {
        let graph = draft.finish();
        let [_, text, _, dot, json] = all(&graph);
        let is_harmless = |c: char| c == '\n' || !(c.is_control() || matches!(c, '\u{202e}' | '\u{200b}'));
        prop_assert!(text.chars().all(is_harmless) && dot.chars().all(is_harmless));
        for line in dot.lines() {
            let quotes = line.replace("\\\\", "").replace("\\\"", "").matches('"').count();
            prop_assert_eq!(quotes % 2, 0, "{}", line);
        }
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(json["nodes"].as_array().unwrap().len(), graph.nodes().len());
        prop_assert_eq!(json["edges"].as_array().unwrap().len(), graph.edges().len());
    }
}
