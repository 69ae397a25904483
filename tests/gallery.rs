//! The suite on itself: each canary is found, each fixed version passes, and nothing that may block is called a hang.
#![cfg(feature = "suite")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use watchmux::engine::strategy::{Estimates, Portfolio};
use watchmux::engine::{self, Shared};
use watchmux::hunt::{
    Budget, Campaign, Effort, EngineKind, Engines, Group, Jobs, Outcome, Progress, Trial, shrink,
};
use watchmux::oracle::{Contract, Finding};
use watchmux::script::{Config, ContractKind, Script, WhenFull};
use watchmux::subject::{self, Bug, Capabilities, Running, Shipped, Subject};

use ContractKind::{Own, Strict};

/// In how many runs a canary must be found, and a fixed version pass.
const BUDGET: u64 = 1_000;

const SEEDS: std::ops::Range<u64> = 0..5;

/// How long a run may take that neither ends nor comes to rest. None is known to.
const DEADLINE: Duration = Duration::from_secs(30);

/// Set by nobody.
static STOP: AtomicBool = AtomicBool::new(false);

const EFFORT: Effort<'_> = Effort { jobs: Jobs::each(2), time: None, stop: &STOP };

fn trial(subject: &str, kind: ContractKind) -> Trial {
    let named = subject::all().into_iter().find(|other| other.name() == subject);
    Trial::new(named.expect("there is such a subject"), kind, DEADLINE)
}

fn campaign(trial: Trial, runs: u64, seed: u64) -> Campaign {
    Campaign {
        trial,
        engines: Engines::Threads,
        twice: false,
        budget: Budget { time: None, runs: Some(runs) },
        seed,
        keep_going: false,
    }
}

fn run(campaign: &Campaign) -> Outcome {
    campaign.run(EFFORT, &Progress::default(), &|_| {})
}

/// What was found, one a line.
fn list(findings: &[Group]) -> String {
    findings.iter().fold(String::new(), |mut list, Group { count, found, .. }| {
        let signature = &found.finding.signature;
        writeln!(list, "{count} times {signature:?}, as in\n{}", found.script)
            .expect("a string takes any text");
        list
    })
}

#[test]
fn each_canary_is_found() {
    for (subject, ops) in [("k8s-906", 3), ("goker-1321", 2)] {
        let b1 = bug(subject, "B1");
        for seed in SEEDS {
            let campaign = campaign(trial(subject, Own), BUDGET, seed);
            let outcome = run(&campaign);
            let [group] = &outcome.findings[..] else { panic!("{subject} passes, seed {seed}") };
            assert!(b1.is_shown_by(&group.found.finding.signature), "{subject}: {}", list(&outcome.findings));
            // Of hundreds of reruns for each candidate, so not for every seed.
            if seed == SEEDS.start {
                let shrunk = shrink(&campaign.trial, &group.found, seed, campaign.engines, EFFORT);
                assert!(
                    shrunk.script.ops() <= ops && shrunk.script.lanes.len() == 1,
                    "{subject}: {}",
                    shrunk.script
                );
                assert!(
                    shrunk.minimal && shrunk.confirmation.is_some_and(|confirmation| confirmation.hits > 0),
                    "{subject}: {}",
                    shrunk.script
                );
                assert!(b1.is_shown_by(&shrunk.finding.signature), "{subject}: {:?}", shrunk.finding);
            }
        }
    }
}

#[test]
fn each_fixed_version_passes() {
    for (subject, kind) in [("k8s-1321", Own), ("mux", Strict)] {
        for seed in SEEDS {
            passes(&run(&campaign(trial(subject, kind), BUDGET, seed)));
        }
    }
}

#[track_caller]
fn passes(outcome: &Outcome) {
    let Outcome { subject, seed, findings, .. } = outcome;
    assert!(findings.is_empty(), "{subject}, seed {seed:?}: {}", list(findings));
    assert_eq!(outcome.inconclusive(), 0, "{subject}, seed {seed:?}");
}

/// A bug of a subject.
fn bug(subject: &str, id: &str) -> &'static Bug {
    let bugs = trial(subject, Strict).subject().bugs();
    bugs.into_iter().find(|bug| bug.id == id).expect("it has such a bug")
}

/// In how many runs of a campaign on fibers each version shows nothing but what it has.
const RUNS: u64 = 1_000;

/// In how many campaigns it must have shown all of that. The rarest shows in one of a few thousand runs, and is found in
/// a few campaigns as a rule.
const MOST_CAMPAIGNS: u64 = 200;

/// Those of its bugs that this contract forbids.
fn expected(subject: &dyn Subject, kind: ContractKind) -> Vec<&'static Bug> {
    subject.bugs().into_iter().filter(|bug| bug.under.contains(&kind)).collect()
}

/// These show in one of several thousand runs. That each version shows them in their scripts is tested, and that the hunt
/// comes upon them in one.
const RARE: [&str; 2] = ["H5", "H6"];

