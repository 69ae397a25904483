use super::draw::{Draw, mix};
use super::estimates::{Estimates, TASKS, place};
use super::{Point, Sealed, Strategy, choose_by_task};
use crate::engine::{Access, TaskId, TaskSet};

/// The most change points there can be.
const MOST_CHANGES: usize = 3;

/// Probabilistic concurrency testing: the task of the highest priority goes on (Burckhardt et al., "A Randomized Scheduler
/// with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010).
///
/// Priorities are random. A bug of depth *d* needs *d* − 1 switches away from a task that could go on: at as many change
/// points, drawn beforehand, the task that would go on gets a priority below all others. Branches are chosen at random.
///
/// The paper draws a change point from all choices of an execution, of which a busy producer has nearly all. Here every
/// second one is drawn from the choices of one task, and that task with equal chances: how likely it is to hit a task of
/// few steps then does not depend on what the others do. The paper's guarantee holds up to a factor of two for each
/// change point.
#[derive(Clone, Debug)]
pub struct Pct {
    draw: Draw,
    seed: u64,
    depth: usize,
    /// The priorities that the first tasks had at first, from the highest to the lowest, as far as they were seen.
    order: [u64; TASKS],
    /// How many were.
    ordered: usize,
    /// Those that were, a bit for each.
    seen: u64,
    /// Those that were lowered since, a bit for each.
    lowered: u64,
    changes: [Change; MOST_CHANGES],
    /// After how many choices something is to be done, a change point or the end of patience, in all and by task: to look at
    /// everything takes longer.
    due: u32,
    due_of: [u32; TASKS],
    /// How many choices were made, in all and by task.
    made: u32,
    by_task: [u32; TASKS],
    patience: u32,
}

/// A change point.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// There is none.
    None,
    /// Before the choice of this number.
    At(u32),
    /// Before the choice of this number of the tasks of that place.
    Of(usize, u32),
    /// It was passed, and this task has the lower priority since.
    Passed(TaskId),
}

impl Pct {
    /// For bugs of this depth, which is 1 to 4: that many less one are the change points.
    // So that one that is renewed is not made elsewhere first.
    #[inline(always)]
    pub fn new(seed: u64, depth: usize, estimates: &Estimates) -> Pct {
        let mut draw = Draw::new(seed);
        let mut changes = [Change::None; MOST_CHANGES];
        let tasks = estimates.places.count_ones();
        for change in changes.iter_mut().take(depth.saturating_sub(1)) {
            *change = if tasks == 0 || draw.below(2) == 0 {
                Change::At(draw.below(estimates.length.max(1)))
            } else {
                let place = estimates.place(draw.below(tasks));
                Change::Of(place, draw.below(estimates.tasks[place]))
            };
        }
        let patience = estimates.patience();
        let (due, due_of) = due(&changes, patience);
        Pct {
            draw,
            seed,
            depth,
            order: [0; TASKS],
            ordered: 0,
            seen: 0,
            lowered: 0,
            changes,
            due,
            due_of,
            made: 0,
            by_task: [0; TASKS],
            patience,
        }
    }

    /// The priority that a task has at first. Its lowest bits are the task's number, as far as they go.
    fn first_priority(&self, task: TaskId) -> u64 {
        (mix(self.seed, task.0 as u64) | 1 << 63) & !(TASKS as u64 - 1) | place(task) as u64
    }

    /// The priority of a task. Those that were lowered come last, the one lowered at the last of the change points very last.
    fn priority(&self, task: TaskId) -> u64 {
        let is_lowered = |change: &Change| matches!(change, Change::Passed(of) if *of == task);
        let lowered = self.changes.iter().rposition(is_lowered);
        lowered.map_or_else(|| self.first_priority(task), |index| (MOST_CHANGES - index) as u64)
    }

    /// Puts tasks that were not seen before in their order, a bit for each.
    #[cold]
    #[inline(never)]
    fn see(&mut self, tasks: u64) {
        self.seen |= tasks;
        let mut left = tasks;
        while left != 0 {
            let priority = self.first_priority(TaskId(left.trailing_zeros() as usize));
            let mut at = self.ordered;
            while at > 0 && self.order[at - 1] < priority {
                self.order[at] = self.order[at - 1];
                at -= 1;
            }
            self.order[at] = priority;
            self.ordered += 1;
            left &= left - 1;
        }
    }

    /// Gives the task the priority of a change point that it has come to.
    fn lower(&mut self, task: TaskId, change: usize) {
        self.changes[change] = Change::Passed(task);
        (self.due, self.due_of) = due(&self.changes, self.patience);
        if task.0 < TASKS {
            self.lowered |= 1 << task.0;
        }
    }

    /// The task of the highest priority.
    #[inline(always)]
    fn highest(&mut self, ready: &TaskSet) -> TaskId {
        match ready.bits() {
            Some(bits) if bits >> TASKS == 0 && bits & !self.lowered != 0 => {
                self.highest_of_first(bits & !self.lowered)
            }
            _ => self.highest_of_any(ready),
        }
    }

