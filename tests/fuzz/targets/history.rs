//! libFuzzer's entry to [`sensor_fuzz::history`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sensor_fuzz::history::check(bytes));
