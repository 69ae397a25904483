//! Which code libFuzzer learns from: the subjects', and not the suite's around them.
//!
//! The compiler gives every branch of all code a counter, and before `main` libFuzzer is handed the whole table. Most of
//! what an execution counts in it is of the engine and the oracle: it says little of the subject, and reading it takes
//! longer than the execution does. So the linker leads these calls here (`build.rs`), and libFuzzer gets the counters of
//! the subjects' functions alone, which are told by their names.
//!
//! It is called at each comparison as well, and keeps the operands for its own mutations. Inputs are mutated as scripts, so
//! nobody asks for them: here they are not kept.
#![expect(
    unsafe_code,
    reason = "the compiler and libFuzzer call each other by fixed names, and share a table"
)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::{env, fs, io, ptr};

use object::{Object, ObjectSymbol};

/// The modules whose code counts.
const SUBJECTS: [&str; 3] =
    ["watchmux::mux::", "watchmux::subject::shipped::", "watchmux::subject::gallery::"];

/// What the compiler tells of a counter: where its code is, and whether a function begins there.
type Place = [usize; 2];

static COUNTERS: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
static PLACES: AtomicPtr<Place> = AtomicPtr::new(ptr::null_mut());
static COUNT: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" {
    fn __real___sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8);
    fn __real___sanitizer_cov_pcs_init(start: *const Place, stop: *const Place);
}

// SAFETY: of these names and that of the next function there are no others; each module's constructor calls them, and all
// with the same table.
#[unsafe(no_mangle)]
extern "C" fn __wrap___sanitizer_cov_8bit_counters_init(start: *mut u8, _: *mut u8) {
    COUNTERS.store(start, Ordering::Relaxed);
}

// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn __wrap___sanitizer_cov_pcs_init(start: *mut Place, stop: *mut Place) {
    PLACES.store(start, Ordering::Relaxed);
    COUNT.store((stop as usize - start as usize) / size_of::<Place>(), Ordering::Relaxed);
}

macro_rules! unheeded {
    ($($name:ident)*) => {$(
        // SAFETY: there is no other of this name, and it only returns. Written so that it is not instrumented itself.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        extern "C" fn $name() {
            std::arch::naked_asm!("ret")
        }
    )*};
}

unheeded! {
    __wrap___sanitizer_cov_trace_cmp1
    __wrap___sanitizer_cov_trace_cmp2
    __wrap___sanitizer_cov_trace_cmp4
    __wrap___sanitizer_cov_trace_cmp8
    __wrap___sanitizer_cov_trace_const_cmp1
    __wrap___sanitizer_cov_trace_const_cmp2
    __wrap___sanitizer_cov_trace_const_cmp4
    __wrap___sanitizer_cov_trace_const_cmp8
    __wrap___sanitizer_cov_trace_switch
    __wrap___sanitizer_cov_trace_pc_indir
}

/// Hands libFuzzer the counters of the subjects; all of them, and says so, where functions have no names.
pub(crate) fn tell() {
    let (counters, places) = (COUNTERS.load(Ordering::Relaxed), PLACES.load(Ordering::Relaxed));
    let count = COUNT.load(Ordering::Relaxed);
    if count == 0 {
        // A binary that replays is not instrumented.
        return;
    }
    let of_subjects = functions_of_subjects().unwrap_or_else(|error| {
        eprintln!("INFO: learning from all code: {error}");
        BTreeSet::new()
    });
    // SAFETY: the table has as many places as were told, and nobody writes to it.
    let table = unsafe { std::slice::from_raw_parts(places, count) };
    let mut counts = false;
    let counted: Vec<bool> = table
        .iter()
        .map(|[address, begins]| {
            if begins & 1 == 1 {
                counts = of_subjects.is_empty() || of_subjects.contains(address);
            }
            counts
        })
        .collect();
    let mut from = 0;
    for run in counted.chunk_by(|one, next| one == next) {
        let to = from + run.len();
        if run[0] {
            // SAFETY: libFuzzer takes any part of the table, with the places of the same part.
            unsafe {
                __real___sanitizer_cov_8bit_counters_init(counters.add(from), counters.add(to));
                __real___sanitizer_cov_pcs_init(places.add(from), places.add(to));
            }
        }
        from = to;
    }
}

/// Where the functions of the subjects begin, by the symbols of this binary.
fn functions_of_subjects() -> io::Result<BTreeSet<usize>> {
    let content = fs::read(env::current_exe()?)?;
    let binary = object::File::parse(content.as_slice()).map_err(io::Error::other)?;
    let known = "__wrap___sanitizer_cov_pcs_init";
    let here = binary.symbols().find(|symbol| symbol.name() == Ok(known));
    let here = here.ok_or_else(|| io::Error::other("the binary has no symbols"))?;
    let moved = (__wrap___sanitizer_cov_pcs_init as *const () as usize).wrapping_sub(here.address() as usize);
    let functions = binary.symbols().filter(|symbol| symbol.name().is_ok_and(is_of_subject));
    let begin: BTreeSet<usize> =
        functions.map(|symbol| moved.wrapping_add(symbol.address() as usize)).collect();
    if begin.is_empty() { Err(io::Error::other("no function is a subject's by its name")) } else { Ok(begin) }
}

/// Whether a function is a subject's, or implements a trait for one.
fn is_of_subject(symbol: &str) -> bool {
    // Without the hashes of crates and functions.
    let name = format!("{:#}", rustc_demangle::demangle(symbol));
    let name = name.trim_start_matches(['<', '&']);
    SUBJECTS.iter().any(|module| name.starts_with(module))
}
