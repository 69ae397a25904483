//! Stacks: where in the subject's code a task is blocked or has panicked, and by which calls it got there.
//!
//! What is captured on a task's own stack is addresses alone; they become functions, files and lines on the stack of
//! whoever asks, for a fiber's is small.

use std::cell::RefCell;
use std::ffi::c_void;
use std::sync::Arc;

use super::{Shared, State, TaskId};

/// The stack of a task, from the innermost call outwards: what is the subject's of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The task.
    pub task: TaskId,
    /// Whether it is as it was when the task panicked, for the last time if it did so more than once; otherwise it is as
    /// it was at the end.
    pub panicked: bool,
    /// Its calls. None are known where the code was built without line tables.
    pub frames: Vec<Frame>,
}

/// One call on a [`Stack`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The function, by its whole path.
    pub function: String,
    /// The file, from the root of the package if it is known.
    pub file: String,
    /// The line.
    pub line: u32,
}

impl Frame {
    /// The function by the last parts of its path, as a reader who has the file beside it needs it:
    /// `Mux::distribute` for `my_crate::mux::Mux::distribute`, `Running::stop for Mux` for one of a trait.
    pub fn short_function(&self) -> String {
        short(&self.function)
    }
}

/// The stacks of an execution as they were captured, to be told once somebody reads them.
#[derive(Clone, Debug, Default)]
pub struct Stacks(Vec<Captured>);

/// A stack as it is captured: addresses, from the innermost call outwards.
#[derive(Clone, Debug)]
struct Captured {
    task: TaskId,
    panicked: bool,
    addresses: Vec<usize>,
}

/// What takes the stacks of one execution.
#[derive(Default)]
pub(super) struct Album(Shared<Vec<Captured>>);

thread_local! {
    /// What takes the stacks of the tasks that run on this thread, if anything does.
    static OPEN: RefCell<Option<Arc<Album>>> = const { RefCell::new(None) };
}

/// While it lives, panics of tasks on this thread are captured.
pub(super) struct Open(Option<Arc<Album>>);

impl Album {
    pub(super) fn open(self: &Arc<Self>) -> Open {
        Open(OPEN.replace(Some(Arc::clone(self))))
    }

    /// What was captured.
    pub(super) fn take(&self) -> Stacks {
        Stacks(self.0.with(std::mem::take))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.set(self.0.take());
    }
}

/// Captures the stack of this task, which calls this, if that is wanted. Of several panics the last one counts, and of waits
/// the first: that of a task that is unwound, before its destructors wait for anything.
pub(super) fn capture(task: TaskId, panicked: bool) {
    let Some(album) = OPEN.with_borrow(Option::clone) else { return };
    let is_it = |known: &Captured| known.task == task && known.panicked == panicked;
    if !panicked && album.0.with(|album| album.iter().any(is_it)) {
        return;
    }
    let captured = Captured { task, panicked, addresses: addresses() };
    album.0.with(|album| {
        album.retain(|known| !is_it(known));
        album.push(captured);
    });
}

/// The addresses of the calls on the stack that this is called on.
fn addresses() -> Vec<usize> {
    let mut addresses = Vec::new();
    backtrace::trace(|frame| {
        addresses.push(frame.ip() as usize);
        true
    });
    addresses
}

impl Stacks {
    /// What was captured, in the order of the tasks; the places of this state's waits say where their packages are.
    pub fn resolve(&self, state: &State) -> Vec<Stack> {
        let stack = |Captured { task, panicked, addresses }: &Captured| {
            let frames = trimmed(addresses.iter().flat_map(|address| frames(*address)));
            Stack { task: *task, panicked: *panicked, frames }
        };
        let mut stacks: Vec<Stack> = self.0.iter().map(stack).collect();
        stacks.sort_by_key(|stack| (stack.task, stack.panicked));
        let roots = roots(&stacks, state);
        for frame in stacks.iter_mut().flat_map(|stack| &mut stack.frames) {
            frame.file = short_file(&frame.file, &roots);
        }
        stacks
    }
}

