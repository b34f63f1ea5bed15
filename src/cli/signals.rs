//! The signals that end a run: Ctrl-C, SIGTERM, and SIGHUP, which comes when the terminal is closed.
//!
//! Not the end itself. It promises that a SIGHUP which was ignored when the program was started, as by
//! `nohup`, stays ignored; and that one which comes behind another signal makes no difference: a terminal
//! that is closed is told of twice, by the shell and by the system, and systemd sends one right behind its
//! SIGTERM. Nobody has lost patience by that.

use crate::error::{Doing, Result};

/// Those of this system.
pub struct Signals {
    /// Ctrl-C and what else asks for an end; a second one is meant.
    asked: Asked,
    /// The terminal goes.
    hangup: Hangup,
}

impl Signals {
    /// From here on they do not end the program by themselves.
    pub fn install() -> Result<Self> {
        let doing = || "prepare for Ctrl-C".into();
        Ok(Self {
            asked: Asked::install().doing(doing)?,
            hangup: Hangup::install().doing(doing)?,
        })
    }

    /// Waits for the first one.
    pub async fn first(&mut self) {
        tokio::select! {
            () = self.asked.recv() => {}
            () = self.hangup.recv() => {}
        }
    }

    /// If somebody asks again, the program ends at once, whatever is left.
    pub fn end_at_a_second(mut self) {
        tokio::spawn(async move {
            self.asked.recv().await;
            std::process::exit(2);
        });
    }
}

#[cfg(unix)]
use unix::{Asked, Hangup};

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};

    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub(super) struct Asked {
        interrupt: Signal,
        terminate: Signal,
    }

    impl Asked {
        pub(super) fn install() -> io::Result<Self> {
            // SIGXFSZ, on most systems: a file that reaches `ulimit -f` is to fail like one on a full
            // disk, while the relay goes on, and not to end the program.
            let _ = signal(SignalKind::from_raw(25));
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }

        pub(super) async fn recv(&mut self) {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
            }
        }
    }

    /// `None` where it is to be ignored.
    pub(super) struct Hangup(Option<Signal>);

    impl Hangup {
        pub(super) fn install() -> io::Result<Self> {
            let kind = SignalKind::hangup();
            // Catching it would end its being ignored, so this comes first.
            let is_ignored = listed(kind).or_else(|| tried(kind)).unwrap_or(false);
            let hangup = (!is_ignored).then(|| signal(kind)).transpose()?;
            Ok(Self(hangup))
        }

        pub(super) async fn recv(&mut self) {
            match &mut self.0 {
                Some(hangup) => {
                    hangup.recv().await;
                }
                None => std::future::pending().await,
            }
        }
    }

    /// Whether this process ignores the signal, as Linux lists it; `None` where nothing is listed.
    pub(super) fn listed(kind: SignalKind) -> Option<bool> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let ignored = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))?;
        let ignored = u64::from_str_radix(ignored.trim(), 16).ok()?;
        let bit = u32::try_from(kind.as_raw_value() - 1).ok()?;
        Some(ignored & 1_u64.checked_shl(bit)? != 0)
    }

    /// The same on every Unix, as long as we do not catch it: what a process ignores, those that it starts
    /// do as well (POSIX, `exec`), and a shell cannot change that (POSIX, `trap`). So one that sends itself
    /// the signal lives on or does not. `None` where there is no shell.
    pub(super) fn tried(kind: SignalKind) -> Option<bool> {
        let number = kind.as_raw_value();
        let status = Command::new("/bin/sh")
            .args(["-c", &format!("kill -{number} $$; exit 0")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .ok()?;
        match status.signal() {
            Some(signal) => (signal == number).then_some(false),
            None => status.success().then_some(true),
        }
    }
}

#[cfg(windows)]
use windows::{Asked, Hangup};

#[cfg(windows)]
mod windows {
    use std::io;

    use tokio::signal::windows::{self as console, CtrlBreak, CtrlC, CtrlClose, CtrlShutdown};

    pub(super) struct Asked {
        ctrl_c: CtrlC,
        ctrl_break: CtrlBreak,
    }

    impl Asked {
        pub(super) fn install() -> io::Result<Self> {
            Ok(Self {
                ctrl_c: console::ctrl_c()?,
                ctrl_break: console::ctrl_break()?,
            })
        }

        pub(super) async fn recv(&mut self) {
            tokio::select! {
                _ = self.ctrl_c.recv() => {}
                _ = self.ctrl_break.recv() => {}
            }
        }
    }

    /// Its window is closed, or the computer is shut down; Windows waits for the end for some seconds.
    pub(super) struct Hangup {
        close: CtrlClose,
        shutdown: CtrlShutdown,
    }

    impl Hangup {
        pub(super) fn install() -> io::Result<Self> {
            Ok(Self {
                close: console::ctrl_close()?,
                shutdown: console::ctrl_shutdown()?,
            })
        }

        pub(super) async fn recv(&mut self) {
            tokio::select! {
                _ = self.close.recv() => {}
                _ = self.shutdown.recv() => {}
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::unix::{listed, tried};
    use tokio::signal::unix::SignalKind;

    /// `nohup` hands it on, and Rust's own runtime ignores SIGPIPE, but not for those that it starts.
    #[test]
    fn what_is_ignored_is_known() {
        assert_eq!(tried(SignalKind::user_defined1()), Some(false));
        assert!(listed(SignalKind::user_defined1()).is_none_or(|ignored| !ignored));
        assert!(listed(SignalKind::pipe()).is_none_or(|ignored| ignored));
        let hangup = SignalKind::hangup();
        assert!(listed(hangup).is_none_or(|ignored| tried(hangup) == Some(ignored)));
    }
}
