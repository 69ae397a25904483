//! What the primitives do on threads that are steered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::MutexGuard;

use super::super::threads::table::{Table, Token};
use super::super::threads::{Execution, native};
use super::super::{ObjectId, Target, TaskId, Wait};
use super::steering::{Diverged, Met};
use crate::sync::seam::{Attempt, Endpoint, Selected, Wake};

impl Execution {
    /// Lets whoever is first go on.
    pub(in crate::engine) fn lead(&self) {
        if self.table.lock().lead(None) {
            self.still.notify_one();
        }
    }

    /// Lets what is blocked wait natively; says whether tasks were led until now.
    pub(in crate::engine) fn let_block(&self) -> bool {
        let mut table = self.table.lock();
        let is_led = table.is_steered();
        table.let_block();
        is_led
    }

    /// A sync point: the task goes on when it is its turn.
    pub(in crate::engine) fn await_turn(&self, me: TaskId) {
        let table = self.table.lock();
        if table.is_steered() {
            self.give_way(table, me);
        }
    }

    /// The beginning of a task.
    pub(in crate::engine) fn await_first_turn(&self, me: TaskId) {
        if self.table.lock().is_steered() {
            self.await_token(me);
        }
    }

    pub(in crate::engine) fn try_select_steered<'a>(
        &self,
        me: TaskId,
        endpoints: &[&'a dyn Endpoint],
    ) -> Attempt<'a> {
        let mut table = self.table.lock();
        if !table.is_steered() {
            return Attempt::Native;
        }
        let index = match table.branch(me, endpoints) {
            Ok(Some(index)) => index,
            Ok(None) => return Attempt::Refused,
            Err(Diverged) => {
                self.give_way(table, me);
                return Attempt::Refused;
            }
        };
        let target = endpoints[index].handle().target().expect("the seam has checked the objects");
        let Some((partner, wait)) = table.partner(me, target) else { return Attempt::Modelled(index) };
        table.go_on(partner);
        let selected = match target {
            Target::Recv(rendezvous) => {
                if let Some(steering) = &mut table.steering {
                    steering.meet(partner, Met { rendezvous, wait, receiver: me });
                }
                table.wait(me, Vec::new());
                match self.give_way(table, me) {
                    Token::Meet(_) => self.meet(me, endpoints, index),
                    _ => return Attempt::Refused,
                }
            }
            _ => {
                if let (Target::Send(rendezvous), Some(steering)) = (target, &mut table.steering) {
                    steering.hand_over(rendezvous, partner);
                }
                table.tasks[partner.0].parker.unpark(Token::Meet(wait));
                drop(table);
                native::select(endpoints, Some(index), None)
            }
        };
        match selected {
            Selected::Native(selected) => Attempt::Selected(selected),
            _ => Attempt::Refused,
        }
    }

    /// Waits until selected; `None` if the task is to wait natively.
    pub(in crate::engine) fn select_steered<'a>(
        &self,
        me: TaskId,
        endpoints: &[&'a dyn Endpoint],
        waits: &[Wait],
        until: Option<Instant>,
        timed: bool,
    ) -> Option<Selected<'a>> {
        loop {
            match self.wait_steered(me, waits.to_vec(), until, timed)? {
                Token::Abort => return Some(Selected::Aborted),
                Token::TimedOut => return Some(Selected::TimedOut),
                Token::Block => return None,
                Token::Meet(index) => return Some(self.meet(me, endpoints, index)),
                Token::Woken => {}
            }
            if let Some(index) = self.let_partner_in(me) {
                return Some(native::select(endpoints, Some(index), None));
            }
            match self.try_select_steered(me, endpoints) {
                Attempt::Selected(selected) => return Some(Selected::Native(selected)),
                Attempt::Modelled(index) => return Some(Selected::Modelled(index)),
                Attempt::Disconnected(index) => return Some(Selected::Disconnected(index)),
                Attempt::Native | Attempt::Refused => {}
            }
        }
    }

    /// Waits until woken; `None` if the task is to wait natively.
    pub(in crate::engine) fn park_steered(
        &self,
        me: TaskId,
        wait: &Wait,
        until: Option<Instant>,
        ready: &mut dyn FnMut() -> bool,
    ) -> Option<Wake> {
        if !self.table.lock().is_steered() {
            return None;
        }
        if ready() {
            return Some(Wake::Ready);
        }
        match self.wait_steered(me, vec![wait.clone()], until, until.is_some())? {
            Token::Abort => Some(Wake::Aborted),
            Token::TimedOut => Some(Wake::TimedOut),
            Token::Block => None,
            Token::Woken | Token::Meet(_) => Some(Wake::Woken),
        }
    }

    /// Wakes up to so many that wait for a notification; says how many. Who waits for a lock finds it free, or not, when
    /// it is its turn.
    pub(in crate::engine) fn notify_steered(
        &self,
        mut table: MutexGuard<'_, Table>,
        me: TaskId,
        object: ObjectId,
        most: usize,
    ) -> usize {
        table.notify(me, object, most).unwrap_or_else(|Diverged| {
            self.give_way(table, me);
            0
        })
    }

    /// Lets time pass; says whether it did.
    pub(in crate::engine) fn sleep_steered(&self, me: TaskId, duration: Duration) -> bool {
        let Some(now) = self.table.lock().steered_time() else { return false };
        let until = now.checked_add(duration);
        !matches!(self.wait_steered(me, Vec::new(), until, until.is_some()), None | Some(Token::Block))
    }

    /// Waits for a turn, or what else there is; `None` if nobody steers any more.
    fn wait_steered(
        &self,
        me: TaskId,
        waits: Vec<Wait>,
        until: Option<Instant>,
        timed: bool,
    ) -> Option<Token> {
        let mut table = self.table.lock();
        if !table.is_steered() {
            return None;
        }
        table.wait(me, waits);
        if !timed {
            table.rest(me);
        }
        if let (Some(until), Some(steering)) = (until, &mut table.steering) {
            steering.set_limit(me, until);
        }
        Some(self.give_way(table, me))
    }

    /// Lets whoever is next go on, and waits until this task may.
    fn give_way(&self, mut table: MutexGuard<'_, Table>, me: TaskId) -> Token {
        table.tasks[me.0].parker.reset();
        if table.lead(Some(me)) {
            self.still.notify_one();
        }
        drop(table);
        self.await_token(me)
    }

    fn await_token(&self, me: TaskId) -> Token {
        let parker = Arc::clone(&self.table.lock().tasks[me.0].parker);
        parker.park(None).expect("there is no limit of time")
    }

    /// Enters a rendezvous as the receiver, whose partner is at it, and waits for its turn to complete it.
    fn meet<'a>(&self, me: TaskId, endpoints: &[&'a dyn Endpoint], index: usize) -> Selected<'a> {
        let selected = native::select(endpoints, Some(index), None);
        if matches!(selected, Selected::Native(_)) {
            self.await_token(me);
        }
        selected
    }

    /// Lets the receiver in that a sender can go ahead with, if there is one; says by which of the sender's waits.
    fn let_partner_in(&self, me: TaskId) -> Option<usize> {
        let mut table = self.table.lock();
        let Met { wait, receiver, .. } = table.steering.as_mut()?.take_met(me)?;
        table.go_on(receiver);
        // It knows by which operation: it has no other.
        table.tasks[receiver.0].parker.unpark(Token::Meet(0));
        Some(wait)
    }
}
