//! The child: it runs what it is sent.

use std::io::{self, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic;
use std::process;
use std::sync::Arc;

use super::super::execution::{Cast, Orders, Told};
use super::wire::{self, Answer, Ran, Request};
use crate::engine::threads::Settings;
use crate::engine::{self, Shared};
use crate::oracle::Contract;
use crate::script::{ContractKind, Script};
use crate::subject::Subject;

/// Runs the scripts that the parent sends, on stdin, until it sends no more.
///
/// # Errors
/// If the parent cannot be read, or sends what is no script.
pub fn serve(subject: &Arc<dyn Subject>) -> io::Result<()> {
    let stdin = io::stdin().as_fd().try_clone_to_owned()?;
    let parent = UnixStream::from(stdin);
    let answers = Arc::new(Shared::new(parent.try_clone()?));
    let mut requests = BufReader::new(parent);
    engine::quiet_panics();
    // Should the process abort, the last of these say why.
    panic::set_hook(Box::new(|info| _ = writeln!(io::stderr(), "{info}")));
    answer(&answers, &Answer::Ready);
    while let Some(Request { script, contract, noise, deadline, plan, known }) = wire::read(&mut requests)? {
        let script: Script = script.parse().map_err(|error| io::Error::other(format!("{error}")))?;
        let contract = match contract {
            ContractKind::Own => subject.contract(),
            ContractKind::Strict => Contract::strict(),
        };
        let cast = Cast::new(Arc::clone(subject), contract);
        let to = Arc::clone(&answers);
        let tell = Box::new(move |told: Told| answer(&to, &Answer::Told(told)));
        let orders = Orders { plan, known, tell: Some(tell), ..Orders::default() };
        let (run, events) = cast.run(&Arc::new(script), Settings { seed: noise, deadline }, orders);
        answer(&answers, &Answer::Done { ran: Ran::from(run), events });
    }
    Ok(())
}

/// A parent that does not listen any more has gone.
fn answer(parent: &Shared<UnixStream>, answer: &Answer) {
    if parent.with(|parent| wire::write(parent, answer)).is_err() {
        process::exit(0);
    }
}
