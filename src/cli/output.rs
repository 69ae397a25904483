use std::io::{self, ErrorKind, Write};

use anstream::AutoStream;

use super::Failure;
use crate::report::Layout;

/// Where results go: stdout, without colours where they are not wanted. Nobody reading any more is no failure.
pub(super) struct Output {
    out: Box<dyn Write>,
    layout: Layout,
}

impl Output {
    pub(super) fn stdout() -> Output {
        let layout = match terminal_size::terminal_size_of(io::stdout()) {
            Some((terminal_size::Width(columns), _)) => Layout::of(columns.into()),
            None => Layout::default(),
        };
        Output { out: Box::new(Pipe { inner: AutoStream::auto(io::stdout()), closed: false }), layout }
    }

    /// What is written has to fit this: the terminal's width, if it is one.
    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// Writes, and passes it on at once.
    pub(super) fn write(&mut self, f: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        let written = f(&mut self.out).and_then(|()| self.out.flush());
        written.map_err(|error| Failure::tool("stdout", error))
    }

    pub(super) fn print(&mut self, text: &str) -> Result<(), Failure> {
        self.write(|out| out.write_all(text.as_bytes()))
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.write(|_| Ok(()))
    }
}

/// A writer that takes anything once its other end is closed.
struct Pipe<W> {
    inner: W,
    closed: bool,
}

impl<W> Pipe<W> {
    fn unless_closed<T>(&mut self, otherwise: T, f: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.closed {
            return Ok(otherwise);
        }
        match f(&mut self.inner) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(otherwise)
            }
            result => result,
        }
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_closed(bytes.len(), |inner| inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_closed((), Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error_and_a_full_disk_is() {
        let to = |kind| Pipe { inner: Broken(kind), closed: false };
        assert!(to(ErrorKind::BrokenPipe).write_all(b"text").is_ok());
        assert!(to(ErrorKind::BrokenPipe).flush().is_ok());
        assert!(to(ErrorKind::StorageFull).write_all(b"text").is_err());
    }
}
