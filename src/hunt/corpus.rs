//! The corpus: scripts in files, read with care and written whole.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::outcome::{Found, Group};
use super::quantity::many;
use super::trial::Trial;
use crate::oracle::Signature;
use crate::script::bytes::{Choices, Input};
use crate::script::text::{self, Entry, Expect};
use crate::script::{ContractKind, Plan};

/// The end of the name of a script in the text form.
pub const EXTENSION: &str = "script";

/// The largest file that is read, in bytes.
pub const MAX_SIZE: u64 = 1 << 24;

/// What libFuzzer puts before the 40 hex digits of a file's name, if anything.
const PREFIXES: [&str; 6] = ["crash-", "timeout-", "oom-", "leak-", "slow-unit-", "minimized-from-"];

/// An entry, and where it was read from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The file.
    pub path: PathBuf,
    /// Its content.
    pub entry: Entry,
    /// The choices that came with the script, if its content is bytes.
    pub choices: Option<Choices>,
    /// The lines that name a subject or a panic: how each begins, what it names, and its number, from 1.
    lines: Vec<(String, String, usize)>,
}

impl Loaded {
    /// The first line that names the subject, from 1; 1 if none does.
    pub fn line_of(&self, subject: &str) -> usize {
        self.line(|first, name| first != "panic" && name == subject)
    }

    /// The line that plans a panic, from 1; 1 if none does.
    pub fn line_of_panic(&self) -> usize {
        self.line(|first, _| first == "panic")
    }

    fn line(&self, is_it: impl Fn(&str, &str) -> bool) -> usize {
        self.lines.iter().find(|(first, name, _)| is_it(first, name)).map_or(1, |(.., line)| *line)
    }
}

/// What could not be read: one line that says where, what was read and what was expected.
#[derive(Debug)]
pub struct LoadError(String);

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LoadError {}

/// Reads files, and of folders each `*.script` and each file named as libFuzzer names them, by name.
///
/// # Errors
/// At the first that cannot be read or is not a script, and at a folder with none of these.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Loaded>, LoadError> {
    let mut entries = Vec::new();
    for path in paths {
        if path.is_dir() {
            for file in folder(path)? {
                entries.push(load_file(&file)?);
            }
        } else {
            entries.push(load_file(path)?);
        }
    }
    Ok(entries)
}

fn folder(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let failed = |error| LoadError(format!("{}: cannot be read: {error}", path.display()));
    let mut files = Vec::new();
    for item in fs::read_dir(path).map_err(failed)? {
        let file = item.map_err(failed)?.path();
        let is_script = file.extension().is_some_and(|extension| extension == EXTENSION);
        if (is_script || is_bytes(&file)) && !file.is_dir() {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        let name = path.display();
        return Err(LoadError(format!(
            "{name}: read a folder without scripts, expected a `*.{EXTENSION}` in it"
        )));
    }
    Ok(files)
}

fn load_file(path: &Path) -> Result<Loaded, LoadError> {
    let name = path.display().to_string();
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_SIZE + 1).read_to_end(&mut content));
    match read {
        Err(error) => return Err(LoadError(format!("{name}: cannot be read: {error}"))),
        Ok(size) if size as u64 > MAX_SIZE => {
            return Err(LoadError(format!("{name}: read more than {MAX_SIZE} bytes, expected a script")));
        }
        Ok(_) => {}
    }
    if is_bytes(path) {
        let Input { script, choices } = Input::from_bytes(&content);
        let entry = Entry::from(script);
        return Ok(Loaded { path: path.to_owned(), entry, choices: Some(choices), lines: Vec::new() });
    }
    let entry = text::parse_bytes(&name, &content).map_err(|error| LoadError(error.to_string()))?;
    Ok(Loaded {
        path: path.to_owned(),
        entry,
        choices: None,
        lines: naming_lines(&String::from_utf8_lossy(&content)),
    })
}

/// The lines that name a subject or a panic.
fn naming_lines(text: &str) -> Vec<(String, String, usize)> {
    let lines = text.lines().enumerate().filter_map(|(index, line)| {
        let mut words = line.split_whitespace();
        let first = words.next().filter(|first| matches!(*first, "subject" | "expect" | "panic"))?;
        words.next().map(|name| (first.to_owned(), name.to_owned(), index + 1))
    });
    lines.collect()
}

/// How libFuzzer names an input of its corpus: after its content.
pub fn bytes_name(content: &[u8]) -> String {
    sha1_smol::Sha1::from(content).digest().to_string()
}

