//! What was found in newest releases, run again from the scripts that are kept beside the adapters.

use std::process::{Command, Output};

/// The command over black boxes, on one of these scripts.
fn run(command: &str, adapter: &str) -> Output {
    let script = format!("{}/src/adapters/{adapter}.script", env!("CARGO_MANIFEST_DIR"));
    let program = env!("CARGO_BIN_EXE_black-box");
    Command::new(program).args([command, &script, "--deadline", "0.2"]).output().expect("it is there")
}

#[test]
fn kept_scripts_are_replayed_and_explained() {
    for (adapter, code, found) in [
        ("barrage", 3, "HANG in barrage"),
        ("eventador", 5, "`lane0` panicked in recv: internal error: entered unreachable code"),
    ] {
        let replayed = run("replay", adapter);
        assert_eq!(replayed.status.code(), Some(0), "{replayed:?}");
        let report = run("report", adapter);
        let said = String::from_utf8_lossy(&report.stdout);
        assert_eq!(report.status.code(), Some(code), "{report:?}");
        assert!(said.contains(found), "{said}");
    }
}
