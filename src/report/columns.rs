//! An interleaving in columns: one a task, time running down.

use std::io::{self, Write};

use super::calls::returned;
use super::style::{self, FAINT, TITLE, styled, wrap};
use super::{Layout, steps};
use crate::engine::trace::Effect;
use crate::engine::words::place;
use crate::engine::{Status, TaskId};
use crate::hunt::Interleaving;
use crate::oracle::{Outcome, Verdict};

/// What marks a step that is never gone on from.
const MARK: &str = "✗ ";

/// How wide the mark is.
const MARK_WIDTH: usize = 2;

/// What is before the first column, and between two.
const GAP: usize = 2;

/// The least width of a column that can be read.
const NARROWEST: usize = 22;

/// The least width of a column beside which places fit.
const ROOMY: usize = 34;

/// How many steps are shown at most: those before are left out.
const MOST_STEPS: usize = 60;

/// Writes the steps that matter; nothing if there are none. Those after the call that shows the finding do not.
pub(super) fn write(
    out: &mut dyn Write,
    interleaving: &Interleaving,
    shown_by: Option<usize>,
    layout: Layout,
) -> io::Result<()> {
    let columns = Columns::new(interleaving, shown_by, layout);
    let (shown, all) = (columns.steps.len(), interleaving.trace.steps.len());
    if shown == 0 {
        return Ok(());
    }
    let title = styled(TITLE, "Interleaving");
    let mark = match (shown_by.is_some(), columns.stuck.is_empty()) {
        (true, _) => " (✗ is what is wrong)",
        (false, false) => " (✗ never goes on)",
        (false, true) => "",
    };
    writeln!(out, "\n{title}, {shown} of {all} steps{mark}:")?;
    if columns.steps.iter().any(|step| unwinds(interleaving, *step)) {
        for line in wrap("what a panic unwound stands before it", layout.width - GAP) {
            writeln!(out, "  {}", styled(FAINT, line))?;
        }
    }
    columns.header(out)?;
    let mut before: Option<usize> = None;
    if columns.left_out > 0 {
        writeln!(out, "  {}", styled(FAINT, format!("… {} steps before", columns.left_out)))?;
    }
    for step in columns.steps.iter().copied() {
        columns.switch(out, before, step)?;
        columns.step(out, step)?;
        before = Some(step);
    }
    Ok(())
}

struct Columns<'a> {
    interleaving: &'a Interleaving,
    /// Those that are shown.
    steps: Vec<usize>,
    left_out: usize,
    /// Those that are never gone on from.
    stuck: Vec<usize>,
    /// The call that shows the finding, if it returned.
    shown_by: Option<usize>,
    tasks: Vec<TaskId>,
    /// One a task; or one for all, with names in it, where there are too many to be read.
    columns: usize,
    /// Of each column, with its mark.
    width: usize,
    /// Where the last column ends.
    end: usize,
    /// Of the column of places; 0 if there is none.
    places: usize,
}

