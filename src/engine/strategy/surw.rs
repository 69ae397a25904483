use super::draw::Draw;
use super::estimates::{Estimates, TASKS, place};
use super::{Choosing, Point, Strategy};
use crate::engine::{ObjectId, Target, TaskId};

/// Selectively uniform random walk (Zhao et al., "Selectively Uniform Concurrency Testing", ASPLOS 2025).
///
/// A random walk favours orders in which tasks alternate: to let one be far ahead of another it has to be lucky at every
/// choice. Where each task is chosen in proportion to the choices it has left, all orders of their steps are equally likely
/// (URW). But there are too many. So one object is drawn, and it is the order of its uses that is equally likely: who uses it
/// next is drawn in proportion to the uses left, and until then all others are kept from it, while the tasks choose among
/// themselves as before.
///
/// What is left is taken from [`Estimates`]; of an execution that they know nothing of, it makes a random walk.
#[derive(Clone, Debug)]
pub struct Surw {
    draw: Draw,
    /// The choices each task has left.
    left: [u32; TASKS],
    /// The object, if tasks share one.
    object: Option<ObjectId>,
    /// The uses of it each task has left.
    uses: [u32; TASKS],
    /// And all together.
    uses_left: u32,
    /// The place of the task that uses it next, if somebody is to.
    next: Option<usize>,
    made: u32,
    patience: u32,
    /// Of those that can go on, while one is drawn.
    weights: [u32; TASKS],
}

impl Surw {
    /// Draws one of the objects that tasks share.
    pub fn new(seed: u64, estimates: &Estimates) -> Surw {
        let mut draw = Draw::new(seed);
        let drawn = match estimates.shared.len() as u32 {
            0 => None,
            several => estimates.shared.get(draw.below(several) as usize),
        };
        let mut surw = Surw {
            draw,
            left: estimates.tasks,
            object: drawn.map(|uses| uses.object),
            uses: drawn.map_or([0; TASKS], |uses| uses.tasks),
            uses_left: drawn.map_or(0, |uses| uses.tasks.iter().sum()),
            next: None,
            made: 0,
            patience: estimates.patience(),
            weights: [0; TASKS],
        };
        surw.draw_next();
        surw
    }

    /// One of several tasks, in proportion to the choices that they have left.
    #[inline]
    fn drawn(&mut self, tasks: &[TaskId], accesses: &[Option<Target>]) -> usize {
        let Surw { draw, left, object, next, weights, .. } = self;
        let mut more;
        let weights = if tasks.len() <= TASKS {
            &mut weights[..tasks.len()]
        } else {
            more = vec![0; tasks.len()];
            &mut more[..]
        };
        let mut total = 0;
        for (weight, task) in weights.iter_mut().zip(tasks) {
            let place = place(*task);
            let is_kept = next.is_some_and(|next| next != place) && uses(*object, accesses[task.0]);
            *weight = if is_kept { 0 } else { left[place].max(1) };
            total += *weight;
        }
        if total == 0 {
            // All are kept from the object, for the one who is to use it next cannot go on yet: they are let go.
            for (weight, task) in weights.iter_mut().zip(tasks) {
                *weight = left[place(*task)].max(1);
                total += *weight;
            }
        }
        let mut drawn = draw.below(total);
        for (index, weight) in weights.iter().enumerate() {
            if drawn < *weight {
                return index;
            }
            drawn -= weight;
        }
        unreachable!("less was drawn than there is")
    }

    /// Counts a choice.
    #[inline]
    fn count(&mut self, task: TaskId, access: Option<Target>) {
        self.made += 1;
        let at = place(task);
        self.left[at] = self.left[at].saturating_sub(1);
        if uses(self.object, access) {
            let used = self.uses[at].min(1);
            self.uses[at] -= used;
            self.uses_left -= used;
            self.draw_next();
        }
    }

    fn draw_next(&mut self) {
        if self.uses_left == 0 {
            self.next = None;
            return;
        }
        let mut drawn = self.draw.below(self.uses_left);
        self.next = self.uses.iter().position(|uses| {
            let is_next = drawn < *uses;
            drawn = drawn.saturating_sub(*uses);
            is_next
        });
    }
}

#[inline(always)]
fn uses(object: Option<ObjectId>, access: Option<Target>) -> bool {
    object.is_some() && access.and_then(Target::object) == object
}

impl Strategy for Surw {
    fn choose(&mut self, point: &Point<'_>) -> usize {
        match point.alternatives.of_tasks() {
            _ if point.kind != Choosing::Task => self.draw.any(point.alternatives.len()),
            Some((tasks, accesses)) => self.choose_task(point.current, tasks, accesses),
            None => {
                point.alternatives.iter().for_each(|only| self.forced(point.current, only.task, only.access));
                0
            }
        }
    }

