//! The primitives against the native ones: the same operations, with the same results, natively, through the
//! seam, and through the seam inside an execution.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::ProptestConfig;

use crate::engine::strategy::RandomWalk;
use crate::engine::threads::{self, Settings};
use crate::engine::{Body, End, Job, Next, Quiescence, Run, Shared, Status, fibers};

mod channels;
mod locks;

/// Runs the closure on a task of an execution of that engine, and gives what it gave.
fn inside<R: Send + 'static>(engine: Engine, seed: u64, f: impl Fn() -> R + Send + Sync + 'static) -> R {
    struct Once<F, R>(F, Shared<Option<R>>);
    impl<F: Fn() -> R + Send + Sync + 'static, R: Send + 'static> Body for Once<F, R> {
        fn first(self: Arc<Self>) -> Job {
            let run = move || {
                let result = (self.0)();
                self.1.with(|slot| *slot = Some(result));
            };
            Job::new("main", run)
        }

        fn quiescent(self: Arc<Self>, now: &Quiescence<'_>) -> Next {
            assert!(!now.is_anyone_blocked(), "nothing was to be blocked: {:#?}", now.state());
            Next::End
        }
    }
    let body = Arc::new(Once(f, Shared::new(None)));
    let run = engine(Arc::clone(&body) as _, seed);
    assert_eq!(run.end, End::Finished);
    if let Some(Status::Panicked(message)) = run.state.tasks.first().map(|task| &task.status) {
        panic!("{message}");
    }
    body.1.with(Option::take).expect("a task that ended left its result")
}

/// Runs a body once, by chance that is drawn from the seed.
type Engine = fn(Arc<dyn Body>, u64) -> Run;

const ENGINES: [Engine; 2] = [
    |body, seed| threads::run(body, Settings { seed, deadline: Duration::from_secs(60) }),
    |body, seed| fibers::run(body, Box::new(RandomWalk::new(seed)), 1_000_000).run,
];

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
