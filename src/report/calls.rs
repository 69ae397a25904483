use std::io::{self, Write};

use super::style::{FAINT, styled};
use crate::hunt::Execution;
use crate::oracle::{Call, Origin, Outcome, Reason};

/// Writes the calls, a line each: when it was called and when it returned, its task, the op and what it gave.
pub(super) fn write(out: &mut dyn Write, execution: &Execution) -> io::Result<()> {
    let tasks = &execution.run.state.tasks;
    let name = |call: &Call| tasks.get(call.task.0).map_or("", |task| task.name.as_str());
    let wide = execution.history.calls.iter().map(|call| name(call).len()).max().unwrap_or(0);
    for call in &execution.history.calls {
        let until = call.returned.as_ref().map_or_else(|| "…".to_owned(), |(at, _)| at.to_string());
        let stamps = styled(FAINT, format!("{:>4}–{until:<4}", call.called));
        let events: String = call.events.iter().map(|event| format!(" #{event}")).collect();
        let returned = call.outcome().map(|outcome| format!(" → {}", returned(outcome))).unwrap_or_default();
        let wind_down = if call.origin == Origin::WindDown { " (wind-down)" } else { "" };
        writeln!(out, "  {stamps} {:wide$}  {}{events}{returned}{wind_down}", name(call), call.op)?;
    }
    Ok(())
}

/// In words.
pub(super) fn returned(outcome: &Outcome) -> String {
    let seq = |seq: Option<u64>| seq.map(|seq| format!("seq {seq}"));
    let missed = |missed: Option<u64>| missed.filter(|n| *n > 0).map(|n| format!("missed {n}"));
    let with = |text: String, details: [Option<String>; 2]| {
        let details: Vec<String> = details.into_iter().flatten().collect();
        if details.is_empty() { text } else { format!("{text} ({})", details.join(", ")) }
    };
    match outcome {
        Outcome::Skipped => "skipped".to_owned(),
        Outcome::Joined(_) => "joined".to_owned(),
        Outcome::Accepted(at) => with("accepted".to_owned(), [seq(*at), None]),
        Outcome::Refused(_) => "refused".to_owned(),
        Outcome::Full(_) => "full".to_owned(),
        Outcome::Delivered(delivery) => {
            let event = delivery.event.map_or_else(|| "an event".to_owned(), |event| format!("#{event}"));
            with(event, [seq(delivery.seq), missed(delivery.missed)])
        }
        Outcome::Empty => "empty".to_owned(),
        Outcome::Closed(closed) => {
            let reason = closed.reason.map(|reason| match reason {
                Reason::Stopped => "stopped".to_owned(),
                Reason::Shutdown => "shutdown".to_owned(),
                Reason::TooSlow => "too slow".to_owned(),
                Reason::EventPanicked => "event panicked".to_owned(),
            });
            with("closed".to_owned(), [reason, missed(closed.missed)])
        }
        Outcome::Done => "done".to_owned(),
        Outcome::Panicked(message) => format!("panicked: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{Closed, Delivery};

    #[test]
    fn what_an_op_returned_is_told_in_words() {
        let delivery = Delivery { event: Some(3), seq: Some(2), missed: Some(1) };
        assert_eq!(returned(&Outcome::Delivered(delivery)), "#3 (seq 2, missed 1)");
        let closed = Closed { reason: Some(Reason::TooSlow), missed: Some(0) };
        assert_eq!(returned(&Outcome::Closed(closed)), "closed (too slow)");
        assert_eq!(returned(&Outcome::Accepted(None)), "accepted");
    }
}
