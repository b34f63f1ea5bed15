//! What an observer holds, counted by the allocator: bounded, whatever both peers say.
//!
//! Not among the properties that mailscope's tests try: an allocator of one's own is `unsafe`, which is
//! forbidden in mailscope's package.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use mailscope::event::{Draft, Gate, Micros, Secrets};
use mailscope::limits;
use mailscope::protocol::Protocol;
use mailscope::protocol::imap::Observer;

use crate::properties::talk::{Reads, Talk};

/// Octets that are allocated.
static HELD: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: everything is done by the system's allocator, as it was asked for.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HELD.fetch_add(size, Relaxed);
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What one connection may hold: the two messages that are being read and what waits for a decision,
/// each perhaps once more in a buffer that grew, and the commands in flight with half a KiB each.
const MOST: usize = 2 * (2 * limits::MESSAGE_HELD + limits::UNDECIDED_HELD)
    + 512 * limits::IN_FLIGHT
    + limits::INFLATED_LINE;

/// What an observer holds that has read little, which is the two tables that secrets are searched for
/// with, and what for each octet that it has read.
const LEAST: usize = 3 * 1024 * limits::SECRETS_TABLE;
const EACH: usize = 1024;

/// What the events of one read may weigh, before they are handed on: octets inflated from it, and what
/// an event weighs besides them.
const READ: usize = 2 * 1032 * limits::COMPRESSED_READ + 4 * 1024 * limits::INFLATED_EVENTS;

/// Whatever is said, so much is held and no more.
pub fn held(data: &[u8]) {
    let talk = Talk::of(data);
    let before = HELD.load(Relaxed);
    let mut observer = Observer::new(Gate::new(Secrets::Masked));
    let mut octets = 0;
    let mut drafts = Vec::new();
    for (step, at) in talk.steps.iter().zip(0..) {
        for read in step.reads(Reads::Cut) {
            octets += read.len();
            let _ = observer.observe(step.from, read, Micros(at), &mut drafts);
            take(&mut drafts);
            while observer.read_on(&mut drafts) {
                take(&mut drafts);
            }
            let held = HELD.load(Relaxed).saturating_sub(before);
            let most = MOST.min(LEAST + EACH * octets);
            assert!(
                held <= most,
                "{held} octets are held after {octets} were read"
            );
        }
    }
}

fn take(drafts: &mut Vec<Draft>) {
    let weight: usize = drafts.iter().map(|draft| draft.body().weight()).sum();
    assert!(
        weight <= READ,
        "the {} events of one read weigh {weight}",
        drafts.len()
    );
    *drafts = Vec::new();
}
