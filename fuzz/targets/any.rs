//! The subject that `WATCHMUX_SUBJECT` names, under the contract that `WATCHMUX_CONTRACT` names, on fibers.
#![no_main]

use watchmux::hunt::EngineKind;
use watchmux_fuzz::variable;

watchmux_fuzz::target!(watchmux_fuzz::fuzzing(
    &variable("WATCHMUX_SUBJECT", "mux"),
    &variable("WATCHMUX_CONTRACT", "own"),
    EngineKind::Fibers,
));
