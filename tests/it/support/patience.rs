//! An end for everything that a test waits for: a program that hangs fails its test, and a trial that
//! hangs fails the run, with what it was at.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{File, read_to_string};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Output, Stdio, exit};
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::PATIENCE;

/// How long a trial may take. Within one, nothing is waited for longer than [`PATIENCE`], or some times that.
const TRIAL: Duration = Duration::from_secs(300);

/// How long one that took too long has, once its processes have ended, to say where it stood.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Runs other people's programs, and ours, that may not end by themselves.
pub trait InTime {
    /// As [`Command::output`]; what is still there after [`PATIENCE`] is ended.
    ///
    /// # Panics
    ///
    /// It took longer.
    fn output_in_time(&mut self) -> io::Result<Output>;

    /// As [`Command::status`], and as long.
    fn status_in_time(&mut self) -> io::Result<ExitStatus>;

    /// `None` of a program that took longer than this.
    fn output_within(&mut self, limit: Duration) -> io::Result<Option<Output>>;
}

impl InTime for Command {
    fn output_in_time(&mut self) -> io::Result<Output> {
        let output = self.output_within(PATIENCE)?;
        Ok(output.unwrap_or_else(|| panic!("no end within {PATIENCE:?}: {self:?}")))
    }

    fn status_in_time(&mut self) -> io::Result<ExitStatus> {
        let mut child = self.stdin(Stdio::null()).process_group(0).spawn()?;
        let status = ended(&mut child, PATIENCE)?;
        Ok(status.unwrap_or_else(|| panic!("no end within {PATIENCE:?}: {self:?}")))
    }

    fn output_within(&mut self, limit: Duration) -> io::Result<Option<Output>> {
        // Files: a pipe has no end before whatever the program left behind has one.
        let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
        let mut child = self
            .stdin(Stdio::null())
            .stdout(stdout.try_clone()?)
            .stderr(stderr.try_clone()?)
            .process_group(0)
            .spawn()?;
        let Some(status) = ended(&mut child, limit)? else {
            return Ok(None);
        };
        Ok(Some(Output {
            status,
            stdout: whole(&mut stdout)?,
            stderr: whole(&mut stderr)?,
        }))
    }
}

fn ended(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    // It leads a group, in which its own children are.
    kill_process_group(pid(child.id()), Signal::KILL)?;
    child.wait()?;
    Ok(None)
}

fn whole(file: &mut File) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut octets)?;
    Ok(octets)
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).unwrap()).unwrap()
}

/// A trial that has an end.
pub fn trial<T>(name: impl Into<String>, test: T) -> Trial
where
    T: FnOnce() -> Result<(), Failed> + Send + 'static,
{
    let name = name.into();
    Trial::test(name.clone(), move || {
        let _at_work = AtWork::begin(&name);
        test()
    })
}

/// What runs now, and since when.
static AT_WORK: Mutex<Option<HashMap<String, Instant>>> = Mutex::new(None);

struct AtWork<'a>(&'a str);

impl<'a> AtWork<'a> {
    fn begin(name: &'a str) -> Self {
        static WATCH: Once = Once::new();
        WATCH.call_once(|| drop(std::thread::spawn(watch)));
        let mut at_work = AT_WORK.lock().unwrap();
        let at_work = at_work.get_or_insert_default();
        at_work.insert(name.to_owned(), Instant::now());
        Self(name)
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        if let Some(at_work) = &mut *AT_WORK.lock().unwrap() {
            at_work.remove(self.0);
        }
    }
}

/// Ends the run where a trial takes too long.
fn watch() {
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let late: Vec<String> = {
            let at_work = AT_WORK.lock().unwrap();
            let late = at_work.iter().flatten();
            let late = late.filter(|(_, since)| since.elapsed() > TRIAL);
            late.map(|(name, _)| name.clone()).collect()
        };
        if late.is_empty() {
            continue;
        }
        let children = children();
        let mut told = String::new();
        for (child, command) in &children {
            writeln!(told, "  {child} {command}").unwrap();
        }
        eprintln!(
            "no end within {TRIAL:?}: {}\nthe processes of all trials, which are ended now:\n{told}",
            late.join(", ")
        );
        for (child, _) in children {
            let _ = kill_process(pid(child), Signal::KILL); // it may have ended just now
        }
        std::thread::sleep(LAST_WORDS);
        exit(101);
    }
}

/// The processes below this one, and what each does, as far as the system tells.
fn children() -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let mut parents = vec![std::process::id()];
    while let Some(parent) = parents.pop() {
        let threads = std::fs::read_dir(format!("/proc/{parent}/task"));
        for thread in threads.into_iter().flatten().flatten() {
            let children = read_to_string(thread.path().join("children")).unwrap_or_default();
            for child in children.split_whitespace().flat_map(str::parse) {
                let told = |what: &str| {
                    let told = read_to_string(format!("/proc/{child}/{what}")).unwrap_or_default();
                    told.replace('\0', " ")
                };
                let command = format!("{} ({})", told("cmdline").trim_end(), told("wchan"));
                found.push((child, command));
                parents.push(child);
            }
        }
    }
    found
}