/// Whether the file is named as libFuzzer names them: its content is bytes.
pub fn is_bytes(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let Some((front, digits)) = name.len().checked_sub(40).and_then(|middle| name.split_at_checked(middle))
    else {
        return false;
    };
    let is_hex = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_hex && (front.is_empty() || PREFIXES.iter().any(|prefix| front.ends_with(prefix)))
}

/// What a kept finding asks of whoever keeps it.
pub const POSTMORTEM: &str =
    "Postmortem (to be filled in): what went wrong, why nothing caught it, what was changed.";

/// What is kept of a finding: its script, the verdict it must have, and what there is to know.
pub fn entry(trial: &Trial, seed: Option<u64>, group: &Group) -> Entry {
    let (subject, contract) = (trial.subject().name(), trial.kind);
    let Found { engine, run, script: first, .. } = &group.found;
    let (finding, script, execution) = group.shown();
    let Signature { verdict, class, .. } = finding.signature;
    let mut header = vec![
        format!("{subject}, {} contract: {verdict}, {class}", contract.name()),
        String::new(),
        finding.sentence.clone(),
        format!("Broken: {}", finding.clause),
        format!(
            "Found {} {}, by a script of {} in {}.",
            engine.phrase(),
            seed.map_or_else(
                || "by a fuzzer".to_owned(),
                |seed| format!("in run {} of seed {seed}", run + 1)
            ),
            many(first.ops() as u64, "op"),
            many(first.lanes.len() as u64, "lane")
        ),
    ];
    if let Some(shrunk) = &group.shrunk
        && let Some(claim) = shrunk.claim()
    {
        header.push(format!("Shrunk {}: {claim}.", shrunk.method.engine().phrase()));
    }
    header.extend([String::new(), POSTMORTEM.to_owned()]);
    for line in &mut header {
        // A header is lines of text, whatever a subject's message holds.
        *line = line
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect::<String>()
            .trim_end()
            .to_owned();
    }
    let expect = Expect { subject: subject.to_owned(), contract, verdict };
    Entry {
        header,
        subject: Some(subject.to_owned()),
        panic: trial.plan(),
        script: script.clone(),
        schedule: execution.schedule(),
        expects: vec![expect],
    }
}

/// The name of the file that findings of this signature are kept in.
pub fn file_name(trial: &Trial, signature: &Signature) -> String {
    name_of(trial.subject().name(), trial.kind, trial.plan(), signature)
}

fn name_of(subject: &str, contract: ContractKind, plan: Option<Plan>, signature: &Signature) -> String {
    let Signature { verdict, class, op, shape, wind_down } = signature;
    let op = op.map_or("-", |op| op.name());
    let panic = plan.map(|plan| format!("|panic {plan}")).unwrap_or_default();
    let text = format!("{}|{verdict}|{class}|{op}|{shape}|{wind_down}{panic}", contract.name());
    // FNV-1a: the same on every machine and with every compiler, as the names must be.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{subject}-{:08x}.{EXTENSION}", hash as u32)
}

/// Writes an entry to a file of this name, whole or not at all, and says where. The folder is made if it is not
/// there; a file that is there already gives way only to a smaller script.
///
/// # Errors
/// If the folder or the file cannot be written.
pub fn save(folder: &Path, name: &str, entry: &Entry) -> io::Result<PathBuf> {
    let path = folder.join(name);
    let kept = load_file(&path).is_ok_and(|kept| kept.entry.script.ops() <= entry.script.ops());
    if kept {
        return Ok(path);
    }
    write(folder, name, entry.to_string().as_bytes())
}

