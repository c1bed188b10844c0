//! libFuzzer's entry to [`sensor_fuzz::names::http`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sensor_fuzz::names::http::check(bytes));