    /// The task of the highest priority of some of the first, a bit for each, of which none was lowered.
    #[inline(always)]
    fn highest_of_first(&mut self, tasks: u64) -> TaskId {
        if tasks & !self.seen != 0 {
            self.see(tasks & !self.seen);
        }
        let number = |priority: &u64| (priority % TASKS as u64) as usize;
        let highest = self.order.iter().map(number).find(|task| tasks >> task & 1 == 1);
        TaskId(highest.expect("all are in the order"))
    }

    #[cold]
    #[inline(never)]
    fn highest_of_any(&self, ready: &TaskSet) -> TaskId {
        ready.iter().max_by_key(|task| self.priority(*task)).expect("somebody can go on")
    }

    /// Whether there is anything to be done before this task goes on.
    #[inline]
    fn is_due(&self, task: TaskId) -> bool {
        let of = place(task);
        self.made >= self.due || self.by_task[of] >= self.due_of[of]
    }

    /// The number of the first change point that the task, which is to go on, has come to.
    fn change_of(&self, task: TaskId) -> Option<usize> {
        self.changes.iter().position(|change| match change {
            Change::At(at) => *at == self.made,
            Change::Of(of, at) => *of == place(task) && *at == self.by_task[*of],
            Change::None | Change::Passed(_) => false,
        })
    }

    /// Chooses when something is due; otherwise this task would go on.
    #[cold]
    #[inline(never)]
    fn choose_when_due(&mut self, current: Option<TaskId>, ready: &TaskSet, task: TaskId) -> TaskId {
        if self.made > self.patience {
            return self.draw.any_of(current, ready);
        }
        let mut task = task;
        // Another task may have come to an earlier one, which would be lost: it is not come to a second time.
        while let Some(change) = self.change_of(task) {
            self.lower(task, change);
            task = self.highest(ready);
        }
        self.count(task);
        task
    }

    /// Counts a choice that this task was forced to when something is due.
    #[cold]
    #[inline(never)]
    fn count_when_due(&mut self, task: TaskId) {
        if self.made > self.patience {
            return;
        }
        while let Some(change) = self.change_of(task) {
            self.lower(task, change);
        }
        self.count(task);
    }

    /// Counts a choice.
    #[inline]
    fn count(&mut self, task: TaskId) {
        self.made += 1;
        self.by_task[place(task)] += 1;
    }
}

/// The first change point that is left, or the end of patience, in all and of each place; the largest number where there is
/// none.
fn due(changes: &[Change], patience: u32) -> (u32, [u32; TASKS]) {
    let (mut due, mut due_of) = (patience.saturating_add(1), [u32::MAX; TASKS]);
    for change in changes {
        match change {
            Change::At(at) => due = due.min(*at),
            Change::Of(of, at) => due_of[*of] = due_of[*of].min(*at),
            Change::None | Change::Passed(_) => {}
        }
    }
    (due, due_of)
}

impl Strategy for Pct {
    fn renew(&mut self, seed: u64, estimates: &Estimates) -> bool {
        *self = Pct::new(seed, self.depth, estimates);
        true
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        choose_by_task(self, |pct| &mut pct.draw, point)
    }

    #[inline(always)]
    fn choose_task(&mut self, current: Option<TaskId>, ready: &TaskSet, _: &[Access], _: Sealed) -> TaskId {
        let task = self.highest(ready);
        if self.is_due(task) {
            return self.choose_when_due(current, ready, task);
        }
        self.count(task);
        task
    }

