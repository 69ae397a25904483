use super::draw::Draw;
use super::estimates::{Estimates, TASKS, place};
use super::{Alternative, Choosing, Point, Strategy};
use crate::engine::ObjectId;

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
    /// The place of the task that uses it next, if somebody is to.
    next: Option<usize>,
    made: u32,
    patience: u32,
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
            next: None,
            made: 0,
            patience: estimates.patience(),
        };
        surw.draw_next();
        surw
    }

    fn draw_next(&mut self) {
        self.next = self.draw.weighted(self.uses.iter().copied());
    }
}

fn uses(object: Option<ObjectId>, alternative: &Alternative) -> bool {
    object.is_some() && alternative.access.and_then(|access| access.object()) == object
}

impl Strategy for Surw {
    fn choose(&mut self, point: &Point<'_>) -> usize {
        if point.kind == Choosing::Branch || self.made > self.patience {
            return self.draw.any(point);
        }
        self.made += 1;
        let Surw { left, object, next, .. } = self;
        let is_kept = |alternative: &Alternative| {
            uses(*object, alternative) && next.is_some_and(|next| next != place(alternative.task))
        };
        // Where all are kept from the object, the one who is to use it next cannot go on yet, and they are let go.
        let all_are = point.alternatives.iter().all(is_kept);
        let weight = |alternative: &Alternative| match !all_are && is_kept(alternative) {
            true => 0,
            false => left[place(alternative.task)].max(1),
        };
        let chosen = self.draw.weighted(point.alternatives.iter().map(weight)).unwrap_or(0);
        let alternative = &point.alternatives[chosen];
        let task = place(alternative.task);
        self.left[task] = self.left[task].saturating_sub(1);
        if uses(self.object, alternative) {
            self.uses[task] = self.uses[task].saturating_sub(1);
            self.draw_next();
        }
        chosen
    }
}
