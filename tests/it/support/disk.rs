//! A small file system of a test's own: in a mount namespace that one process keeps, so that nobody
//! else's are touched and no rights are needed where the system lets a user have such a namespace.
//! Linux lets others in through `/proc`.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use libtest_mimic::Trial;

/// A file system in memory, gone when it is dropped.
pub struct Disk {
    keeper: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Where it is mounted.
    point: tempfile::TempDir,
}

impl Disk {
    /// With these options of tmpfs: `size=64k`.
    ///
    /// # Errors
    ///
    /// Why there is none to be had, as the system says it.
    pub fn mount(options: &str) -> Result<Self, String> {
        let point = tempfile::tempdir().unwrap();
        let is_root = rustix::process::geteuid().is_root();
        let mut keeper = Command::new("unshare")
            .arg(if is_root { "-m" } else { "-Urm" })
            .arg("sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let orders = keeper.stdin.take().unwrap();
        let answers = BufReader::new(keeper.stdout.take().unwrap());
        let mut disk = Self {
            keeper,
            orders,
            answers,
            point,
        };
        let place = disk.point.path().display().to_string();
        disk.order(&format!("mount -t tmpfs -o {options} tmpfs {place}"))?;
        Ok(disk)
    }

    /// From here on nothing can be written there.
    pub fn make_read_only(&mut self) {
        let place = self.point.path().display();
        let order = format!("mount -o remount,bind,ro {place}");
        self.order(&order).unwrap();
    }

    fn order(&mut self, order: &str) -> Result<(), String> {
        let gone = |error: std::io::Error| error.to_string();
        writeln!(self.orders, "{order} 2>&1 && echo done").map_err(gone)?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).map_err(gone)?;
        match answer.trim_end() {
            "done" => Ok(()),
            "" => {
                let mut said = String::new();
                let stderr = self.keeper.stderr.take();
                let read = stderr.map(|stderr| BufReader::new(stderr).read_line(&mut said));
                read.transpose().map_err(gone)?;
                Err(said.trim_end().to_owned())
            }
            why => Err(why.to_owned()),
        }
    }

    /// Where everybody finds it.
    pub fn path(&self) -> PathBuf {
        let place = self.point.path().strip_prefix("/").unwrap();
        Path::new(&format!("/proc/{}/root", self.keeper.id())).join(place)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// The trials, ignored with the reason where there is no such file system to be had.
pub fn needing_disks(trials: Vec<Trial>) -> Vec<Trial> {
    let Err(why) = Disk::mount("size=64k") else {
        return trials;
    };
    let why = format!("needs a file system of its own, and the system says: {why}");
    let ignored = |trial: Trial| trial.with_kind(&why).with_ignored_flag(true);
    trials.into_iter().map(ignored).collect()
}
