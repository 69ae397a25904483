//! Calling an op on the subject.

use super::desk::Tools;
use crate::oracle::{Closed, Delivery, EventId, Outcome};
use crate::script::{Config, Op};
use crate::subject::{Payload, Received, Refused, TryRefused};
use crate::sync;

/// Calls the op, with what the desk has handed out for it.
pub(super) fn call(op: Op, tools: &mut Tools, config: &Config) -> Outcome {
    match op {
        Op::Watch { when_full, .. } => {
            let prefix = std::mem::take(&mut tools.prefix);
            match tools.mux().watch(prefix, when_full.unwrap_or(config.when_full)) {
                Ok(watching) => {
                    let channel = watching.channel();
                    tools.stopper = watching.stopper();
                    tools.watching = Some(watching);
                    Outcome::Joined(channel)
                }
                Err(Refused(event)) => Outcome::Refused(event.map(number)),
            }
        }
        Op::Action => {
            let event = tools.event.take().expect("an action brings an event");
            match tools.mux().action(event) {
                Ok(seq) => Outcome::Accepted(seq),
                Err(Refused(event)) => Outcome::Refused(event.map(number)),
            }
        }
        Op::TryAction => {
            let event = tools.event.take().expect("an action brings an event");
            match tools.mux().try_action(event) {
                Ok(seq) => Outcome::Accepted(seq),
                Err(TryRefused::Full(event)) => Outcome::Full(event.map(number)),
                Err(TryRefused::Closed(event)) => Outcome::Refused(event.map(number)),
            }
        }
        Op::Recv(_) => received(tools.watching().recv().map(Some)),
        Op::TryRecv(_) => received(tools.watching().try_recv()),
        Op::Stop(_) => {
            match &tools.stopper {
                Some(stopper) => stopper.stop(),
                None => tools.watching().stop(),
            }
            Outcome::Done
        }
        Op::Drop(_) => {
            drop(tools.watching.take());
            Outcome::Done
        }
        Op::Close => {
            tools.mux().close();
            Outcome::Done
        }
        Op::Shutdown => {
            tools.mux().shutdown();
            Outcome::Done
        }
    }
}

fn received(result: Result<Option<Received>, Closed>) -> Outcome {
    match result {
        Ok(Some(Received { event, seq, missed })) => {
            Outcome::Delivered(Delivery { event: event.map(number), seq, missed })
        }
        Ok(None) => Outcome::Empty,
        Err(closed) => Outcome::Closed(closed),
    }
}

/// The number of an event that the subject has let go.
fn number(event: Payload) -> EventId {
    let id = event.id();
    // A planned panic comes from the reader's own `Drop` here, and must not hide what was received.
    let _ = sync::catch_unwind(|| drop(event));
    id
}
