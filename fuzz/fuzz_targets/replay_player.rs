#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailscope_fuzz::properties::replay_player(data));
