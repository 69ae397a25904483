use super::draw::Draw;
use super::estimates::{Estimates, Parents, TASKS, place};
use super::{Point, Sealed, Strategy, choose_by_task};
use crate::engine::{Access, ObjectId, TaskId, TaskSet};

/// Selectively uniform random walk (Zhao et al., "Selectively Uniform Concurrency Testing", ASPLOS 2025).
///
/// A random walk favours orders in which tasks alternate: to let one be far ahead of another it has to be lucky at every
/// choice. Where each task is chosen in proportion to the choices it has left, with those of the tasks that it is yet to start,
/// all orders of their steps are equally likely (URW), as far as none waits for another. But there are too many. So one object
/// is drawn, and it is the order of its uses that is equally likely: who uses it next is drawn in proportion to the uses left,
/// and until then all others are kept from it, while the tasks choose among themselves as before.
///
/// What is left is taken from [`Estimates`]; of an execution that they know nothing of, it makes a random walk.
#[derive(Clone, Debug)]
pub struct Surw {
    draw: Draw,
    /// The choices each task has left, and those of the tasks that it is yet to start; one at least, for estimates can be
    /// wrong.
    left: [u32; TASKS],
    parents: Parents,
    /// Which of the first tasks were started, a bit for each.
    begun: u16,
    /// The object, if tasks share one, for as long as any of its uses is left.
    object: Option<ObjectId>,
    /// The uses of it each task has left.
    uses: [u32; TASKS],
    /// And all together.
    uses_left: u32,
    /// The place of who is to use it next.
    user: usize,
    /// Who may use it next, if somebody is to: a bit for each task of that place; otherwise all of them.
    next: u64,
    /// The tasks of which is known whether they are about to use it, which stays so until they go on.
    seen: u64,
    /// Those of them that are.
    users: u64,
    made: u32,
    patience: u32,
}

impl Surw {
    /// Draws one of the objects that tasks share.
    // So that one that is renewed is not made elsewhere first.
    #[inline(always)]
    pub fn new(seed: u64, estimates: &Estimates) -> Surw {
        let mut draw = Draw::new(seed);
        let drawn = match estimates.shared.len() as u32 {
            0 => None,
            several => estimates.shared.get(draw.below(several) as usize),
        };
        let mut surw = Surw {
            draw,
            left: estimates.families.map(|left| left.max(1)),
            parents: estimates.parents,
            begun: 0,
            object: drawn.map(|uses| uses.object),
            uses: drawn.map_or([0; TASKS], |uses| uses.tasks),
            uses_left: drawn.map_or(0, |uses| uses.tasks.iter().sum()),
            user: 0,
            next: u64::MAX,
            seen: 0,
            users: 0,
            made: 0,
            patience: estimates.patience(),
        };
        surw.draw_next();
        surw
    }

    /// One of several tasks, in proportion to the choices that they have left.
    #[inline(always)]
    fn drawn(&mut self, current: Option<TaskId>, ready: u64, accesses: &[Access]) -> TaskId {
        if self.object.is_some() {
            let mut unseen = ready & !self.seen;
            self.seen |= ready;
            self.users &= !unseen;
            while unseen != 0 {
                let task = unseen.trailing_zeros();
                if uses(self.object, accesses[task as usize]) {
                    self.users |= 1 << task;
                }
                unseen &= unseen - 1;
            }
        }
        let mut able = ready & (self.next | !self.users);
        if able == 0 {
            // All are kept from the object, for the one who is to use it next cannot go on yet: they are let go.
            able = ready;
        }
        let (mut left, mut total) = (able, 0);
        while left != 0 {
            total += self.left[left.trailing_zeros() as usize % TASKS];
            left &= left - 1;
        }
        let mut drawn = self.draw.below(total);
        if let Some(current) = current {
            let others = able & !(1 << current.0);
            if others != able {
                let weight = self.left[place(current)];
                if drawn < weight {
                    return current;
                }
                drawn -= weight;
                able = others;
            }
        }
        loop {
            let task = TaskId(able.trailing_zeros() as usize);
            let weight = self.left[place(task)];
            if drawn < weight {
                return task;
            }
            drawn -= weight;
            able &= able - 1;
        }
    }

    /// As [`drawn`](Surw::drawn), where there are many tasks.
    fn drawn_of_many(&mut self, current: Option<TaskId>, ready: &TaskSet, accesses: &[Access]) -> TaskId {
        let others = ready.iter().filter(|task| Some(*task) != current);
        let tasks: Vec<TaskId> = current.into_iter().chain(others).collect();
        let is_kept =
            |task: &TaskId| self.next >> (task.0 % 64) & 1 == 0 && uses(self.object, accesses[task.0]);
        let is_any_able = tasks.iter().any(|task| !is_kept(task));
        let able = tasks.iter().filter(|task| !(is_any_able && is_kept(task)));
        let mut total = 0;
        let sums: Vec<(TaskId, u32)> = able
            .map(|task| {
                total += self.left[place(*task)];
                (*task, total)
            })
            .collect();
        let drawn = self.draw.below(total);
        let chosen = sums.iter().find(|(_, sum)| drawn < *sum);
        chosen.expect("less was drawn than there is").0
    }

