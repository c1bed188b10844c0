//! libFuzzer's entry to [`sensor_fuzz::names::tls`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sensor_fuzz::names::tls::check(bytes));
