//! libFuzzer's entry to [`sensor_fuzz::report`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sensor_fuzz::report::check(bytes));
