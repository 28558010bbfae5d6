//! `trust evaluate`: one answer per row, in the order of the rows, also for invalid rows.

use std::fs;

use serde_json::Value;

use super::{hatbox, sources};

/// A row that is allowed, with about this many bytes.
fn row(id: usize, size: usize) -> String {
    let title = "x".repeat(size);
    format!(
        r#"{{"id":{id},"title":"{title}","request":{{"principal":"arn:aws:iam::111122223333:user/jan","action":"s3:GetObject","resource":"arn:aws:s3:::b/k"}},"identity_policies":[{{"Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"*"}}}}]}}"#
    )
}

#[test]
fn each_row_of_the_suite_is_answered_as_expected_from_a_file_and_from_stdin() {
    let mut count = 0;
    for file in fs::read_dir(sources("iam/tests/evaluate")).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let from_file = hatbox(&["trust", "evaluate", path.to_str().unwrap()], b"");
        let from_stdin = hatbox(&["trust", "evaluate"], text.as_bytes());
        assert_eq!((from_file.code, from_file.stderr.as_str()), (0, ""), "{}", path.display());
        assert_eq!(from_file.stdout, from_stdin.stdout, "{}", path.display());
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let answers: Vec<Value> =
            from_file.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), answers.len(), "{}", path.display());
        for (row, answer) in rows.iter().zip(&answers) {
            assert_eq!(row["id"], answer["id"]);
            for (member, expected) in row["expect"].as_object().unwrap() {
                assert_eq!(answer[member], *expected, "{}: {member}", row["id"]);
            }
            count += 1;
        }
    }
    assert!(count >= 100, "only {count} rows");
}

#[test]
fn a_row_that_cannot_be_read_is_answered_with_its_error_and_the_next_ones_are_judged() {
    let huge = 16 << 20;
    let mut input = [row(1, 0).as_str(), "", "{", r#"{"id":"b"}"#, ""].join("\n").into_bytes();
    input.extend(b"\xff\n");
    input.extend(format!("{}\n{}\n", row(5, huge), row(6, 1 << 20)).bytes());
    let ran = hatbox(&["trust", "evaluate", "-"], &input);
    let answers: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown: Vec<_> =
        answers.iter().map(|a| (a["id"].to_string(), a["decision"].as_str(), a["error"].as_str())).collect();
    let of = |id: &str, decision, error| (id.to_owned(), decision, error);
    assert_eq!(
        shown,
        [
            of("1", Some("allow"), None),
            of(
                "null",
                None,
                Some("line 1, column 2: expected a name in double quotes, but the text ends here")
            ),
            of("\"b\"", None, Some("line 1, column 1: no `request`")),
            of("null", None, Some("the line is not UTF-8")),
            of("null", None, Some("the line is longer than 16 MiB")),
            of("6", Some("allow"), None),
        ]
    );
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stderr, "hatbox: error: 4 of 6 lines could not be read: see the errors in the output\n");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let ran = hatbox(&["trust", "evaluate", "/nonexistent/rows"], b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.starts_with("hatbox: error: could not read `/nonexistent/rows`\n"), "{}", ran.stderr);
}
