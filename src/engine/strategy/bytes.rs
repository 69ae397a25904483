use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::{Shared, TaskId};
use super::{Point, Strategy};

/// The choices of an execution, as bytes have them: each is taken modulo what is possible, and 0 goes on with the task that
/// is going on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// What is chosen where each op begins, by its number; 0 for those that are missing.
    pub ops: Vec<u8>,
    /// What is chosen at all other points, one after the other; 0 from its end on.
    pub tail: Vec<u8>,
}

/// Takes its choices from bytes, as a fuzzer gives them: modulo the number of alternatives, a byte for each choice between
/// several. Where an op of the script begins it takes that op's own, so that a change to one op leaves the choices of all
/// others as they are; elsewhere the next of the tail. After the last one it goes on with alternative 0.
#[derive(Clone, Debug)]
pub struct Bytes {
    choices: Choices,
    /// How many of the tail were taken.
    taken: usize,
    cue: Cue,
}

impl Bytes {
    /// Takes them from these, and is told by the cue which op begins.
    pub fn new(choices: Choices, cue: Cue) -> Bytes {
        Bytes { choices, taken: 0, cue }
    }
}

impl Strategy for Bytes {
    fn choose(&mut self, point: &Point<'_>) -> usize {
        let op = self.cue.take();
        let several = point.alternatives.len();
        if several == 1 {
            return 0;
        }
        let byte = match op {
            Some(op) => self.choices.ops.get(op),
            None => {
                self.taken += 1;
                self.choices.tail.get(self.taken - 1)
            }
        };
        usize::from(byte.copied().unwrap_or(0)) % several
    }
}

/// Chooses as another strategy does, and spells it in bytes: [`Bytes`] then makes the same choices. Of several hundred
/// alternatives the last cannot be spelled.
///
/// Clones share what is spelled: one of them is given to the engine, and another is asked afterwards.
#[derive(Clone, Debug)]
pub struct Spelled<S> {
    strategy: S,
    cue: Cue,
    choices: Arc<Shared<Choices>>,
}

impl<S> Spelled<S> {
    /// Spells the choices of that strategy; the cue tells which op begins.
    pub fn new(strategy: S, cue: Cue) -> Spelled<S> {
        Spelled { strategy, cue, choices: Arc::default() }
    }

    /// Takes what was spelled so far.
    pub fn take(&self) -> Choices {
        let mut choices = self.choices.with(std::mem::take);
        // After its end a tail goes on with zeros.
        let length = choices.tail.iter().rposition(|choice| *choice != 0).map_or(0, |last| last + 1);
        choices.tail.truncate(length);
        choices
    }
}

impl<S: Strategy> Strategy for Spelled<S> {
    fn started(&mut self, task: TaskId, given: Option<&str>) {
        self.strategy.started(task, given);
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        let op = self.cue.take();
        let several = point.alternatives.len();
        let chosen = self.strategy.choose(point) % several;
        if several > 1 {
            let byte = u8::try_from(chosen).unwrap_or(u8::MAX);
            self.choices.with(|choices| match op {
                Some(op) => {
                    let length = choices.ops.len().max(op + 1);
                    choices.ops.resize(length, 0);
                    choices.ops[op] = byte;
                }
                None => choices.tail.push(byte),
            });
        }
        chosen
    }
}

/// Tells a strategy that the next choice is made where an op begins. Clones tell the same one.
#[derive(Clone, Debug, Default)]
pub struct Cue(Arc<AtomicUsize>);

impl Cue {
    /// The op of this number begins.
    pub fn give(&self, op: usize) {
        self.0.store(op + 1, Ordering::Relaxed);
    }

    /// The number of the op that begins, if one does; told once.
    pub fn take(&self) -> Option<usize> {
        self.0.swap(0, Ordering::Relaxed).checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::RandomWalk;
    use super::super::testing::{branches, tasks};
    use super::*;

    fn bytes(ops: &[u8], tail: &[u8]) -> (Bytes, Cue) {
        let cue = Cue::default();
        let choices = Choices { ops: ops.to_vec(), tail: tail.to_vec() };
        (Bytes::new(choices, cue.clone()), cue)
    }

    fn several_tasks(several: usize) -> Vec<usize> {
        (0..several).collect()
    }

    #[test]
    fn a_byte_is_taken_where_there_is_a_choice_modulo_the_alternatives() {
        let (mut bytes_of_tail, _) = bytes(&[], &[4, 0, 255]);
        let mut choose = |several| tasks(&several_tasks(several), |point| bytes_of_tail.choose(point));
        assert_eq!([choose(3), choose(1), choose(2), choose(255)], [1, 0, 0, 0]);
        assert_eq!(choose(7), 0, "after the end");
        let (mut bytes, _) = bytes(&[], &[5]);
        assert_eq!(branches(3, |point| bytes.choose(point)), 2);
    }

    #[test]
    fn what_is_spelled_chooses_the_same() {
        let points = [(Some(1), 3), (None, 4), (None, 1), (Some(0), 1), (None, 2), (Some(2), 5), (None, 9)];
        let choose = |strategy: &mut dyn Strategy, cue: &Cue| -> Vec<usize> {
            let choose = |(op, several): &(Option<usize>, usize)| {
                if let Some(op) = op {
                    cue.give(*op);
                }
                tasks(&several_tasks(*several), |point| strategy.choose(point))
            };
            points.iter().map(choose).collect()
        };
        let cue = Cue::default();
        let spelled = Spelled::new(RandomWalk::new(2), cue.clone());
        let chosen = choose(&mut spelled.clone(), &cue);
        let choices = spelled.take();
        assert!(chosen.iter().any(|choice| *choice > 0) && choices.ops.len() <= 3, "{chosen:?} {choices:?}");
        assert_eq!(choose(&mut Bytes::new(choices, cue.clone()), &cue), chosen);
    }

    #[test]
    fn where_an_op_begins_its_own_byte_is_taken() {
        let (mut bytes, cue) = bytes(&[7, 2], &[1]);
        let mut choose = |op: Option<usize>, several| {
            if let Some(op) = op {
                cue.give(op);
            }
            tasks(&several_tasks(several), |point| bytes.choose(point))
        };
        assert_eq!([choose(Some(1), 3), choose(None, 3), choose(Some(0), 3)], [2, 1, 1]);
        assert_eq!([choose(Some(2), 3), choose(None, 3)], [0, 0], "there are no more");
        assert_eq!([choose(Some(1), 1), choose(None, 3)], [0, 0], "told where there was no choice");
    }
}