    fn forced(&mut self, _: Option<TaskId>, task: TaskId, _: Access) {
        if self.is_due(task) {
            return self.count_when_due(task);
        }
        self.count(task);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{branches, step, tasks};
    use super::*;

    /// Who goes on at each of twelve points at which three tasks can.
    fn walk(mut pct: Pct) -> Vec<usize> {
        (0..12).map(|_| tasks(&[0, 1, 2], |point| pct.choose(point))).collect()
    }

    fn switches(walk: &[usize]) -> usize {
        walk.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    fn estimates() -> Estimates {
        let mut estimates = Estimates::default();
        let of_a_busy_task = std::iter::repeat_n(step(0, None), 10);
        estimates.learn(&of_a_busy_task.chain([step(1, None), step(2, None)]).collect::<Vec<_>>());
        estimates
    }

    /// One of these change points.
    fn changing(changes: [Change; MOST_CHANGES]) -> Pct {
        let pct = Pct::new(0, 1, &estimates());
        let (due, due_of) = due(&changes, pct.patience);
        Pct { changes, due, due_of, ..pct }
    }

    #[test]
    fn it_switches_at_most_as_often_as_its_depth_allows() {
        for depth in 1..=4 {
            let most = (0..500).map(|seed| switches(&walk(Pct::new(seed, depth, &estimates()))));
            assert_eq!(most.max(), Some(depth - 1));
        }
    }

    #[test]
    fn any_task_goes_first_and_any_point_is_a_change_point() {
        let walks: Vec<_> = (0..1000).map(|seed| walk(Pct::new(seed, 2, &estimates()))).collect();
        for task in 0..3 {
            assert!(walks.iter().filter(|walk| walk[11] == task).count() > 200);
        }
        for at in 1..12 {
            assert!(walks.iter().any(|walk| walk[at] != walk[at - 1]), "a change at {at}");
        }
    }

    #[test]
    fn a_task_of_few_choices_is_as_likely_to_be_lowered() {
        let lowered = |seed| {
            let mut pct = Pct::new(seed, 2, &estimates());
            (0..12).for_each(|_| assert_eq!(tasks(&[2], |point| pct.choose(point)), 0));
            pct.by_task[2] == 12 && matches!(pct.changes[0], Change::Passed(TaskId(2)))
        };
        // Half of them are among the first twelve choices of anybody, and a third of the other half are of this task.
        let count = (0..3000).filter(|seed| lowered(*seed)).count();
        assert!((1850..2150).contains(&count), "{count}");
    }

    #[test]
    fn the_order_of_the_lowered_is_that_of_the_change_points() {
        let mut two = TaskSet::default();
        two.insert(TaskId(0));
        two.insert(TaskId(1));
        let mut pct = changing([Change::At(1), Change::At(0), Change::None]);
        let first = pct.highest(&two).0;
        let walk = walk(pct);
        let second = walk[0];
        assert_ne!(second, first, "lowered before the first choice");
        let third = 3 - first - second;
        assert_eq!(walk[1..], [third; 11]);
    }

    #[test]
    fn a_change_point_that_another_leads_to_is_not_lost() {
        let mut order = [0, 1, 2];
        let undisturbed = changing([Change::None; MOST_CHANGES]);
        order.sort_by_key(|task| std::cmp::Reverse(undisturbed.first_priority(TaskId(*task))));
        let mut pct = changing([Change::Of(order[1], 0), Change::At(0), Change::None]);
        assert_eq!(walk(pct.clone()), [order[2]; 12], "both that come before it are lowered");
        tasks(&[0, 1, 2], |point| pct.choose(point));
        assert_eq!(pct.due_of, [u32::MAX; TASKS], "nothing stays due");
    }

    #[test]
    fn a_task_that_is_lowered_again_comes_last() {
        let mut pct = changing([Change::At(0), Change::At(1), Change::At(2)]);
        for task in [0, 1, 0] {
            tasks(&[task], |point| pct.choose(point));
        }
        assert_eq!(tasks(&[0, 1], |point| pct.choose(point)), 1);
    }

    #[test]
    fn of_many_tasks_the_highest_is_that_of_the_few() {
        let mut ready = TaskSet::default();
        (0..TASKS).for_each(|task| ready.insert(TaskId(task)));
        for seed in 0..100 {
            let mut pct = changing([Change::At(2), Change::At(1), Change::At(0)]);
            pct.seed = seed;
            let mut order = Vec::new();
            while !ready.is_empty() {
                let highest = pct.highest(&ready);
                assert_eq!(pct.highest_of_any(&ready), highest);
                if pct.made < 3 {
                    assert_ne!(pct.choose_task(None, &ready, &[], Sealed), highest, "it is lowered");
                } else {
                    ready.remove(highest);
                    order.push(highest);
                }
            }
            assert_eq!(order.len(), TASKS);
            let lowered: Vec<_> = order[TASKS - 3..].iter().map(|task| pct.priority(*task)).collect();
            assert_eq!(lowered, [3, 2, 1]);
            order.into_iter().for_each(|task| ready.insert(task));
            ready.insert(TaskId(70));
            let highest = pct.highest(&ready);
            assert!(ready.iter().all(|task| pct.priority(task) <= pct.priority(highest)));
            ready.clear();
            (0..TASKS).for_each(|task| ready.insert(TaskId(task)));
        }
    }

    #[test]
    fn in_the_end_nobody_starves() {
        let mut pct = Pct::new(0, 1, &Estimates::default());
        let mut chosen = [0; 2];
        (0..1100).for_each(|_| chosen[tasks(&[0, 1], |point| pct.choose(point))] += 1);
        assert!(chosen[0] > 10 && chosen[1] > 10, "{chosen:?}");
    }

    #[test]
    fn branches_are_chosen_at_random() {
        let mut pct = Pct::new(0, 2, &estimates());
        let mut chosen = [0; 3];
        (0..300).for_each(|_| chosen[branches(3, |point| pct.choose(point))] += 1);
        assert!(chosen.iter().all(|count| *count > 50), "{chosen:?}");
    }
}