/// The calls at an address: several where some were inlined.
fn frames(address: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    backtrace::resolve(address as *mut c_void, |symbol| {
        let function = symbol.name().map_or_else(String::new, |name| format!("{name:#}"));
        let file = symbol.filename().map_or_else(String::new, |file| file.display().to_string());
        frames.push(Frame { function, file, line: symbol.lineno().unwrap_or(0) });
    });
    frames
}

/// Whose code a call is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Subject,
    /// What the subject calls: the seam, the standard library.
    Below,
    /// What calls the subject: the engine, the harness.
    Above,
}

/// Functions below the subject, by how their paths begin.
const BELOW: [&str; 12] = [
    "std::",
    "core::",
    "alloc::",
    "backtrace::",
    "crossbeam_channel::",
    "lock_api::",
    "parking_lot::",
    "__rust",
    "rust_",
    "watchmux::sync::",
    "watchmux::subject::payload::",
    "watchmux::subject::gallery::gochan::",
];

/// Functions above the subject.
const ABOVE: [&str; 4] = ["corosensei::", "watchmux::engine::", "watchmux::explore::", "watchmux::hunt::"];

/// Folders of what is below the subject: line tables have functions without their paths.
const FOLDERS_BELOW: [&str; 7] = [
    "/library/std/",
    "/library/core/",
    "/library/alloc/",
    "/backtrace-",
    "/crossbeam-channel-",
    "/lock_api-",
    "/parking_lot-",
];

/// Folders and files of this crate that are below the subject, and above it.
const OWN_BELOW: [&str; 3] = ["/src/sync/", "/src/subject/payload.rs", "/src/subject/gallery/gochan.rs"];
const OWN_ABOVE: [&str; 3] = ["/src/engine/", "/src/explore.rs", "/src/hunt/"];

fn owner(Frame { function, file, .. }: &Frame) -> Owner {
    let own = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or_default();
    let path = function.trim_start_matches(['<', '&', '(', '*']);
    let path = path.trim_start_matches("mut ").trim_start_matches("dyn ");
    // Whose a function is says its own path, not whose types it is for.
    let path = path.split(['<', ' ']).next().unwrap_or_default().trim_end_matches("::");
    let is_of = |crates: &[&str]| crates.iter().any(|prefix| path.starts_with(prefix));
    let is_in = |folders: &[&str]| folders.iter().any(|folder| own.starts_with(folder));
    match () {
        () if FOLDERS_BELOW.iter().any(|folder| file.contains(folder)) => Owner::Below,
        // The engine's own tests are subjects of their own.
        () if path.contains("::tests::") || own.starts_with("/src/") && own.ends_with("tests.rs") => {
            Owner::Subject
        }
        () if is_of(&ABOVE) || is_in(&OWN_ABOVE) || file.contains("/corosensei-") => Owner::Above,
        () if is_of(&BELOW) || is_in(&OWN_BELOW) || path.is_empty() => Owner::Below,
        () => Owner::Subject,
    }
}

/// The subject's calls: up to the one that called the subject.
fn trimmed(frames: impl Iterator<Item = Frame>) -> Vec<Frame> {
    let is_base =
        |frame: &Frame| frame.function.contains("corosensei::") || frame.file.contains("/corosensei-");
    let inner = frames.take_while(|frame| !is_base(frame));
    let from_subject = inner.skip_while(|frame| owner(frame) != Owner::Subject);
    let of_subject = from_subject.take_while(|frame| owner(frame) != Owner::Above);
    of_subject.filter(|frame| owner(frame) == Owner::Subject && !frame.file.is_empty()).collect()
}