/// Writes a file of this name, whole or not at all, and says where. The folder is made if it is not there.
///
/// # Errors
/// If the folder or the file cannot be written.
pub fn write(folder: &Path, name: &str, content: &[u8]) -> io::Result<PathBuf> {
    let path = folder.join(name);
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As for any other file: what the umask leaves of it.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use super::super::engines::{EngineKind, Engines};
    use super::super::explore::Extent;
    use super::super::lead::Lead;
    use super::super::rerun::{Effort, Jobs};
    use super::super::shrink::{Method, shrink};
    use super::super::testing;
    use super::*;
    use crate::hunt::Outcome;
    use crate::oracle::{Class, Verdict};
    use crate::report::{self, Layout};
    use crate::script::{OpKind, Script};

    #[test]
    fn bytes_are_what_libfuzzer_names() {
        let digits = "0123456789abcdef0123456789abcdef01234567";
        for name in ["", "crash-", "timeout-", "oom-", "leak-", "slow-unit-", "minimized-from-", "my-crash-"]
        {
            assert!(is_bytes(Path::new(&format!("folder/{name}{digits}"))), "{name}");
        }
        for name in
            [&digits[1..], &digits.to_uppercase(), &format!("other{digits}"), &format!("{digits}.script")]
        {
            assert!(!is_bytes(Path::new(name)), "{name}");
        }
        assert!(!is_bytes(Path::new("é0123456789abcdef0123456789abcdef0123456")));
    }

    #[test]
    fn names_stay_the_same() {
        let mut signature = Signature {
            verdict: Verdict::Hang,
            class: Class::MixedChannelLock,
            op: Some(OpKind::Stop),
            shape: "shape".to_owned(),
            wind_down: false,
        };
        let name = |plan, signature: &Signature| name_of("mux", ContractKind::Own, plan, signature);
        assert_eq!(name(None, &signature), "mux-a083f849.script");
        assert_ne!(name(Some(Plan::Clone(0)), &signature), "mux-a083f849.script");
        signature.wind_down = true;
        assert_ne!(name(None, &signature), "mux-a083f849.script");
    }

    #[test]
    fn what_is_kept_claims_no_more_than_the_report() {
        let trial = testing::trial();
        let script: Script =
            "mux incoming=0 queue=0 when-full=wait\nlane\n  action\n  action\n  action".parse().unwrap();
        let engine = EngineKind::Fibers;
        let execution = Lead::new(engine, 1).execute(&trial, &Arc::new(script.clone()), 1);
        let finding = execution.judgement.findings[0].clone();
        let found = Found { engine, run: 0, strategy: String::new(), script, finding, execution };
        let stop = AtomicBool::new(false);
        let effort = Effort { jobs: Jobs::each(1), time: None, stop: &stop };
        let shrunk = shrink(&trial, &found, 1, Engines::Fibers, effort);
        let group = Group { count: 1, found, shrunk: Some(shrunk), saved: None };
        let mut outcome = Outcome {
            subject: "brittle".to_owned(),
            contract: ContractKind::Own,
            seed: Some(1),
            phases: Vec::new(),
            interrupted: false,
            findings: vec![group],
        };
        let joint = |removals| Method::Joint { removals, preemptions: 0, fewest: true };
        let sampled = |reruns, capped| Method::Sampled { reruns, capped };
        let fibers = "Shrunk on fibers: ";
        let threads = "Shrunk on free threads: ";
        for (method, minimal, on, claim) in [
            (joint(Extent::All), true, fibers, "no op can be removed (all schedules explored)"),
            (
                joint(Extent::Preemptions(1)),
                true,
                fibers,
                "no op can be removed (every schedule with up to 1 preemption explored)",
            ),
            (joint(Extent::Schedules(10_000)), true, fibers, "with an op less, not in 10,000 schedules"),
            (joint(Extent::All), false, fibers, "given up after 7 candidates"),
            (sampled(100, false), true, threads, "no op can be removed (100 reruns of each candidate)"),
            (
                sampled(2_000, true),
                true,
                threads,
                "with an op less, not in 2,000 reruns (it shows too rarely to say more)",
            ),
            (sampled(2_000, true), false, threads, "given up after 7 candidates"),
        ] {
            let shrunk = outcome.findings[0].shrunk.as_mut().unwrap();
            (shrunk.method, shrunk.minimal, shrunk.candidates) = (method, minimal, 7);
            let header = entry(&trial, outcome.seed, &outcome.findings[0]).header;
            assert!(header.contains(&format!("{on}{claim}.")), "{header:?}");
            let mut told = Vec::new();
            report::text::outcome(&mut told, Layout::default(), &outcome, &trial, &|_| String::new())
                .unwrap();
            let told = anstream::adapter::strip_str(str::from_utf8(&told).unwrap()).to_string();
            let flat = told.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(&format!(": {claim}")), "{told}");
        }
    }

    #[test]
    fn a_smaller_script_takes_the_place_of_a_larger_one() {
        let folder = tempfile::tempdir().unwrap();
        let entry = |ops: usize| {
            let text = format!("mux incoming=0 queue=0 when-full=wait\nlane{}\n", "\n  action".repeat(ops));
            text::parse("text", &text).unwrap()
        };
        let inner = folder.path().join("new");
        for (ops, kept) in [(3, 3), (4, 3), (2, 2)] {
            let path = save(&inner, "a.script", &entry(ops)).unwrap();
            let [loaded] = load(std::slice::from_ref(&inner)).unwrap().try_into().unwrap();
            assert_eq!((&loaded.path, loaded.entry), (&path, entry(kept)));
        }
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1, "no temporary file is left");
    }
}
