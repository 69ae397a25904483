//! Scopes: what borrows from a task that is unwound, and panics.

use super::*;
use crate::sync::catch_unwind;

/// Says so when it is dropped.
struct Says<'a>(&'static str, &'a Shared<Vec<&'static str>>);

impl Drop for Says<'_> {
    fn drop(&mut self) {
        self.1.with(|said| said.push(self.0));
    }
}

#[test]
fn whoever_is_unwound_waits_for_those_that_borrow_from_it() {
    for run in ENGINES {
        let said = Arc::new(Shared::new(Vec::new()));
        let saying = Arc::clone(&said);
        let body = move || {
            let _parent = Says("the parent", &saying);
            let lock = Mutex::new(());
            // Whoever holds a lock is told to unwind first.
            let _held = lock.lock();
            thread::scope(|scope| {
                scope.spawn(|| {
                    let _child = Says("a child", &saying);
                    let _ = catch_unwind(|| drop(lock.lock()));
                });
            });
        };
        let run = run(Arc::new(Only(body)), 0);
        assert_eq!((run.end, run.forgotten), (End::Quiescent, 0));
        assert_eq!(said.with(std::mem::take), ["a child", "the parent"]);
    }
}

#[test]
fn a_scope_panics_if_a_thread_did_that_was_not_joined() {
    fn panics(joins: bool) -> Option<String> {
        let scope = || {
            thread::scope(|scope| {
                let child = scope.spawn(|| resume_unwind(Box::new("no reason")));
                if joins {
                    let _: thread::Result<()> = child.join();
                }
            });
        };
        let payload = catch_unwind(scope).err()?;
        Some(payload.downcast_ref::<&str>().map_or_else(String::new, |message| (*message).to_owned()))
    }
    for joins in [false, true] {
        let natively = panics(joins);
        assert_eq!(natively.is_some(), !joins);
        for run in ENGINES {
            let seen = Arc::new(Shared::new(None));
            let see = Arc::clone(&seen);
            run(Arc::new(Only(move || see.with(|seen| *seen = Some(panics(joins))))), 0);
            assert_eq!(seen.with(Option::take), Some(natively.clone()));
        }
    }
}