impl<'a> Columns<'a> {
    fn new(interleaving: &'a Interleaving, shown_by: Option<usize>, layout: Layout) -> Columns<'a> {
        let all = &interleaving.trace.steps;
        let shown_by = shown_by.filter(|call| interleaving.spans[*call].returned.is_some());
        let end = shown_by.and_then(|call| interleaving.spans[call].returned);
        let end = end.map_or(all.len(), |last| last + 1);
        let mut steps: Vec<usize> = (0..end).filter(|step| is_told(interleaving, *step)).collect();
        let left_out = steps.len().saturating_sub(MOST_STEPS);
        steps.drain(..left_out);
        let mut tasks: Vec<TaskId> = steps.iter().map(|step| all[*step].task).collect();
        // Those that the script is of come first.
        let calls =
            |task: &TaskId| interleaving.execution.history.calls.iter().any(|call| call.task == *task);
        tasks.sort_by_key(|task| (!calls(task), *task));
        tasks.dedup();
        let is_shown = |step: &usize| *step < end;
        let stuck = tasks.iter().filter_map(|task| stuck(interleaving, *task)).filter(is_shown).collect();
        let places = steps.iter().filter_map(|step| interleaving.steps[*step].location);
        let places = places.map(|location| short(&place(location)).chars().count()).max().unwrap_or(0);
        let with_places = layout.width.saturating_sub(places + GAP);
        let width_of = |room: usize, columns: usize| (room / columns.max(1)).saturating_sub(GAP);
        let (columns, width, places) = match tasks.len() {
            some if width_of(with_places, some) >= ROOMY => (some, width_of(with_places, some), places),
            some if width_of(layout.width, some) >= NARROWEST => (some, width_of(layout.width, some), 0),
            _ => (1, width_of(with_places, 1), places),
        };
        let end = columns * (width + GAP);
        Columns { interleaving, steps, left_out, stuck, shown_by, tasks, columns, width, end, places }
    }

    fn has_columns(&self) -> bool {
        self.columns == self.tasks.len()
    }

    fn column(&self, task: TaskId) -> usize {
        self.tasks.iter().position(|other| *other == task).unwrap_or(0)
    }

    fn header(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.has_columns() {
            return Ok(());
        }
        let mut line = String::new();
        for (column, task) in self.tasks.iter().enumerate() {
            let name = cut(self.interleaving.trace.name(*task), self.width - MARK_WIDTH);
            let padding = " ".repeat(self.start(column) - line.chars().count());
            line += &format!("{padding}{name}");
        }
        writeln!(out, "{}", styled(TITLE, line))
    }

    /// Where the text of a column begins.
    fn start(&self, column: usize) -> usize {
        GAP + column * (self.width + GAP) + MARK_WIDTH
    }

    /// Why it is another task that goes on.
    fn switch(&self, out: &mut dyn Write, before: Option<usize>, step: usize) -> io::Result<()> {
        let all = &self.interleaving.trace.steps;
        let task = all[step].task;
        if before.is_some_and(|before| all[before].task == task) {
            return Ok(());
        }
        let first = before.map_or(0, |before| before + 1);
        let same = (first..=step).rev().take_while(|step| all[*step].task == task).last().unwrap_or(step);
        if let Some(why) = steps::why(self.interleaving, same).filter(|_| before.is_some()) {
            writeln!(out, "  {}", styled(FAINT, format!("··· {}", why.replace('`', ""))))?;
        }
        if self.has_columns() {
            return Ok(());
        }
        writeln!(out, "  {}", styled(TITLE, self.interleaving.trace.name(task)))
    }

    fn step(&self, out: &mut dyn Write, step: usize) -> io::Result<()> {
        let interleaving = self.interleaving;
        let calls = &interleaving.execution.history.calls;
        let task = interleaving.trace.steps[step].task;
        let location = interleaving.steps[step].location.map(|location| short(&place(location)));
        for call in interleaving.called_in(step) {
            self.cell(out, task, "", &calls[call].op.to_string(), Look::Op, None)?;
        }
        let inside = if interleaving.steps[step].call.is_some() { "  " } else { "" };
        let effects = steps::effects(interleaving, step, &|effect| is_shown(interleaving, step, effect));
        let last = effects.len().saturating_sub(1);
        for (index, effect) in effects.iter().enumerate() {
            let stuck = index == last && self.stuck.contains(&step);
            let look = if stuck { Look::Wrong } else { Look::Plain };
            let location = location.as_deref().filter(|_| index == 0 || stuck);
            self.cell(out, task, inside, effect, look, location)?;
            // Where there is no room for places, those of the lines that never go on are told all the same.
            if let Some(place) = location.filter(|_| stuck && self.places == 0) {
                self.cell(out, task, &format!("{inside}  "), &format!("at {place}"), Look::Plain, None)?;
            }
        }
        for call in interleaving.returned_in(step) {
            if let Some(outcome) = calls[call].outcome() {
                let look = if self.shown_by == Some(call) { Look::Wrong } else { Look::Plain };
                self.cell(out, task, "  ", &format!("→ {}", returned(outcome)), look, None)?;
            }
        }
        Ok(())
    }

    /// Text in the column of a task.
    fn cell(
        &self,
        out: &mut dyn Write,
        task: TaskId,
        indent: &str,
        text: &str,
        look: Look,
        location: Option<&str>,
    ) -> io::Result<()> {
        let column = if self.has_columns() { self.column(task) } else { 0 };
        let (start, width) = (self.start(column), self.width - MARK_WIDTH);
        let text = if self.width < ROOMY { without_kinds(text) } else { text.to_owned() };
        for (index, line) in wrap(&text, width.saturating_sub(indent.len()).max(1)).iter().enumerate() {
            let hanging = if index > 0 { "  " } else { "" };
            let line = format!("{indent}{hanging}{line}");
            let mark = if look == Look::Wrong && index == 0 { MARK } else { "  " };
            let before = " ".repeat(start - MARK_WIDTH);
            let location = location.filter(|_| index == 0 && self.places > 0).map(|location| {
                let after = self.end.saturating_sub(start + line.chars().count());
                format!("{}{}", " ".repeat(after), styled(FAINT, location))
            });
            let location = location.unwrap_or_default();
            match look {
                Look::Op => writeln!(out, "{before}{mark}{}{location}", styled(TITLE, line))?,
                Look::Wrong => {
                    let line = styled(style::of(Verdict::Hang), format!("{mark}{line}"));
                    writeln!(out, "{before}{line}{location}")?;
                }
                Look::Plain => writeln!(out, "{before}{mark}{line}{location}")?,
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Op,
    Plain,
    Wrong,
}

/// Without the words for what kinds of things have the names.
fn without_kinds(text: &str) -> String {
    ["channel", "lock", "condition variable", "wait group"]
        .iter()
        .fold(text.to_owned(), |text, kind| text.replace(&format!("{kind} `"), "`"))
}

/// Whether a reader needs the step: it does something that others could notice, and not only to the harness.
fn is_told(interleaving: &Interleaving, step: usize) -> bool {
    let is_edge = interleaving.called_in(step).chain(interleaving.returned_in(step)).next().is_some();
    let effects = || steps::effects(interleaving, step, &|effect| is_shown(interleaving, step, effect));
    interleaving.steps[step].matters && (is_edge || !effects().is_empty())
}

/// Whether an effect says anything: that the harness's tasks begin and end does not.
fn is_shown(interleaving: &Interleaving, step: usize, effect: &Effect) -> bool {
    match effect {
        Effect::Started(_) => interleaving.is_of_code(),
        Effect::Ended => false,
        // What the harness lets go of is let go of by nobody's doing.
        Effect::NoSender(_) | Effect::NoReceiver(_) => interleaving.steps[step].location.is_some(),
        _ => true,
    }
}

/// Whether the step panics and lets something go, which is not told apart from what it did before.
fn unwinds(interleaving: &Interleaving, step: usize) -> bool {
    let effects = &interleaving.trace.steps[step].effects;
    let calls = &interleaving.execution.history.calls;
    let mut returned = interleaving.returned_in(step).filter_map(|call| calls[call].outcome());
    let panics = effects.contains(&Effect::Panicked)
        || returned.any(|outcome| matches!(outcome, Outcome::Panicked(_)));
    let lets_go = |effect: &Effect| {
        matches!(effect, Effect::Released(_) | Effect::NoSender(_) | Effect::NoReceiver(_))
            && is_shown(interleaving, step, effect)
    };
    panics && !steps::effects(interleaving, step, &lets_go).is_empty()
}

/// The step that a task never goes on from, if it is blocked in the end or has panicked.
fn stuck(interleaving: &Interleaving, task: TaskId) -> Option<usize> {
    let status = &interleaving.execution.run.state.tasks.get(task.0)?.status;
    let is_it = |effect: &Effect| match status {
        Status::Blocked(_) => *effect == Effect::Waits,
        Status::Panicked(_) => *effect == Effect::Panicked,
        Status::Running | Status::Ended => false,
    };
    let steps = &interleaving.trace.steps;
    steps.iter().rposition(|step| step.task == task && step.effects.iter().any(is_it))
}

/// A place without the folders.
fn short(place: &str) -> String {
    place.rsplit(['/', '\\']).next().unwrap_or(place).to_owned()
}

/// As much of a text as there is room for.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}
