//! The parsers and decoders, on any bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| watchmux::script::forms::check(data));
