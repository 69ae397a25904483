//! What the fuzz targets have in common: a subject and an engine, and how inputs are mutated.

#[cfg(target_os = "linux")]
mod code;

use std::fmt;
use std::time::Duration;

use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};
use watchmux::engine::coverage;
use watchmux::hunt::{EngineKind, Fuzzing, Trial};
use watchmux::script::bytes::Input;
use watchmux::script::{ContractKind, mutate};
use watchmux::subject;

/// How long a run on free threads may take before nothing is concluded from it.
const DEADLINE: Duration = Duration::from_secs(1);

/// The subject of this name on this engine, judged by that contract.
pub fn fuzzing(subject: &str, contract: &str, engine: EngineKind) -> Fuzzing {
    let subjects = subject::all();
    let names: Vec<&str> = subjects.iter().map(|subject| subject.name()).collect();
    let found = subjects.iter().find(|other| other.name() == subject);
    let found = found.unwrap_or_else(|| refuse("WATCHMUX_SUBJECT", subject, &names.join(", ")));
    let kind = ContractKind::ALL.into_iter().find(|kind| kind.name() == contract);
    let kind = kind.unwrap_or_else(|| refuse("WATCHMUX_CONTRACT", contract, "own, strict"));
    Fuzzing::new(Trial::new(found.clone(), kind, DEADLINE), engine)
}

/// A variable of the environment; the default if it is not set.
pub fn variable(name: &str, default: &str) -> String {
    std::env::var_os(name).map_or_else(|| default.to_owned(), |value| value.to_string_lossy().into_owned())
}

fn refuse(name: &str, read: &str, expected: &str) -> ! {
    eprintln!("error: {name}: read `{}`, expected one of {expected}", read.escape_debug());
    std::process::exit(2)
}

/// Has libFuzzer see the code of the subjects, and synchronization.
pub fn begin() {
    #[cfg(target_os = "linux")]
    code::tell();
    coverage::turn_on();
}

/// An input as libFuzzer has it. `cargo fuzz fmt` prints it as text.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Arbitrary<'a> for Bytes<'a> {
    fn arbitrary(data: &mut Unstructured<'a>) -> arbitrary::Result<Bytes<'a>> {
        data.bytes(data.len()).map(Bytes)
    }
}

impl fmt::Debug for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Input::from_bytes(self.0).fmt(f)
    }
}

/// Mutates `data[..size]` in place; the new size.
pub fn mutated(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let made = mutate::mutate(&data[..size], most, seed.into());
    put(&made, data)
}

/// Crosses two inputs; the size of what is made.
pub fn crossed(one: &[u8], other: &[u8], out: &mut [u8], seed: u32) -> usize {
    put(&mutate::cross(one, other, out.len(), seed.into()), out)
}

fn put(made: &[u8], out: &mut [u8]) -> usize {
    out[..made.len()].copy_from_slice(made);
    made.len()
}

/// A fuzz target that runs its inputs as scripts.
#[macro_export]
macro_rules! target {
    ($fuzzing:expr) => {
        static FUZZING: std::sync::LazyLock<watchmux::hunt::Fuzzing> = std::sync::LazyLock::new(|| $fuzzing);

        libfuzzer_sys::fuzz_target!(
            init: {
                std::sync::LazyLock::force(&FUZZING);
                $crate::begin();
            },
            |input: $crate::Bytes| watchmux::cli::fuzz(&FUZZING, input.0)
        );

        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutated(data, size, max_size, seed)
        });

        libfuzzer_sys::fuzz_crossover!(|one: &[u8], other: &[u8], out: &mut [u8], seed: u32| {
            $crate::crossed(one, other, out, seed)
        });
    };
}
