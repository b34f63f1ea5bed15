#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    mailscope_fuzz::held::held(data);
    mailscope_fuzz::properties::observer(data);
});
