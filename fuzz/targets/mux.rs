//! Scripts and schedules for the shipped mux, on fibers.
#![no_main]

use watchmux::hunt::EngineKind;

watchmux_fuzz::target!(watchmux_fuzz::fuzzing("mux", "own", EngineKind::Fibers));
