//! [`select!`](crate::sync::select), and what it takes.

use super::{Receiver, RecvError, Select, SelectedOperation};

/// What `recv(…)` takes in a [`select!`](crate::sync::select).
pub trait Selectable {
    /// What is received.
    type Output;

    /// Takes what is there without asking the channel, if anything is.
    fn take(&self) -> Option<Self::Output>;

    /// The channel to wait for.
    fn register<'a>(&'a self, select: &mut Select<'a>) -> usize;

    /// Completes the receive.
    fn complete(&self, selected: SelectedOperation<'_>) -> Self::Output;

    /// Is told that the selection is over, whatever was selected, before anything is completed.
    fn withdraw(&self) {}
}

impl<T> Selectable for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn take(&self) -> Option<Self::Output> {
        None
    }

    fn register<'a>(&'a self, select: &mut Select<'a>) -> usize {
        select.recv(self)
    }

    fn complete(&self, selected: SelectedOperation<'_>) -> Self::Output {
        selected.recv(self)
    }
}

impl<S: Selectable + ?Sized> Selectable for &S {
    type Output = S::Output;

    fn take(&self) -> Option<Self::Output> {
        (**self).take()
    }

    fn register<'a>(&'a self, select: &mut Select<'a>) -> usize {
        (**self).register(select)
    }

    fn complete(&self, selected: SelectedOperation<'_>) -> Self::Output {
        (**self).complete(selected)
    }

    fn withdraw(&self) {
        (**self).withdraw();
    }
}

