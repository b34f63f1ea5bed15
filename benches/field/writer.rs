//! What it costs to write as much as a recording is, in the way that a transcript is written: to two
//! files, so that one of them is valid at every moment, which have room on the disk ahead. Nothing is read of
//! what passes.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use mailscope::limits;

/// Writes on a thread of its own, and holds back who is faster.
#[derive(Clone)]
pub struct Writer {
    due: SyncSender<usize>,
}

impl Writer {
    /// Writes to this folder, for each octet so many.
    pub fn begin(folder: &Path, each: f64) -> Self {
        const WAITING: usize = 16;
        let files = ["transcript.json", "spare"].map(|name| folder.join(name));
        let files = files.map(|path| File::create(path).expect("a file"));
        let (due, told) = sync_channel(WAITING);
        std::thread::spawn(move || write(&files, &told, each));
        Self { due }
    }

    /// So many octets pass.
    pub fn passed(&self, octets: usize) {
        let _ = self.due.send(octets);
    }
}

fn write(files: &[File; 2], told: &Receiver<usize>, each: f64) {
    let octets = vec![b'x'; limits::TRANSCRIPT_WRITE];
    let (mut due, mut place, mut room) = (0.0, 0, 0);
    for passed in told {
        due += passed as f64 * each;
        while due >= octets.len() as f64 {
            if place + octets.len() as u64 > room {
                files.iter().for_each(|file| make_room(file, room));
                room += limits::WRITTEN_AHEAD;
            }
            for file in files {
                file.write_all_at(&octets, place).expect("written");
            }
            place += octets.len() as u64;
            due -= octets.len() as f64;
        }
    }
}

/// As much as a transcript has ahead.
#[cfg(target_os = "linux")]
fn make_room(file: &File, from: u64) {
    use rustix::fs::{FallocateFlags, fallocate};
    // Where there is none to be had, a transcript goes on without it.
    let _ = fallocate(file, FallocateFlags::KEEP_SIZE, from, limits::WRITTEN_AHEAD);
}

#[cfg(not(target_os = "linux"))]
fn make_room(_: &File, _: u64) {}
