//! libFuzzer's entry to [`sensor_fuzz::explain`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sensor_fuzz::explain::check(bytes));
