//! libFuzzer's entry to [`sensor_fuzz::packet`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sensor_fuzz::packet::check(bytes));
