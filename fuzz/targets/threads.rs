//! Scripts for the shipped mux, on free threads.
#![no_main]

use watchmux::hunt::EngineKind;

watchmux_fuzz::target!(watchmux_fuzz::fuzzing("mux", "own", EngineKind::Threads));
