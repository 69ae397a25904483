//! What the command tells of findings, as text and JSON.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::Value;
use watchmux::hunt::replay::Replay;
use watchmux::hunt::{Effort, EngineKind, Engines, Group, Jobs, Outcome, Phase, Trial};
use watchmux::report::{Layout, json, text};
use watchmux::script::{ContractKind, text as scripts};
use watchmux::subject::{self, Subject};

use super::faulty::{Fault, Faulty};
use super::layout::without_line_numbers;

/// A script and its schedule, and what shows it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) contract: ContractKind,
    pub(crate) script: &'static str,
}

pub(crate) const FINDINGS: &[Case] = &[
    Case {
        name: "kubernetes_1321",
        subject: "k8s-906",
        contract: ContractKind::Own,
        script: "mux incoming=0 queue=0 when-full=wait\nlane\n  watch a\n  action\n  stop a\n\
                 schedule setup*3 dispatcher*3 lane0*7 dispatcher*4 lane0",
    },
    Case {
        name: "lost_wake_up",
        subject: "lost-wake-up",
        contract: ContractKind::Own,
        script: "mux incoming=0 queue=0 when-full=wait\nlane\n  shutdown\n\
                 schedule setup*2 lane0*4 flusher*3 lane0*2",
    },
    Case {
        name: "ab_ba",
        subject: "ab-ba",
        contract: ContractKind::Own,
        script: "mux incoming=0 queue=0 when-full=wait\nlane\n  action\nlane\n  watch a\n\
                 schedule setup*2 lane0 setup lane0*2 lane1*4 lane0",
    },
    Case {
        name: "double_lock",
        subject: "double-lock",
        contract: ContractKind::Own,
        script: "mux incoming=0 queue=0 when-full=wait\nlane\n  action\n\
                 schedule setup*2 lane0*4",
    },
    Case {
        name: "order_violation",
        subject: "k8s-1321",
        contract: ContractKind::Strict,
        script: "mux incoming=1 queue=0 when-full=wait\nlane\n  action\n  watch a\n  recv a\n\
                 schedule setup*3 dispatcher*3 lane0*9 dispatcher*6 lane0 stop-a*6 close*3 dispatcher*4",
    },
    Case {
        name: "repeated_event",
        subject: "repeating",
        contract: ContractKind::Own,
        script: "mux incoming=0 queue=0 when-full=wait\nlane\n  watch a\n  action\n  try-recv a\n  try-recv a\n\
                 schedule setup*2 lane0*9 close*3 flusher*3 end",
    },
    Case {
        name: "send_on_closed",
        subject: "k8s-1321",
        contract: ContractKind::Strict,
        script: "mux incoming=0 queue=0 when-full=wait\nlane\n  shutdown\n  action\n\
                 schedule setup*3 dispatcher*3 lane0*5 dispatcher*4 close",
    },
    Case {
        name: "panic",
        subject: "panicking",
        contract: ContractKind::Own,
        script: "mux incoming=0 queue=0 when-full=wait\nlane\n  action\n\
                 schedule setup*2 lane0*3 close*3 flusher*3",
    },
];

/// What a replay of it finds.
pub(crate) fn found(case: &Case) -> (Trial, Outcome) {
    let faulty = [Fault::AbBa, Fault::DoubleLock, Fault::LostWakeUp, Fault::Panic, Fault::Repeat];
    let mut subjects = subject::all();
    subjects.extend(faulty.map(|fault| Arc::new(Faulty(fault)) as Arc<dyn Subject>));
    let subject = subjects.into_iter().find(|subject| subject.name() == case.subject).unwrap();
    let trial = Trial::new(subject, case.contract, Duration::from_secs(60));
    let entry = scripts::parse(case.name, case.script).unwrap();
    let stop = AtomicBool::new(false);
    let replayed = Replay {
        trial: &trial,
        script: &entry.script,
        choices: None,
        schedule: entry.schedule.as_ref(),
        strict: true,
        engines: Engines::Fibers,
        expected: None,
        times: None,
        seed: 1,
    }
    .run(Effort { jobs: Jobs::each(1), time: None, stop: &stop });
    let found = replayed.found.unwrap_or_else(|| panic!("{}: {:?}", case.name, replayed.schedule));
    let outcome = Outcome {
        subject: case.subject.to_owned(),
        contract: case.contract,
        seed: Some(1),
        phases: vec![Phase::of(EngineKind::Fibers, 1, Duration::from_secs(1))],
        interrupted: false,
        findings: vec![Group { count: 1, found, shrunk: None, saved: None }],
    };
    (trial, outcome)
}

/// What is printed where there are no colours.
pub(crate) fn text(case: &Case, layout: Layout) -> String {
    let (trial, outcome) = found(case);
    let mut out = Vec::new();
    text::outcome(&mut out, layout, &outcome, &trial, &|_| "watchmux replay FILE".to_owned()).unwrap();
    anstream::adapter::strip_str(str::from_utf8(&out).unwrap()).to_string()
}

fn json(case: &Case) -> Value {
    let (trial, outcome) = found(case);
    let mut out = Vec::new();
    json::outcome(&mut out, &outcome, &trial, true).unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn as_text() {
    for case in FINDINGS {
        let text = without_line_numbers(&text(case, Layout::default()));
        insta::assert_snapshot!(format!("text_{}", case.name), text);
    }
}

#[test]
fn in_eighty_columns() {
    let text = without_line_numbers(&text(&FINDINGS[0], Layout::of(80)));
    insta::assert_snapshot!("text_of_80_columns", text);
}

#[test]
fn as_json() {
    for case in FINDINGS {
        let mut told = json(case);
        let told = told["findings"][0]["told"].take();
        let pretty = serde_json::to_string_pretty(&without_lines(told)).unwrap();
        insta::assert_snapshot!(format!("json_{}", case.name), without_line_numbers(&pretty));
    }
}

/// Without the numbers of lines of code.
fn without_lines(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let value = if name == "line" { Value::Null } else { without_lines(value) };
                (name, value)
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(without_lines).collect(),
        other => other,
    }
}

#[test]
fn json_is_as_its_schema_says() {
    let schema: Value = serde_json::from_str(json::SCHEMA).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for case in FINDINGS {
        let told = json(case);
        let errors: Vec<String> = schema.iter_errors(&told).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", case.name);
        assert_eq!(told["version"], json::VERSION);
        // What it does not describe is refused.
        let mut other = told.clone();
        other["findings"][0]["told"]["waiting"] = Value::Null;
        assert!(!schema.is_valid(&other));
        other = told.clone();
        other["class"] = "a bug".into();
        assert!(!schema.is_valid(&other));
    }
}

#[test]
fn the_schema_names_every_class_and_verdict() {
    let schema: Value = serde_json::from_str(json::SCHEMA).unwrap();
    let names = |of: &str| schema["$defs"][of]["enum"].as_array().unwrap().clone();
    let classes: Vec<Value> = watchmux::oracle::Class::ALL.iter().map(|class| class.name().into()).collect();
    assert_eq!(names("class"), classes);
    let verdicts: Vec<Value> =
        watchmux::oracle::Verdict::ALL.iter().map(|verdict| verdict.name().into()).collect();
    assert_eq!(names("verdict"), verdicts);
}
