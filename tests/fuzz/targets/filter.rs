//! libFuzzer's entry to [`sensor_fuzz::filter`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sensor_fuzz::filter::check(bytes));
