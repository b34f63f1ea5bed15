//! A network of a test's own: a Linux network namespace in which there is nothing but loopback, so
//! that rules of the packet filter and the ports below 1024 are nobody else's.

use std::io::{BufRead, BufReader};
use std::panic::resume_unwind;
use std::process::{Child, Command, Stdio};

use super::patience::InTime;
use super::programs::{IP, IPTABLES, NFT};
use libtest_mimic::Trial;

/// A process that keeps the network until it is dropped.
struct Network(Child);

impl Network {
    fn make() -> Self {
        let child = Command::new("unshare")
            .args([
                "-n",
                "sh",
                "-c",
                "\"$0\" link set lo up && echo up && exec cat",
            ])
            .arg(IP.path().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut network = Self(child);
        let mut line = String::new();
        let stdout = network.0.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line, "up\n");
        network
    }

    /// This thread, and the threads and processes that it starts, belong to the network from here on.
    #[cfg(target_os = "linux")]
    fn enter(&self) {
        use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

        let place = std::fs::File::open(format!("/proc/{}/ns/net", self.0.id())).unwrap();
        move_into_link_name_space(
            std::os::fd::AsFd::as_fd(&place),
            Some(LinkNameSpaceType::Network),
        )
        .unwrap();
    }

    #[cfg(not(target_os = "linux"))]
    fn enter(&self) {
        unreachable!("only Linux has such networks, so that there is none to enter");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Does this in a network of its own.
pub fn apart(test: impl FnOnce() + Send) {
    let network = Network::make();
    let done = std::thread::scope(|scope| {
        let apart = scope.spawn(|| {
            network.enter();
            test();
        });
        apart.join()
    });
    if let Err(panic) = done {
        resume_unwind(panic);
    }
}

/// The trials, ignored with the reason where there is no such network to be had.
pub fn needing_networks(trials: Vec<Trial>) -> Vec<Trial> {
    let Some(why) = forbidden() else {
        return trials;
    };
    let why = format!("needs root and its own network, and the kernel says: {why}");
    let ignored = |trial: Trial| trial.with_kind(&why).with_ignored_flag(true);
    trials.into_iter().map(ignored).collect()
}

/// Why no network of one's own can be made and given rules. A missing program is no reason.
fn forbidden() -> Option<String> {
    let (ip, iptables, nft) = (IP.path()?, IPTABLES.path()?, NFT.path()?);
    let probe = "\"$0\" link set lo up && \
                 \"$1\" -t nat -A OUTPUT -p tcp -m multiport --dports 993 -m owner ! --gid-owner 1 \
                 -j REDIRECT --to-ports 1 && \
                 \"$2\" 'add table ip a; add chain ip a b { type nat hook output priority -100; }; \
                 add rule ip a b meta skgid != 1 tcp dport { 993 } redirect to :1'";
    let mut command = Command::new("unshare");
    command
        .args(["-n", "sh", "-c", probe])
        .arg(ip)
        .arg(iptables)
        .arg(nft);
    match command.output_in_time() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(
            String::from_utf8_lossy(&output.stderr)
                .trim()
                .replace('\n', "; "),
        ),
        Err(error) => Some(error.to_string()),
    }
}