#[test]
fn each_version_shows_its_bugs_and_no_others() {
    let mut met: BTreeSet<&str> = BTreeSet::new();
    for subject in subject::gallery() {
        for kind in ContractKind::ALL {
            let bugs = expected(&*subject, kind);
            let mut missing = bugs.clone();
            for seed in 0..MOST_CAMPAIGNS {
                let trial = Trial::new(Arc::clone(&subject), kind, DEADLINE);
                let campaign =
                    Campaign { engines: Engines::Fibers, keep_going: true, ..campaign(trial, RUNS, seed) };
                let outcome = run(&campaign);
                // Most of these runs hang, and what hangs is unwound, one task and all that it holds after the other.
                assert_eq!(outcome.forgotten(), 0, "{}, {kind:?}, seed {seed}", subject.name());
                let mut findings = outcome.findings;
                let shows = |bug: &Bug, group: &Group| bug.is_shown_by(&group.found.finding.signature);
                let found = |bug: &Bug| findings.iter().any(|group| shows(bug, group));
                met.extend(bugs.iter().filter(|bug| found(bug)).map(|bug| bug.id));
                missing.retain(|bug| !found(bug));
                findings.retain(|group| !bugs.iter().any(|bug| shows(bug, group)));
                assert!(
                    findings.is_empty(),
                    "{}, {kind:?}, seed {seed}: {}",
                    subject.name(),
                    list(&findings)
                );
                // A rare one is searched for in the first that has it.
                if missing.iter().all(|bug| RARE.contains(&bug.id) && met.contains(bug.id)) {
                    break;
                }
            }
            missing.retain(|bug| !(RARE.contains(&bug.id) && met.contains(bug.id)));
            let missing: Vec<&str> = missing.iter().map(|bug| bug.id).collect();
            assert!(missing.is_empty(), "{}, {kind:?}: {missing:?} is not found", subject.name());
        }
    }
}

/// How often a script is run that need not show anything.
const SCRIPT_RUNS: u64 = 40;

/// How often a script is run that must show its bug, at most.
const MOST_SCRIPT_RUNS: u64 = 20_000;

/// What a script shows on a subject, run once on fibers, led by the strategy of this index.
fn shown(trial: &Trial, script: &Arc<Script>, index: u64) -> Vec<Finding> {
    let strategy = Portfolio::new(1).strategy(index, &Estimates::default());
    trial.on_fibers(script, strategy).judgement.findings
}

#[test]
fn each_bug_shows_in_its_script_wherever_it_is_and_nowhere_else() {
    let scripts: BTreeSet<&str> = subject::gallery()
        .iter()
        .flat_map(|subject| subject.bugs())
        .flat_map(|bug| bug.scripts)
        .copied()
        .collect();
    for subject in subject::gallery() {
        for kind in ContractKind::ALL {
            let trial = Trial::new(Arc::clone(&subject), kind, DEADLINE);
            let bugs = expected(&*subject, kind);
            let run = |script: &str, index| {
                let script = Arc::new(trial.clamp(&script.parse().expect("it is a script")));
                shown(&trial, &script, index)
            };
            for (script, index) in
                scripts.iter().flat_map(|script| (0..SCRIPT_RUNS).map(move |index| (script, index)))
            {
                let mut findings = run(script, index);
                findings.retain(|finding| !bugs.iter().any(|bug| bug.is_shown_by(&finding.signature)));
                assert_eq!(findings, [], "{}, {kind:?}, in\n{script}", subject.name());
            }
            for bug in &bugs {
                let shows = |finding: &Finding| bug.is_shown_by(&finding.signature);
                let mut tries = (0..MOST_SCRIPT_RUNS)
                    .flat_map(|index| bug.scripts.iter().map(move |script| (script, index)));
                let found = tries.any(|(script, index)| run(script, index).iter().any(shows));
                assert!(found, "{}, {kind:?}: {} shows in none of its scripts", subject.name(), bug.id);
            }
        }
    }
}

/// Back-pressure, or freedom that the contract leaves: none of it is reported, under any contract.
struct Control {
    id: &'static str,
    /// The subjects that it can be tried on.
    on: fn(&dyn Subject) -> bool,
    /// Its script, for such an incoming queue.
    script: fn(usize) -> String,
}