/// Waits for one of several channel operations and runs what goes with it, as crossbeam-channel's `select!`.
///
/// `recv(x)` takes a [`Receiver`] or anything else that is [`Selectable`], such as a
/// [`Watcher`](crate::Watcher); `send(x, message)` takes a [`Sender`](super::Sender), and evaluates the message only if it is
/// sent; `default` runs if nothing can go ahead, `default(timeout)` if nothing does for that long.
///
/// ```
/// use std::time::Duration;
/// use watchmux::sync::{channel, select};
///
/// let (tx, rx) = channel::bounded(1);
/// let (_quit, quitting) = channel::bounded::<()>(0);
/// select! {
///     send(tx, "hello") -> sent => sent.unwrap(),
///     recv(quitting) -> _ => unreachable!("nobody quits"),
/// }
/// let got = select! {
///     recv(rx) -> message => message.unwrap(),
///     recv(quitting) -> _ => "quit",
///     default(Duration::from_secs(1)) => "nothing",
/// };
/// assert_eq!(got, "hello");
/// ```
#[macro_export]
macro_rules! select {
    // A list of arms is taken apart one arm at a time: each handle is bound, and its arm is kept with the names
    // of what belongs to it.
    (@arms [$($arm:tt)*] [$($default:tt)*]) => {
        $crate::select!(@wait [$($arm)*] [$($default)*])
    };
    (@arms [$($arm:tt)*] [] default $(())? => $body:block $(,)? $($rest:tt)*) => {
        $crate::select!(@arms [$($arm)*] [now $body] $($rest)*)
    };
    (@arms [$($arm:tt)*] [] default $(())? => $body:expr $(, $($rest:tt)*)?) => {
        $crate::select!(@arms [$($arm)*] [now $body] $($($rest)*)?)
    };
    (@arms [$($arm:tt)*] [] default($timeout:expr $(,)?) => $body:block $(,)? $($rest:tt)*) => {
        $crate::select!(@arms [$($arm)*] [($timeout) $body] $($rest)*)
    };
    (@arms [$($arm:tt)*] [] default($timeout:expr $(,)?) => $body:expr $(, $($rest:tt)*)?) => {
        $crate::select!(@arms [$($arm)*] [($timeout) $body] $($($rest)*)?)
    };
    (@arms [$($arm:tt)*] [$($default:tt)*] recv($handle:expr $(,)?) -> $result:pat => $body:block $(,)? $($rest:tt)*) => {
        match &$handle { handle => $crate::select!(
            @arms [$($arm)* (recv handle index taken [] $result, $body)] [$($default)*] $($rest)*
        ) }
    };
    (@arms [$($arm:tt)*] [$($default:tt)*] recv($handle:expr $(,)?) -> $result:pat => $body:expr $(, $($rest:tt)*)?) => {
        match &$handle { handle => $crate::select!(
            @arms [$($arm)* (recv handle index taken [] $result, $body)] [$($default)*] $($($rest)*)?
        ) }
    };
    (@arms [$($arm:tt)*] [$($default:tt)*] send($handle:expr, $message:expr $(,)?) -> $result:pat => $body:block $(,)? $($rest:tt)*) => {
        match &$handle { handle => $crate::select!(
            @arms [$($arm)* (send handle index taken [$message] $result, $body)] [$($default)*] $($rest)*
        ) }
    };
    (@arms [$($arm:tt)*] [$($default:tt)*] send($handle:expr, $message:expr $(,)?) -> $result:pat => $body:expr $(, $($rest:tt)*)?) => {
        match &$handle { handle => $crate::select!(
            @arms [$($arm)* (send handle index taken [$message] $result, $body)] [$($default)*] $($($rest)*)?
        ) }
    };

    // What is there without waiting goes first; then the channels are asked.
    (@wait [$(($kind:ident $handle:ident $index:ident $taken:ident [$($message:expr)?] $result:pat, $body:expr))+] [$($default:tt)*]) => {{
        #[allow(unused_mut, unused_assignments, unused_variables, clippy::redundant_locals, reason = "what is used depends on the arms")]
        let selected = {
            let mut waits = true;
            $( let mut $taken = $crate::select!(@take $kind $handle waits); waits = waits && $taken.is_none(); )+
            let mut select = $crate::sync::channel::Select::new();
            $( let $index = $crate::select!(@register $kind $handle select); )+
            let selected = if waits {
                $crate::select!(@select select [$($default)*])
            } else {
                ::core::option::Option::None
            };
            $( $crate::select!(@withdraw $kind $handle); )+
            ($(($index, $taken),)+ waits, selected)
        };
        #[allow(unused_variables, reason = "what is used depends on the arms")]
        let ($(($index, $taken),)+ waits, selected) = selected;
        $crate::select!(@run waits selected [$(($kind $handle $index $taken [$($message)?] $result, $body))+] [$($default)*])
    }};

    (@take recv $handle:ident $waits:ident) => {
        if $waits { $crate::sync::channel::Selectable::take($handle) } else { ::core::option::Option::None }
    };
    (@take send $handle:ident $waits:ident) => { ::core::option::Option::None::<()> };
    (@register recv $handle:ident $select:ident) => {
        $crate::sync::channel::Selectable::register($handle, &mut $select)
    };
    (@register send $handle:ident $select:ident) => { $select.send($handle) };
    (@withdraw recv $handle:ident) => { $crate::sync::channel::Selectable::withdraw($handle) };
    (@withdraw send $handle:ident) => {};
    (@select $select:ident []) => { ::core::option::Option::Some($select.select()) };
    (@select $select:ident [now $body:expr]) => { $select.try_select().ok() };
    (@select $select:ident [($timeout:expr) $body:expr]) => { $select.select_timeout($timeout).ok() };

    (@run $waits:ident $selected:ident [$first:tt $($rest:tt)*] [$($default:tt)*]) => {
        $crate::select!(@arm $waits $selected $first [$($rest)*] [$($default)*])
    };
    (@run $waits:ident $selected:ident [] []) => { ::core::unreachable!("a selection ends with one of its operations") };
    (@run $waits:ident $selected:ident [] [$when:tt $body:expr]) => { $body };
    (@arm $waits:ident $selected:ident (recv $handle:ident $index:ident $taken:ident [] $result:pat, $body:expr) $rest:tt $default:tt) => {
        if $taken.is_some() || $selected.as_ref().is_some_and(|selected| selected.index() == $index) {
            let $result = match $taken {
                ::core::option::Option::Some(taken) => taken,
                ::core::option::Option::None => $crate::sync::channel::Selectable::complete(
                    $handle,
                    $selected.expect("an operation was selected"),
                ),
            };
            $body
        } else {
            $crate::select!(@run $waits $selected $rest $default)
        }
    };
    (@arm $waits:ident $selected:ident (send $handle:ident $index:ident $taken:ident [$message:expr] $result:pat, $body:expr) $rest:tt $default:tt) => {
        if $selected.as_ref().is_some_and(|selected| selected.index() == $index) {
            let $result = $selected.expect("an operation was selected").send($handle, $message);
            $body
        } else {
            $crate::select!(@run $waits $selected $rest $default)
        }
    };

    ($($arms:tt)+) => { $crate::select!(@arms [] [] $($arms)+) };
}
