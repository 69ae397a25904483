//! Leads some of what the compiler's instrumentation calls to `src/code.rs`, in the targets that run scripts.

use std::env;

/// What tells libFuzzer of the table of counters, and of each comparison.
const CALLED: [&str; 12] = [
    "8bit_counters_init",
    "pcs_init",
    "trace_cmp1",
    "trace_cmp2",
    "trace_cmp4",
    "trace_cmp8",
    "trace_const_cmp1",
    "trace_const_cmp2",
    "trace_const_cmp4",
    "trace_const_cmp8",
    "trace_switch",
    "trace_pc_indir",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Other systems' linkers cannot; there libFuzzer is told of everything.
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    for target in ["mux", "threads", "canary", "any"] {
        for called in CALLED {
            println!("cargo:rustc-link-arg-bin={target}=-Wl,--wrap=__sanitizer_cov_{called}");
        }
    }
}
