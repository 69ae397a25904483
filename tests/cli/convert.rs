//! The command `convert`, on the built binary.

use std::fs;
use std::path::{Path, PathBuf};

use watchmux::script::text;

use super::{BUG, assert_refused, folder, run, stderr, stdout, text_of};

#[test]
fn a_script_is_converted_to_an_input_and_back_and_does_the_same() {
    let (folder, files) = folder(&[("bug.script", &fs::read(BUG).unwrap())]);
    let shrunk = run(&["shrink", text_of(&files[0]), "--seed", "1", "--save", text_of(folder.path())]);
    assert_eq!(shrunk.status.code(), Some(3), "{}", stderr(&shrunk));
    let scripts = |dir: &Path| -> Vec<PathBuf> {
        let files = fs::read_dir(dir).unwrap().map(|item| item.unwrap().path());
        files.filter(|path| *path != dir.join("bug.script") && path.is_file()).collect()
    };
    let [kept] = scripts(folder.path()).try_into().unwrap();

    let inputs = folder.path().join("inputs");
    let output = run(&["convert", text_of(&kept), "--to", text_of(&inputs)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let [input] = scripts(&inputs).try_into().unwrap();
    assert!(stdout(&output).ends_with(&format!(": {}\n", input.display())), "{}", stdout(&output));

    let output = run(&["replay", text_of(&input), "--subject", "k8s-906"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stdout(&output).contains(": k8s-906 own hang by its choices"), "{}", stdout(&output));

    let output = run(&["convert", text_of(&input), "--subject", "k8s-906"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let again = text::parse("again", stdout(&output)).unwrap();
    let kept = text::parse("kept", &fs::read_to_string(&kept).unwrap()).unwrap();
    assert_eq!((again.script, again.schedule), (kept.script, kept.schedule));

    let output = run(&["shrink", text_of(&input), "--subject", "k8s-906", "--save", text_of(&inputs)]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let script = scripts(&inputs).into_iter().find(|path| *path != input).unwrap();
    let saved = fs::read_to_string(&script).unwrap();
    assert!(
        saved.contains("# Found on fibers by a fuzzer,") && saved.contains("# Postmortem (to be filled in)"),
        "{saved}"
    );
}

#[test]
fn what_cannot_be_converted_is_refused() {
    let input = "0123456789abcdef0123456789abcdef01234567";
    let script = "mux incoming=0 queue=0 when-full=wait\nlane\n  action\n";
    let scheduled = format!("{script}schedule setup lane0*2\n");
    let misfit = format!("subject k8s-906\n{script}schedule lane1\n");
    let choices = [0, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 7];
    let files: [(&str, &[u8]); 4] = [
        ("plain.script", script.as_bytes()),
        ("scheduled.script", scheduled.as_bytes()),
        ("misfit.script", misfit.as_bytes()),
        (input, &choices),
    ];
    let (folder, files) = folder(&files);
    let [plain, scheduled, misfit, input] = files.iter().map(|path| text_of(path)).collect::<Vec<_>>()[..]
    else {
        panic!("four files")
    };
    let to = text_of(folder.path());
    assert_refused(&["convert", plain], &["plain.script", "read a script", "`--to`"]);
    assert_refused(&["convert", scheduled, "--to", to], &["scheduled.script", "no subject", "`--subject`"]);
    assert_refused(
        &["convert", misfit, "--to", to],
        &["misfit.script", "at sync point", "`lane1` was expected"],
    );
    assert_refused(&["convert", input], &["read choices", "`--subject`"]);
    assert_refused(&["convert", plain, "--to", plain], &["--to: read", "a file, expected a folder"]);
    assert_refused(&["convert", input, "--subject", "none"], &["--subject: read `none`"]);
}