    fn choose_task(&mut self, _: Option<TaskId>, tasks: &[TaskId], accesses: &[Option<Target>]) -> usize {
        if self.made > self.patience {
            return self.draw.any(tasks.len());
        }
        let chosen = self.drawn(tasks, accesses);
        let task = tasks[chosen];
        self.count(task, accesses[task.0]);
        chosen
    }

    fn forced(&mut self, _: Option<TaskId>, task: TaskId, access: Option<Target>) {
        if self.made <= self.patience {
            self.count(task, access);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::testing::{accesses, branches, step};
    use super::*;
    use crate::engine::{ObjectId, Target};

    const LOCK: Option<Target> = Some(Target::Lock(ObjectId(0)));

    /// The order in which tasks take their steps, if nothing ever blocks.
    fn order(mut surw: Surw, tasks: &[&[Option<Target>]]) -> Vec<(usize, Option<Target>)> {
        let mut left = tasks.to_vec();
        let mut order = Vec::new();
        while left.iter().any(|steps| !steps.is_empty()) {
            let ready: Vec<_> =
                left.iter().enumerate().filter_map(|(task, steps)| Some((task, *steps.first()?))).collect();
            let next = ready[accesses(&ready, |point| surw.choose(point))];
            left[next.0] = &left[next.0][1..];
            order.push(next);
        }
        order
    }

    fn estimates(tasks: &[&[Option<Target>]]) -> Estimates {
        let steps = tasks
            .iter()
            .enumerate()
            .flat_map(|(task, steps)| steps.iter().map(move |access| step(task, *access)));
        let mut estimates = Estimates::default();
        estimates.learn(&steps.collect::<Vec<_>>());
        estimates
    }

    /// How often each order of those steps was met.
    fn orders(tasks: &[&[Option<Target>]], of: impl Fn(&(usize, Option<Target>)) -> bool) -> Vec<usize> {
        let estimates = estimates(tasks);
        let mut met: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        for seed in 0..6000 {
            let order = order(Surw::new(seed, &estimates), tasks);
            *met.entry(order.iter().filter(|step| of(step)).map(|step| step.0).collect()).or_default() += 1;
        }
        met.into_values().collect()
    }

    #[test]
    fn all_orders_of_steps_are_equally_likely() {
        // Four steps and two have fifteen orders, of 400 each.
        let met = orders(&[&[None; 4], &[None; 2]], |_| true);
        assert_eq!(met.len(), 15);
        assert!(met.iter().all(|count| (320..480).contains(count)), "{met:?}");
    }

    #[test]
    fn all_orders_of_uses_are_equally_likely_whatever_else_tasks_do() {
        // Six orders of 1000 each.
        let met = orders(&[&[LOCK, LOCK], &[None, None, None, None, None, LOCK, None, LOCK]], |step| {
            step.1 == LOCK
        });
        assert_eq!(met.len(), 6);
        assert!(met.iter().all(|count| (880..1120).contains(count)), "{met:?}");
    }

    #[test]
    fn wrong_estimates_stop_nobody() {
        let estimates = estimates(&[&[LOCK; 9], &[LOCK]]);
        let mut firsts = [0; 3];
        for seed in 0..300 {
            // The first task, whose turn it mostly is, takes no step at all.
            let order = order(Surw::new(seed, &estimates), &[&[], &[LOCK, LOCK], &[LOCK, None]]);
            assert_eq!(order.len(), 4);
            firsts[order[0].0] += 1;
        }
        assert!(firsts[1] > 90 && firsts[2] > 90, "either goes first: {firsts:?}");
    }

    #[test]
    fn in_the_end_nobody_is_kept() {
        let estimates = estimates(&[&[LOCK], &[LOCK]]);
        for seed in 0..20 {
            let mut surw = Surw::new(seed, &estimates);
            // One spins until the other has used the lock.
            let spins =
                (0..2000).find(|_| accesses(&[(0, None), (1, LOCK)], |point| surw.choose(point)) == 1);
            assert!(spins.is_some());
        }
    }

    #[test]
    fn branches_are_chosen_at_random() {
        let mut surw = Surw::new(0, &Estimates::default());
        let mut chosen = [0; 3];
        (0..300).for_each(|_| chosen[branches(3, |point| surw.choose(point))] += 1);
        assert!(chosen.iter().all(|count| *count > 50), "{chosen:?}");
    }
}
