//! libFuzzer's entry to [`sensor_fuzz::config`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sensor_fuzz::config::check(bytes));