const CONTROLS: [Control; 5] = [
    Control {
        id: "C1, sole-thread shutdown",
        on: |_| true,
        script: |_| "mux incoming=1 queue=0 when-full=wait\nlane\n watch a\n action\n shutdown\n".to_owned(),
    },
    Control {
        id: "C2, publishing consumer",
        on: |_| true,
        script: |incoming| {
            let actions = " action\n".repeat(incoming + 2);
            format!(
                "mux incoming=0 queue=0 when-full=wait\nsetup\n watch a\nlane\n{actions}lane\n recv a\n action\n"
            )
        },
    },
    Control {
        id: "C3, wedge",
        on: |_| true,
        script: |incoming| {
            let actions = " action\n".repeat(incoming + 3);
            format!("mux incoming=1 queue=1 when-full=wait\nsetup\n watch a\nlane\n{actions}")
        },
    },
    Control {
        id: "C4, drop without a queue",
        on: |subject| subject.capabilities().when_full.contains(&WhenFull::DropNewest),
        script: |_| {
            "mux incoming=1 queue=0 when-full=drop-newest\nsetup\n watch a\n watch b when-full=drop-oldest\n\
             lane\n action\n action\nlane\n recv a\n try-recv b\n"
                .to_owned()
        },
    },
    Control {
        id: "C5, stop with room in the buffer",
        // In the first version that is how #1321 shows.
        on: |subject| subject.name() != "k8s-906",
        script: |_| {
            "mux incoming=1 queue=1 when-full=wait\nsetup\n watch a\nlane\n action\n\
             lane\n stop a\n recv a\n recv a\n"
                .to_owned()
        },
    },
];

#[test]
fn no_control_is_reported() {
    for subject in subject::all() {
        let capabilities = subject.capabilities();
        if !capabilities.values {
            continue;
        }
        for kind in ContractKind::ALL {
            let trial = Trial::new(Arc::clone(&subject), kind, DEADLINE);
            let bugs = expected(&*subject, kind);
            for Control { id, on, script } in &CONTROLS {
                if !on(&*subject) {
                    continue;
                }
                let script: Script =
                    script((*capabilities.incoming.start()).into()).parse().expect("it is a script");
                let script = Arc::new(trial.clamp(&script));
                for index in 0..CONTROL_RUNS {
                    let name = subject.name();
                    // What winds the execution down can meet with a bug of the subject's.
                    let is_known = |finding: &Finding| {
                        let mut bugs = bugs.iter();
                        finding.signature.wind_down && bugs.any(|bug| bug.is_shown_by(&finding.signature))
                    };
                    let mut findings = shown(&trial, &script, index);
                    findings.retain(|finding| !is_known(finding));
                    assert_eq!(findings, [], "{id}, on {name}, {kind:?}, schedule {index}");
                    let mut judgement = trial.on_threads(&script, index).judgement;
                    judgement.findings.retain(|finding| !is_known(finding));
                    assert_eq!(judgement.findings, [], "{id}, on {name}, {kind:?}, noise {index}");
                    assert_eq!(judgement.inconclusive, None, "{id}, on {name}, {kind:?}, noise {index}");
                }
            }
        }
    }
}

/// How often each control is run on each engine.
const CONTROL_RUNS: u64 = 25;

#[test]
fn nothing_is_called_a_hang_when_all_cores_are_busy() {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let done = AtomicBool::new(false);
    let outcomes = engine::work(1 + 2 * cores, |worker| {
        if worker > 0 {
            while !done.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
            return Vec::new();
        }
        let _done = OnDrop(|| done.store(true, Ordering::Relaxed));
        let passing = [("k8s-1321", Own), ("mux", Strict)];
        let outcomes = passing.map(|(subject, kind)| run(&campaign(trial(subject, kind), 300, 7)));
        outcomes.into()
    });
    outcomes.iter().flatten().for_each(passes);
}

/// Does it also when unwound.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// The shipped mux, with a note of each configuration it was started with.
#[derive(Default)]
struct Noting(Shared<Vec<Config>>);

impl Subject for Noting {
    fn name(&self) -> &str {
        "noting"
    }

    fn provenance(&self) -> &str {
        Shipped.provenance()
    }

    fn capabilities(&self) -> Capabilities {
        Shipped.capabilities()
    }

    fn contract(&self) -> Contract {
        Shipped.contract()
    }

    fn start(&self, config: &Config) -> Box<dyn Running> {
        self.0.with(|noted| noted.push(*config));
        Shipped.start(config)
    }
}

#[test]
fn a_seed_draws_the_same_scripts_for_any_number_of_workers() {
    let mut noted = [1, 2, 5].map(|jobs| {
        let noting = Arc::new(Noting::default());
        let campaign = campaign(Trial::new(Arc::clone(&noting) as _, Own, DEADLINE), 200, 3);
        passes(&campaign.run(Effort { jobs: Jobs::each(jobs), ..EFFORT }, &Progress::default(), &|_| {}));
        let drawn: Vec<_> = (0..200).map(|run| campaign.draw(EngineKind::Threads, run)).collect();
        (noting.0.with(std::mem::take), drawn)
    });
    for (configs, drawn) in &mut noted {
        let mut expected: Vec<Config> = drawn.iter().map(|script| script.config).collect();
        let order = |config: &Config| (config.incoming, config.queue, config.when_full);
        configs.sort_by_key(order);
        expected.sort_by_key(order);
        assert_eq!(*configs, expected, "what is drawn is what is run");
    }
    assert!(noted.windows(2).all(|pair| pair[0] == pair[1]));
}
