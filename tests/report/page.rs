//! The page of each finding: the data that it shows, and the markup around it.

use serde_json::Value;
use watchmux::report::html;

use super::findings::{Case, FINDINGS, found};
use super::layout::without_line_numbers;

fn page(case: &Case) -> String {
    let (trial, outcome) = found(case);
    let mut page = Vec::new();
    html::finding(&mut page, &outcome, &outcome.findings[0], &trial, "watchmux replay FILE").unwrap();
    String::from_utf8(page).unwrap()
}

/// What is between these two, and the text without it.
fn cut(page: &str, from: &str, to: &str) -> (String, String) {
    let (before, rest) = page.split_once(from).unwrap();
    let (between, after) = rest.split_once(to).unwrap();
    (between.to_owned(), format!("{before}{from}…{to}{after}"))
}

fn data(page: &str) -> Value {
    serde_json::from_str(&cut(page, r#"id="data">"#, "</script>").0).unwrap()
}

/// A line for each entry. Where a task's stack leads is told by other snapshots.
fn lines(mut data: Value) -> String {
    for blocked in data["blocked"].as_array_mut().into_iter().flatten() {
        blocked["stack"].take();
    }
    let mut lines = Vec::new();
    for (name, value) in data.as_object().unwrap() {
        match value.as_array() {
            Some(entries) => {
                lines.extend((0..).zip(entries).map(|(index, entry)| format!("{name} {index} {entry}")))
            }
            None => lines.push(format!("{name} {value}")),
        }
    }
    lines.join("\n")
}

#[test]
fn as_data() {
    for case in FINDINGS {
        let lines = lines(data(&page(case)));
        insta::assert_snapshot!(format!("page_{}", case.name), without_line_numbers(&lines));
    }
}

#[test]
fn as_markup() {
    let page = page(&FINDINGS[0]);
    let (_, page) = cut(&page, "<style>", "</style>");
    let (_, page) = cut(&page, r#"id="data">"#, "</script>");
    let (_, page) = cut(&page, "<script>\n", "</script>");
    insta::assert_snapshot!("page_markup", page);
}

#[test]
fn data_is_never_markup() {
    for case in FINDINGS {
        let page = page(case);
        let (data, rest) = cut(&page, r#"id="data">"#, "</script>");
        assert!(!data.contains('<'), "{}", case.name);
        for load in ["src=", "href=\"http", "@import", "url(h", "fetch("] {
            assert!(!rest.contains(load), "{}: {load}", case.name);
        }
    }
}

#[test]
fn each_step_of_the_schedule_is_one_of_the_page() {
    for case in FINDINGS {
        let (_, outcome) = found(case);
        let steps = outcome.findings[0].shown().2.steps.len();
        assert_eq!(data(&page(case))["steps"].as_array().unwrap().len(), steps, "{}", case.name);
    }
}
