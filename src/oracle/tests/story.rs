//! Histories and states in a few words, for the tests of the oracle.
//!
//! A story is a list of steps, `;` or a line each: `WHO: OP ARGUMENTS = OUTCOME`. `WHO` is `s` for the setup, a
//! lane's number (0, if left out), or `w0` and so on for the wind-down. Without an outcome the op does what it is
//! for; with `...` it does not return, until a step `WHO: => OUTCOME` (or `WHO: =>`) says so.

use std::panic::Location;

use super::super::blocked::is_blocked_in;
use super::super::{
    Call, Closed, Context, Contract, Delivery, Finding, History, Judgement, Origin, Outcome, Reason,
    WatcherId, all_may_be_blocked, blocked, judge,
};
use crate::engine::{
    End, Notification, Object, ObjectId, ObjectKind, Run, State, Status, Target, Task, TaskId, Wait,
};
use crate::script::{Config, Op, OpSet, Script, Slot, WhenFull};
use crate::subject::Capabilities;

const LANES: usize = 8;

pub(in crate::oracle) struct Story {
    pub(in crate::oracle) history: History,
    pub(in crate::oracle) script: Script,
    pub(in crate::oracle) contract: Contract,
    pub(in crate::oracle) capabilities: Capabilities,
    slots: [Option<WatcherId>; Slot::COUNT],
    watchers: usize,
}

/// What these steps record, with room for nothing, under the strict contract.
pub(in crate::oracle) fn story(steps: &str) -> Story {
    let mut story = Story {
        history: History::default(),
        script: Script {
            config: Config { incoming: 0, queue: 0, when_full: WhenFull::Wait },
            setup: Vec::new(),
            lanes: Vec::new(),
        },
        contract: Contract::strict(),
        capabilities: Capabilities {
            ops: OpSet::ALL,
            incoming: 0..=255,
            incoming_as_queue: false,
            queue: 0..=255,
            when_full: &WhenFull::ALL,
            when_full_per_watcher: true,
            prefix: true,
            stop_from_another_task: true,
            values: true,
            closes_with_last_watcher: false,
            shares_events: false,
        },
        slots: [None; Slot::COUNT],
        watchers: 0,
    };
    for step in steps.split([';', '\n']).map(str::trim).filter(|step| !step.is_empty()) {
        story.step(step);
    }
    story
}

impl Story {
    pub(in crate::oracle) fn incoming(mut self, capacity: u8) -> Story {
        self.script.config.incoming = capacity;
        self
    }

    pub(in crate::oracle) fn queue(mut self, capacity: u8) -> Story {
        self.script.config.queue = capacity;
        self
    }

    pub(in crate::oracle) fn under(mut self, contract: Contract) -> Story {
        self.contract = contract;
        self
    }