    #[cold]
    #[inline(never)]
    fn choose_of_many(&mut self, current: Option<TaskId>, ready: &TaskSet, accesses: &[Access]) -> TaskId {
        if self.made > self.patience {
            return self.draw.any_of(current, ready);
        }
        let task = self.drawn_of_many(current, ready, accesses);
        self.count(task, uses(self.object, accesses[task.0]));
        task
    }

    /// Counts a choice.
    #[inline(always)]
    fn count(&mut self, task: TaskId, is_user: bool) {
        self.made += 1;
        let at = place(task);
        self.left[at] -= u32::from(self.left[at] > 1);
        self.seen &= !(1 << (task.0 % 64));
        if is_user {
            self.count_use(at);
        }
    }

    /// Counts a use of the object, and draws who uses it next.
    #[inline(never)]
    fn count_use(&mut self, at: usize) {
        let used = self.uses[at].min(1);
        self.uses[at] -= used;
        self.uses_left -= used;
        self.draw_next();
    }

    fn draw_next(&mut self) {
        if self.uses_left == 0 {
            // It is as any other object from now on.
            (self.object, self.users, self.next) = (None, 0, u64::MAX);
            return;
        }
        let mut drawn = self.draw.below(self.uses_left);
        let mut place = 0;
        while drawn >= self.uses[place] {
            drawn -= self.uses[place];
            place += 1;
        }
        self.user = place;
        self.let_user();
    }

    /// Lets who is to use the object next do so. One that is not started can have no turn before those who are yet to start it
    /// have had theirs.
    fn let_user(&mut self) {
        let mut place = self.user;
        self.next = OF_PLACE_0 << place;
        while self.begun >> place & 1 == 0 && self.parents.of(place) != place {
            place = self.parents.of(place);
            self.next |= OF_PLACE_0 << place;
        }
    }
}

/// A bit for each task of place 0.
const OF_PLACE_0: u64 = u64::MAX / ((1 << TASKS) - 1);

#[inline(always)]
fn uses(object: Option<ObjectId>, access: Access) -> bool {
    object.is_some_and(|object| access.is_to(object))
}

impl Strategy for Surw {
    fn started(&mut self, task: TaskId, _: Option<&str>) {
        if task.0 >= TASKS {
            return;
        }
        self.begun |= 1 << task.0;
        let parent = self.parents.of(task.0);
        if parent != task.0 {
            self.left[parent] = self.left[parent].saturating_sub(self.left[task.0]).max(1);
        }
        if self.object.is_some() && self.next >> task.0 & 1 == 1 {
            self.let_user();
        }
    }

    fn renew(&mut self, seed: u64, estimates: &Estimates) -> bool {
        *self = Surw::new(seed, estimates);
        true
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        choose_by_task(self, |surw| &mut surw.draw, point)
    }

    #[inline(always)]
    fn choose_task(
        &mut self,
        current: Option<TaskId>,
        ready: &TaskSet,
        accesses: &[Access],
        _: Sealed,
    ) -> TaskId {
        match ready.bits() {
            Some(ready) if self.made <= self.patience => {
                let task = self.drawn(current, ready, accesses);
                self.count(task, self.users >> task.0 & 1 == 1);
                task
            }
            _ => self.choose_of_many(current, ready, accesses),
        }
    }

    fn forced(&mut self, _: Option<TaskId>, task: TaskId, access: Access) {
        if self.made <= self.patience {
            self.count(task, uses(self.object, access));
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
    fn of_many_tasks_one_is_drawn_as_of_few() {
        let none = (0..5).map(|_| None).collect::<Vec<_>>();
        let estimates = estimates(&[&[LOCK, LOCK, None], &none, &[LOCK], &[None, LOCK]]);
        let mut ready = TaskSet::default();
        (0..4).for_each(|task| ready.insert(TaskId(task)));
        let mut drawn = [0; 4];
        for seed in 0..1000 {
            let current = (seed % 2 == 0).then_some(TaskId(2));
            let accesses: [Access; 4] =
                [0, 1, 2, 3].map(|task| if seed >> task & 1 == 1 { LOCK } else { None }.into());
            let (mut few, mut many) = (Surw::new(seed, &estimates), Surw::new(seed, &estimates));
            for _ in 0..4 {
                let task = few.choose_task(current, &ready, &accesses, Sealed);
                assert_eq!(many.choose_of_many(current, &ready, &accesses), task);
                drawn[task.0] += 1;
            }
        }
        assert!(drawn.iter().all(|count| *count > 300), "{drawn:?}");
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