/// The folders that the places of the state's waits are named from.
fn roots(stacks: &[Stack], state: &State) -> Vec<String> {
    let places = state.blocked().flat_map(|(_, waits)| waits).map(|wait| wait.location.file());
    let made = state.objects.iter().map(|object| object.made.file());
    let named: Vec<&str> = places.chain(made).collect();
    let frames = stacks.iter().flat_map(|stack| &stack.frames);
    let roots = frames.filter_map(|frame| {
        let is_it =
            |file: &&&str| frame.file.strip_suffix(**file).is_some_and(|root| root.ends_with(['/', '\\']));
        let file = named.iter().find(is_it)?;
        frame.file.strip_suffix(file).map(str::to_owned)
    });
    let mut roots: Vec<String> = roots.collect();
    roots.sort_by_key(|root| std::cmp::Reverse(root.len()));
    roots.dedup();
    roots
}

/// A file from the root of its package: of those known, or one of a registry.
fn short_file(file: &str, roots: &[String]) -> String {
    if let Some(short) = roots.iter().find_map(|root| file.strip_prefix(root.as_str())) {
        return short.to_owned();
    }
    let registry = file.split_once("/registry/src/").and_then(|(_, rest)| rest.split_once('/'));
    registry.map_or(file, |(_, package)| package).to_owned()
}

/// The last parts of a path, without what a generic function was called with.
fn short(function: &str) -> String {
    let Some((of, method)) = function.strip_prefix('<').and_then(split_at_close) else {
        return last(&without_generics(function), 2);
    };
    match of.split_once(" as ") {
        Some((of, of_trait)) => {
            let [of, of_trait] = [of, of_trait].map(|path| last(&without_generics(path), 1));
            format!("{of_trait}{} for {of}", without_generics(method))
        }
        None => last(&without_generics(&format!("{of}{method}")), 2),
    }
}

/// What is before the `>` that closes a `<` already read, and what is after it.
fn split_at_close(path: &str) -> Option<(&str, &str)> {
    let mut depth = 1;
    for (at, letter) in path.char_indices() {
        match letter {
            '<' => depth += 1,
            '>' if path[..at].ends_with('-') => {}
            '>' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&path[..at], &path[at + 1..]));
        }
    }
    None
}

/// `a::B::d` for `a::B<C>::d`.
fn without_generics(path: &str) -> String {
    let mut plain = String::new();
    let mut rest = path;
    while let Some((before, generic)) = rest.split_once('<') {
        plain.push_str(before);
        rest = split_at_close(generic).map_or("", |(_, after)| after);
    }
    (plain + rest).replace("::::", "::")
}