    pub(in crate::oracle) fn context(&self) -> Context<'_> {
        Context { script: &self.script, capabilities: &self.capabilities, contract: &self.contract }
    }

    /// What is found at this quiescence; the ops that have not returned are blocked, and these words say in what.
    pub(in crate::oracle) fn blocked(&self, words: &str) -> Vec<Finding> {
        blocked(&self.context(), &self.history, &self.state(words))
    }

    pub(in crate::oracle) fn judged(&self, end: End, words: &str) -> Judgement {
        let state = self.state(words);
        let run = Run { end, state, sync_points: 0, forgotten: 0, stacks: crate::engine::Stacks::default() };
        judge(&self.context(), &self.history, &run)
    }

    /// The history keeps every rule.
    #[track_caller]
    pub(in crate::oracle) fn passes(&self) {
        assert_eq!(self.judged(End::Finished, "").findings, []);
    }

    /// The history breaks one rule, and this is how.
    #[track_caller]
    pub(in crate::oracle) fn breaks(&self, shape: &str) {
        let findings = self.judged(End::Finished, "").findings;
        let shapes: Vec<_> = findings.iter().map(|finding| finding.signature.shape.as_str()).collect();
        assert_eq!(shapes, [shape]);
    }

    /// Each op that is blocked may be.
    #[track_caller]
    pub(in crate::oracle) fn may_be_blocked(&self) {
        assert_eq!(self.blocked(""), []);
    }

    /// The ops of these kinds, and no others, may not be blocked.
    #[track_caller]
    pub(in crate::oracle) fn hangs(&self, kinds: &[&str]) {
        let findings = self.blocked("");
        let found: Vec<_> = findings.iter().map(|finding| finding.signature.op.unwrap().name()).collect();
        assert_eq!(found, kinds);
        assert!(!self.plainly_may_be_blocked());
    }

    /// That each op that is blocked may be is said without looking at what it waits for.
    pub(in crate::oracle) fn plainly_may_be_blocked(&self) -> bool {
        let state = self.state("");
        all_may_be_blocked(&self.context(), &self.history, &is_blocked_in(&state))
    }

    fn step(&mut self, step: &str) {
        let (who, what) = match step.split_once(':') {
            Some((who, what)) => (who.trim(), what.trim()),
            None => ("0", step),
        };
        let (origin, task) = match who.strip_prefix('w') {
            _ if who == "s" => (Origin::Setup, 0),
            Some(number) => (Origin::WindDown, 1 + LANES + number.parse::<usize>().unwrap()),
            None => (Origin::Lane(who.parse().unwrap()), 1 + who.parse::<usize>().unwrap()),
        };
        if let Some(outcome) = what.strip_prefix("=>") {
            self.end(TaskId(task), outcome.trim());
        } else if let Some(what) = what.strip_suffix("...") {
            self.begin(TaskId(task), origin, what.trim());
        } else {
            let (what, outcome) = what.split_once('=').unwrap_or((what, ""));
            self.begin(TaskId(task), origin, what.trim());
            self.end(TaskId(task), outcome.trim());
        }
    }

    fn tick(&mut self) -> u64 {
        self.history.clock += 1;
        self.history.clock
    }

    fn begin(&mut self, task: TaskId, origin: Origin, what: &str) {
        let mut words = what.split_whitespace();
        let kind = words.next().unwrap();
        let letter = words.clone().next().and_then(|word| Slot::from_name(word.chars().next()?));
        let slot = letter.unwrap_or(Slot::new(0));
        let numbers: Vec<u32> = words.clone().filter_map(|word| word.parse().ok()).collect();
        let events = numbers.first().map_or(0..0, |first| *first..first + numbers.len() as u32);
        assert!(events.clone().eq(numbers), "events follow one another: {what}");
        let op = match kind {
            "watch" => Op::Watch {
                slot,
                prefix: events.len() as u8,
                when_full: WhenFull::ALL
                    .into_iter()
                    .find(|policy| words.clone().any(|word| word == policy.name())),
            },
            "action" => Op::Action,
            "try-action" => Op::TryAction,
            "recv" => Op::Recv(slot),
            "try-recv" => Op::TryRecv(slot),
            "stop" => Op::Stop(slot),
            "drop" => Op::Drop(slot),
            "close" => Op::Close,
            "shutdown" => Op::Shutdown,
            _ => panic!("no op: {what}"),
        };
        if let Op::Watch { .. } = op {
            self.slots[slot.index()] = Some(WatcherId(self.watchers));
            self.watchers += 1;
        }
        let watcher = op.slot().and_then(|slot| self.slots[slot.index()]);
        let called = self.tick();
        self.history.calls.push(Call { task, origin, op, watcher, events, called, returned: None });
    }

    fn end(&mut self, task: TaskId, outcome: &str) {
        let now = self.tick();
        let pending = |call: &&mut Call| call.task == task && call.returned.is_none();
        let call = self.history.calls.iter_mut().find(pending).unwrap();
        call.returned = Some((now, read_outcome(call, outcome)));
    }

    /// A state in words, `;` between them: `TASK WAIT X | WAIT Y`, `TASK panicked WORDS`, `X held-by TASK…`,
    /// `X read-by TASK…`, `X sent-by TASK…`, `X received-by TASK…`, `X notified-by TASK WOKEN`.
    pub(in crate::oracle) fn state(&self, words: &str) -> State {
        let mut state = StateBuilder::new(self);
        for clause in words.split(';').map(str::trim).filter(|clause| !clause.is_empty()) {
            state.clause(clause);
        }
        state.state
    }
}

fn read_outcome(call: &Call, text: &str) -> Outcome {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let number = |text: &str| text.trim_start_matches(['#', '+']).parse::<u64>().ok();
    match (word, call.op) {
        ("skipped", _) => Outcome::Skipped,
        ("refused", _) => Outcome::Refused(rest.parse().ok()),
        ("full", _) => Outcome::Full(rest.parse().ok()),
        ("empty", _) => Outcome::Empty,
        ("panicked", _) => Outcome::Panicked(rest.to_owned()),
        ("closed", _) => Outcome::Closed(Closed {
            reason: match rest.split(' ').next() {
                Some("stopped") => Some(Reason::Stopped),
                Some("shutdown") => Some(Reason::Shutdown),
                Some("too-slow") => Some(Reason::TooSlow),
                Some("event-panicked") => Some(Reason::EventPanicked),
                _ => None,
            },
            missed: rest.split(' ').find(|word| word.starts_with('+')).and_then(number),
        }),
        (_, Op::Watch { .. }) => Outcome::Joined(call.watcher.map(|watcher| ObjectId(watcher.0))),
        (place, Op::Action | Op::TryAction) => Outcome::Accepted(number(place)),
        (event, Op::Recv(_) | Op::TryRecv(_)) => Outcome::Delivered(Delivery {
            event: event.parse().ok(),
            seq: rest.split(' ').find(|word| word.starts_with('#')).and_then(number),
            missed: rest.split(' ').find(|word| word.starts_with('+')).and_then(number),
        }),
        (_, Op::Stop(_) | Op::Drop(_) | Op::Close | Op::Shutdown) => Outcome::Done,
    }
}

