//! Standard error: addresses, hints, warnings. It may be closed or a pipe that nobody reads, and
//! neither may end or hold up the program.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use crate::limits;

/// Writes lines to standard error; if that cannot be, there is nobody to tell.
pub fn say(text: &str) {
    // One call, so that lines of several threads do not mix; not `eprintln`, which panics.
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Says something where nothing may wait for a standard error that nobody reads, on a thread of its own. What
/// comes while that one still speaks is left out.
pub fn say_aside(text: String) {
    static SPEAKS: AtomicBool = AtomicBool::new(false);
    if SPEAKS.swap(true, Ordering::AcqRel) {
        return;
    }
    let speak = move || {
        say(&text);
        SPEAKS.store(false, Ordering::Release);
    };
    if thread::Builder::new().spawn(speak).is_err() {
        SPEAKS.store(false, Ordering::Release);
    }
}

/// Says the last words, and gives up on a standard error that takes none.
pub fn say_at_the_end(text: String) {
    let (done, said) = channel();
    let speak = move || {
        say(&text);
        let _ = done.send(()); // nobody waits any more when it took too long
    };
    if thread::Builder::new().spawn(speak).is_ok() {
        let _ = said.recv_timeout(limits::LAST_WORDS);
    }
}

/// A warning for standard error: red where that is a terminal that has colours.
pub fn warn(text: &str) -> String {
    use owo_colors::OwoColorize;
    let text = format!("mailscope: warning: {text}");
    let no_color = std::env::var("NO_COLOR").is_ok_and(|value| !value.is_empty());
    match io::stderr().is_terminal() && !no_color {
        true => text.red().bold().to_string(),
        false => text,
    }
}
