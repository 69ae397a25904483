use std::io::{self, Write};

use super::style::{self, FAINT, TITLE, styled};
use crate::hunt::Execution;
use crate::oracle::{Call, Finding, Origin, Outcome, Reason};

/// Writes the history as a table, a call a line: when it was called and when it returned, its task, the op and what it
/// gave. The call that shows the finding is marked, and so are those that it contradicts.
pub(super) fn write(out: &mut dyn Write, execution: &Execution, finding: &Finding) -> io::Result<()> {
    let tasks = &execution.run.state.tasks;
    let name = |call: &Call| tasks.get(call.task.0).map_or("", |task| task.name.as_str()).to_owned();
    let rows: Vec<[String; 5]> = execution
        .history
        .calls
        .iter()
        .map(|call| {
            let until = call.returned.as_ref().map_or_else(|| "never".to_owned(), |(at, _)| at.to_string());
            let events: String = call.events.clone().map(|event| format!(" #{event}")).collect();
            let wind_down = if call.origin == Origin::WindDown { " (wind-down)" } else { "" };
            let gave = call.outcome().map_or_else(String::new, returned);
            [call.called.to_string(), until, name(call), format!("{}{events}{wind_down}", call.op), gave]
        })
        .collect();
    let heads = ["called", "returned", "task", "call", "gave"].map(str::to_owned);
    let wide = |column: usize| {
        let cells = rows.iter().chain([&heads]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let wides: Vec<usize> = (0..heads.len()).map(wide).collect();
    let line = |[called, until, task, call, gave]: &[String; 5]| {
        let [a, b, c, d, _] = wides[..] else { unreachable!("there are as many widths as columns") };
        format!("{called:>a$}  {until:>b$}  {task:c$}  {call:d$}  {gave}").trim_end().to_owned()
    };
    writeln!(out, "    {}", styled(FAINT, line(&heads)))?;
    for (index, row) in rows.iter().enumerate() {
        let line = line(row);
        match () {
            () if finding.call == Some(index) => {
                let marked = format!("✗ {line}");
                writeln!(out, "  {}", styled(style::of(finding.signature.verdict), marked))?;
            }
            () if finding.against.contains(&index) => {
                writeln!(out, "  {}", styled(TITLE, format!("* {line}")))?;
            }
            () => writeln!(out, "    {line}")?,
        }
    }
    Ok(())
}

/// What the marks mean.
pub(super) fn legend(finding: &Finding) -> &'static str {
    match (finding.call, finding.against.is_empty()) {
        (Some(_), false) => " (✗ contradicts what is marked *)",
        (Some(_), true) => " (✗ breaks it)",
        (None, _) => "",
    }
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