struct StateBuilder<'a> {
    story: &'a Story,
    state: State,
}

impl StateBuilder<'_> {
    fn new(story: &Story) -> StateBuilder<'_> {
        let names = std::iter::once("setup".to_owned())
            .chain((0..LANES).map(|lane| format!("lane{lane}")))
            .chain((0..LANES).map(|task| format!("wind-down{task}")));
        let tasks = names.map(|name| Task { name, status: Status::Ended }).collect();
        let mut builder = StateBuilder { story, state: State { tasks, objects: Vec::new() } };
        for call in story.history.calls.iter().filter(|call| call.returned.is_none()) {
            builder.state.tasks[call.task.0].status = Status::Blocked(Vec::new());
        }
        for _ in 0..Slot::COUNT {
            builder.object(ObjectKind::Channel(Some(0)), None);
        }
        builder
    }

    fn clause(&mut self, clause: &str) {
        let words: Vec<&str> = clause.split_whitespace().collect();
        let tasks = |builder: &mut Self| words[2..].iter().map(|name| builder.task(name)).collect();
        match words[1] {
            "held-by" | "read-by" | "sent-by" | "received-by" => {
                let tasks: Vec<TaskId> = tasks(self);
                let ObjectId(object) = self.named(words[0]);
                let object = &mut self.state.objects[object];
                match words[1] {
                    "held-by" => object.holders = tasks,
                    "read-by" => (object.holders, object.shared) = (tasks, true),
                    "sent-by" => object.senders = tasks,
                    _ => object.receivers = tasks,
                }
            }
            "notified-by" => {
                let (by, ObjectId(object)) = (self.task(words[2]), self.named(words[0]));
                let woken = words[3].parse().unwrap();
                let notification = Notification { by, location: Location::caller(), woken };
                self.state.objects[object].notified = Some(notification);
            }
            "panicked" => {
                let TaskId(task) = self.task(words[0]);
                self.state.tasks[task].status = Status::Panicked(words[2..].join(" "));
            }
            _ => {
                let TaskId(task) = self.task(words[0]);
                let waits = words[1..].split(|word| *word == "|").map(|wait| self.wait(wait[0], wait[1]));
                self.state.tasks[task].status = Status::Blocked(waits.collect());
            }
        }
    }

    fn wait(&mut self, kind: &str, what: &str) -> Wait {
        let target = match kind {
            "send" => Target::Send(self.named(what)),
            "recv" => Target::Recv(self.named(what)),
            "lock" => Target::Lock(self.named(what)),
            "read" => Target::Read(self.named(what)),
            "notify" => Target::Notify(self.named(what)),
            "join" => Target::Join(self.task(what)),
            _ => panic!("no wait: {kind}"),
        };
        Wait { target, location: Location::caller() }
    }

    fn task(&mut self, name: &str) -> TaskId {
        let known = self.state.tasks.iter().position(|task| task.name == name);
        TaskId(known.unwrap_or_else(|| {
            self.state.tasks.push(Task { name: name.to_owned(), status: Status::Ended });
            self.state.tasks.len() - 1
        }))
    }

    /// The channel of the watcher in a slot, or the object of this name, whose kind is in it.
    fn named(&mut self, name: &str) -> ObjectId {
        let letter = name.chars().next().and_then(Slot::from_name).filter(|_| name.len() == 1);
        if let Some(slot) = letter {
            return ObjectId(self.story.slots[slot.index()].unwrap().0);
        }
        let known = self.state.objects.iter().position(|object| object.name.as_deref() == Some(name));
        let kind = match name {
            _ if name.starts_with("rw") => ObjectKind::RwLock,
            _ if name.starts_with("lock") => ObjectKind::Mutex,
            _ if name.starts_with("cond") => ObjectKind::Condvar,
            _ => ObjectKind::Channel(Some(0)),
        };
        ObjectId(known.unwrap_or_else(|| self.object(kind, Some(name.to_owned()))))
    }

    fn object(&mut self, kind: ObjectKind, name: Option<String>) -> usize {
        self.state.objects.push(Object {
            kind,
            name,
            made: Location::caller(),
            holders: Vec::new(),
            shared: false,
            notified: None,
            senders: Vec::new(),
            receivers: Vec::new(),
        });
        self.state.objects.len() - 1
    }
}