/// The last names of a path; closures come with what they are in.
fn last(path: &str, names: usize) -> String {
    let parts: Vec<&str> = path.split("::").collect();
    let closures = parts.iter().filter(|part| part.starts_with('{')).count();
    parts[parts.len().saturating_sub(names + closures)..].join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, file: &str) -> Frame {
        Frame { function: function.to_owned(), file: file.to_owned(), line: 1 }
    }

    #[test]
    fn what_is_left_is_the_subjects() {
        let frames = [
            "backtrace::backtrace::trace",
            "watchmux::engine::stack::capture",
            "watchmux::engine::fibers::fiber::give_way",
            "watchmux::sync::channel::Sender<T>::send",
            "my_mux::Mux<E>::distribute",
            "<alloc::boxed::Box<F> as core::ops::function::FnOnce<Args>>::call_once",
            "<my_mux::Mux as watchmux::subject::Running>::action",
            "watchmux::hunt::execution::call::call",
            "my_mux::main",
        ];
        let trimmed = trimmed(frames.iter().map(|function| frame(function, "a.rs")));
        let left: Vec<&str> = trimmed.iter().map(|frame| frame.function.as_str()).collect();
        assert_eq!(
            left,
            ["my_mux::Mux<E>::distribute", "<my_mux::Mux as watchmux::subject::Running>::action"]
        );
    }

    /// As symbols are mangled from Rust 1.97 on.
    #[test]
    fn whose_types_a_function_is_for_does_not_make_it_theirs() {
        let frames = [
            (
                "<a::mux::tests::Closure as core::ops::function::FnOnce<()>>::call_once",
                "/library/core/src/ops.rs",
            ),
            ("std::panicking::catch_unwind::do_call::<a::tests::run::{closure#0}, ()>", "b.rs"),
            ("watchmux::sync::seam::task::observe::<(), a::tests::run::{closure#0}>", "b.rs"),
        ];
        for (function, file) in frames {
            assert_eq!(owner(&frame(function, file)), Owner::Below, "{function}");
        }
        assert_eq!(owner(&frame("<a::Mux<a::Event> as a::Run>::run::{closure#0}", "a.rs")), Owner::Subject);
    }

    #[test]
    fn where_functions_have_no_paths_files_tell_the_subjects() {
        let own = |file: &str| format!("{}/src/{file}", env!("CARGO_MANIFEST_DIR"));
        let frames = [
            ("trace", "/c/registry/src/index-1/backtrace-0.3.77/src/backtrace/mod.rs".to_owned()),
            ("{closure#0}", "/rustc/0/library/std/src/thread/local.rs".to_owned()),
            ("give_way", own("engine/fibers/fiber.rs")),
            ("send", own("sync/channel/select.rs")),
            ("distribute", own("subject/gallery/watchers.rs")),
            ("catch_unwind", own("sync/mod.rs")),
            ("run", "/home/me/mux/src/lib.rs".to_owned()),
            ("call_once", "/rustc/0/library/core/src/ops/function.rs".to_owned()),
            ("perform", own("hunt/execution.rs")),
            ("main", "/home/me/mux/src/main.rs".to_owned()),
        ];
        let trimmed = trimmed(frames.iter().map(|(function, file)| frame(function, file)));
        let left: Vec<&str> = trimmed.iter().map(|frame| frame.function.as_str()).collect();
        assert_eq!(left, ["distribute", "run"]);
        let base = [
            ("capture", own("engine/stack.rs")),
            ("resume", "/c/corosensei-0.3.4/src/coroutine.rs".to_owned()),
        ];
        let under = [("main", "/home/me/mux/src/main.rs".to_owned())];
        let frames = base.iter().chain(&under).map(|(function, file)| frame(function, file));
        assert_eq!(super::trimmed(frames), []);
    }

    #[test]
    fn what_is_under_a_fiber_is_none_of_it() {
        let frames = ["watchmux::engine::stack::capture", "corosensei::coroutine::on_stack", "my_mux::main"];
        assert_eq!(trimmed(frames.iter().map(|function| frame(function, "a.rs"))), []);
    }

    #[test]
    fn functions_are_told_by_their_last_names() {
        for (whole, told) in [
            ("my_mux::mux::Mux<E>::distribute", "Mux::distribute"),
            ("my_mux::Mux<alloc::vec::Vec<u8>>::start::{{closure}}", "Mux::start::{{closure}}"),
            ("<my_mux::mux::Mux as watchmux::subject::Running>::stop", "Running::stop for Mux"),
            ("<my_mux::Mux<E> as watchmux::subject::Running>::stop", "Running::stop for Mux"),
            ("door::opens", "door::opens"),
            ("opens", "opens"),
        ] {
            assert_eq!(short(whole), told);
        }
    }

    #[test]
    fn files_are_told_from_the_root_of_their_package() {
        let roots = ["/home/me/mux/".to_owned()];
        assert_eq!(short_file("/home/me/mux/src/lib.rs", &roots), "src/lib.rs");
        assert_eq!(short_file("/c/registry/src/index-1/bus-2.0/src/lib.rs", &roots), "bus-2.0/src/lib.rs");
        assert_eq!(short_file("/elsewhere/lib.rs", &roots), "/elsewhere/lib.rs");
    }
}
