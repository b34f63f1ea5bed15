//! `--allow-remote`: whether other machines may connect.

use std::net::SocketAddr;

use super::say::warn;
use crate::net::{Reach, is_remote};

/// The flag, the same for `record` and `replay`.
#[derive(Clone, Debug, clap::Args)]
pub struct RemoteAccess {
    /// Let other machines connect: listen on an address that is no loopback address, such as
    /// 0.0.0.0. Without it that is refused.
    #[arg(long)]
    allow_remote: bool,
}

impl RemoteAccess {
    /// What listeners are held to.
    pub fn reach(&self) -> Reach {
        match self.allow_remote {
            true => Reach::Network,
            false => Reach::ThisMachine,
        }
    }
}

/// A warning for each address that other machines can reach; `gets` is what they get there.
pub fn warnings(addresses: impl Iterator<Item = SocketAddr>, gets: &str) -> Vec<String> {
    let remote = addresses.filter(|address| is_remote(*address));
    remote
        .map(|address| {
            warn(&format!(
                "{address} can be reached from other machines (--allow-remote): {gets}"
            ))
        })
        .collect()
}
