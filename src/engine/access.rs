use std::fmt;

use super::{ObjectId, Target, TaskId};

/// What a task is about to do, if that is known, as one word.
///
/// It is read just after it was written, at each sync point, and a processor is slow to read at once what was written in two.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Access(u64);

/// How many bits say what is done; the others are the number of the object or task. All are 0 where nothing is known.
const KIND: u32 = 3;

impl Access {
    /// What it is, if it is known.
    #[inline(always)]
    pub fn target(self) -> Option<Target> {
        let number = (self.0 >> KIND) as usize;
        Some(match self.0 & ((1 << KIND) - 1) {
            1 => Target::Send(ObjectId(number)),
            2 => Target::Recv(ObjectId(number)),
            3 => Target::Lock(ObjectId(number)),
            4 => Target::Read(ObjectId(number)),
            5 => Target::Notify(ObjectId(number)),
            6 => Target::Join(TaskId(number)),
            _ => return None,
        })
    }

    /// The object that it is an access to, if it is to one.
    #[inline(always)]
    pub fn object(self) -> Option<ObjectId> {
        self.target().and_then(Target::object)
    }
}

impl From<Target> for Access {
    #[inline(always)]
    fn from(target: Target) -> Access {
        let (kind, number) = match target {
            Target::Send(object) => (1, object.0),
            Target::Recv(object) => (2, object.0),
            Target::Lock(object) => (3, object.0),
            Target::Read(object) => (4, object.0),
            Target::Notify(object) => (5, object.0),
            Target::Join(task) => (6, task.0),
        };
        Access((number as u64) << KIND | kind)
    }
}

impl From<Option<Target>> for Access {
    #[inline(always)]
    fn from(target: Option<Target>) -> Access {
        target.map_or(Access::default(), Access::from)
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
            assert_eq!((access.target(), access.object()), (target, target.and_then(Target::object)));
            assert_eq!(format!("{access:?}"), format!("{target:?}"));
        }
    }
}
