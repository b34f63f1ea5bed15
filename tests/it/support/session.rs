//! One connection through mailscope on which more is said than can be held: each side says what is made
//! while it is said, and the other one compares it with the same, made once more.

use std::io::{Read, Write};

use rustix::process::Signal;

use super::certificates::TestAuthority;
use super::mailscope::{Mailscope, Recording, binary, record};
use super::memory::{Ran, peak, run_watched};
use super::transcript::Transcript;
use super::wire::{Door, Far, Wire, join};

/// What one side says, as often as somebody wants to know it: what is this long is nowhere held.
pub type Talk<'t> = &'t (dyn Fn() -> Box<dyn Iterator<Item = Vec<u8>>> + Sync);

/// One connection through mailscope, with TLS on both legs or on neither.
pub struct Session {
    /// The process.
    pub mailscope: Mailscope,
    /// The app's end.
    pub near: Wire,
    /// The server's end.
    pub far: Wire,
    _folder: tempfile::TempDir,
}

impl Session {
    /// Joined, and greeted with [`GREETING`].
    pub fn start(door: Door, set: impl FnOnce(Recording) -> Recording) -> Self {
        Self::greeted(door, GREETING, set)
    }

    /// Joined, and greeted with this.
    pub fn greeted(door: Door, greeting: &str, set: impl FnOnce(Recording) -> Recording) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = TestAuthority::new(folder.path());
        let trusted = authority.pem().display().to_string();
        let (tls, leg) = match door {
            Door::Plain => (None, ["--server-tls", "none"]),
            Door::Tls => (
                Some(authority.server(&["localhost"])),
                ["--server-ca", &trusted],
            ),
        };
        let listener = Far::listen(tls);
        let mailscope = set(record(&listener.name()).with(&leg)).start();
        let (near, far) = join(&mailscope, door, &listener);
        let session = Self {
            mailscope,
            near,
            far,
            _folder: folder,
        };
        session.down(&|| once(greeting));
        session
    }

    /// The app says this, and the server hears it.
    pub fn up(&self, talk: Talk<'_>) {
        pass(&self.near, &self.far, talk);
    }

    /// The server says this, and the app hears it.
    pub fn down(&self, talk: Talk<'_>) {
        pass(&self.far, &self.near, talk);
    }

    /// Both leave, and mailscope ends and is content.
    pub fn end(mut self) -> Ended {
        self.near.finish();
        self.far.rest();
        self.far.finish();
        self.near.rest();
        self.mailscope.closed_in_the_end();
        let peak = peak(self.mailscope.pid());
        self.mailscope.signal(Signal::INT);
        let code = self.mailscope.wait().code();
        assert_eq!(code, Some(0), "{}", self.mailscope.stderr());
        Ended {
            mailscope: self.mailscope,
            peak,
        }
    }
}

/// What the server says first, where nothing else is said.
pub const GREETING: &str = "* PREAUTH ready\r\n";

/// One piece of text.
pub fn once(text: &str) -> Box<dyn Iterator<Item = Vec<u8>>> {
    Box::new(std::iter::once(text.as_bytes().to_vec()))
}

/// One says it, the other hears it, at the same time.
pub fn pass(from: &Wire, to: &Wire, talk: Talk<'_>) {
    let (mut outgoing, mut incoming) = (from.ways().1, to.ways().0);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for piece in talk() {
                outgoing.write_all(&piece).unwrap();
            }
        });
        let mut came = Vec::new();
        let mut before = 0;
        for piece in talk() {
            came.resize(piece.len(), 0);
            incoming.read_exact(&mut came).unwrap();
            assert!(came == piece, "other octets behind {before}");
            before += came.len();
        }
    });
}

/// A session that is over, with its transcript.
pub struct Ended {
    /// The process, which is over.
    pub mailscope: Mailscope,
    /// The most memory that it took, in octets.
    pub peak: usize,
}

impl Ended {
    /// The transcript, where it is short enough to be held.
    pub fn transcript(&self) -> Transcript {
        Transcript::read(self.mailscope.out())
    }

    /// What it takes to read the transcript with these commands.
    pub fn read_with<'c>(&self, commands: &[&'c str]) -> Vec<(&'c str, Ran)> {
        let out = self.mailscope.out();
        let run = |&command| (command, run_watched(binary().arg(command).arg(out)));
        commands.iter().map(run).collect()
    }
}
