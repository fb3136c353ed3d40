#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ssh_doctor::fuzz::run("log", bytes));
