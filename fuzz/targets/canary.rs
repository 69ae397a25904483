//! The Mux of Kubernetes of 2014, on fibers: this target must crash, or the others prove nothing.
#![no_main]

use watchmux::hunt::EngineKind;

watchmux_fuzz::target!(watchmux_fuzz::fuzzing("k8s-906", "own", EngineKind::Fibers));
