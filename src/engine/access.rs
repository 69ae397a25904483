use std::fmt;

use super::{ObjectId, Target, TaskId};

/// What a task is about to do, if that is known, as one word.
///
/// It is read just after it was written, at each sync point, and a processor is slow to read at once what was written in two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Access(u64);

/// How many bits say what is done; the others are the number of the object or task.
const KIND: u32 = 3;

/// Tells tasks from objects.
const TASKS: u64 = 1 << 60;

/// No object has the number that these bits are.
const UNKNOWN: Access = Access(u64::MAX);

impl Access {
    /// What it is, if it is known.
    #[inline]
    pub fn target(self) -> Option<Target> {
        let number = self.0 >> KIND;
        let (object, task) = (ObjectId(number as usize), TaskId((number & !TASKS) as usize));
        Some(match self.0 & ((1 << KIND) - 1) {
            0 => Target::Send(object),
            1 => Target::Recv(object),
            2 => Target::Lock(object),
            3 => Target::Read(object),
            4 => Target::Notify(object),
            5 => Target::Join(task),
            _ => return None,
        })
    }

    /// The object that it is an access to, if it is to one.
    #[inline]
    pub fn object(self) -> Option<ObjectId> {
        self.target().and_then(Target::object)
    }

    /// Whether it is an access to that object.
    #[inline(always)]
    pub fn is_to(self, object: ObjectId) -> bool {
        self.0 >> KIND == object.0 as u64
    }
}

impl Default for Access {
    /// One of which nothing is known.
    #[inline(always)]
    fn default() -> Access {
        UNKNOWN
    }
}

impl From<Target> for Access {
    #[inline(always)]
    fn from(target: Target) -> Access {
        let (kind, number) = match target {
            Target::Send(object) => (0, object.0 as u64),
            Target::Recv(object) => (1, object.0 as u64),
            Target::Lock(object) => (2, object.0 as u64),
            Target::Read(object) => (3, object.0 as u64),
            Target::Notify(object) => (4, object.0 as u64),
            Target::Join(task) => (5, task.0 as u64 | TASKS),
        };
        Access(number << KIND | kind)
    }
}

impl From<Option<Target>> for Access {
    #[inline(always)]
    fn from(target: Option<Target>) -> Access {
        target.map_or(UNKNOWN, Access::from)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.target().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_what_a_task_is_about_to_do() {
        let of_object = [Target::Send, Target::Recv, Target::Lock, Target::Read, Target::Notify];
        let targets = [0, 1, 1 << 40].into_iter().flat_map(|number| {
            let target = move |kind: fn(ObjectId) -> Target| kind(ObjectId(number));
            of_object.into_iter().map(target).chain([Target::Join(TaskId(number))])
        });
        for target in targets.map(Some).chain([None]) {
            let access = Access::from(target);
            let object = target.and_then(Target::object);
            assert_eq!((access.target(), access.object()), (target, object));
            for other in [0, 1, 1 << 40].map(ObjectId) {
                assert_eq!(access.is_to(other), object == Some(other), "{access:?} to {other:?}");
            }
            assert_eq!(format!("{access:?}"), format!("{target:?}"));
        }
    }
}
