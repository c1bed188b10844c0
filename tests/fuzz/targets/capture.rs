//! libFuzzer's entry to [`sensor_fuzz::capture`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sensor_fuzz::capture::check(bytes));
