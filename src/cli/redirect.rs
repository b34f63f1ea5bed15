//! The redirect rules that bring apps to `--listen-transparent`, to be typed by the user, who has the
//! rights for it.
//!
//! mailscope's own connections to servers must not be caught by them. They are told from others by
//! the group that mailscope runs in: an app of the same user has another one as soon as mailscope is
//! started with one of its own (`sudo -g GROUP`).

use std::net::{IpAddr, SocketAddr};

/// The ports of IMAP.
const PORTS: &str = "143,993";

/// The rules for a listener at `address`, of a mailscope that runs in the group with this number; what
/// to type, in lines.
pub fn rules(address: SocketAddr, group: u32) -> Vec<String> {
    let port = address.port();
    let (iptables, family, other, all) = match address.ip() {
        IpAddr::V4(_) => ("iptables", "ip", "IPv6", "0.0.0.0"),
        IpAddr::V6(_) => ("ip6tables", "ip6", "IPv4", "[::]"),
    };
    let iptables = |action: &str, chain: &str, but: &str| {
        format!(
            "    sudo {iptables} -t nat {action} {chain} -p tcp -m multiport --dports {PORTS}{but} \
             -j REDIRECT --to-ports {port}"
        )
    };
    let nft = |hook: &str, but: &str| {
        format!(
            "    sudo nft 'add table {family} mailscope; add chain {family} mailscope {hook} {{ type nat \
             hook {hook} priority -100; }}; add rule {family} mailscope {hook} {but}tcp dport {{ {PORTS} }} \
             redirect to :{port}'"
        )
    };
    let but_us = format!(" -m owner ! --gid-owner {group}");
    let mut lines = vec![
        format!(
            "  for apps of this computer, but those in mailscope's own group ({group}; start it with \
             `sudo -g GROUP` to give it one that apps are not in), either of:"
        ),
        iptables("-I", "OUTPUT", &but_us),
        nft("output", &format!("meta skgid != {group} ")),
    ];
    let is_loopback = address.ip().is_loopback();
    match is_loopback {
        true => lines.push(format!(
            "  for apps of other computers, whose traffic this one forwards: \
             --listen-transparent {all}:{port} --allow-remote instead"
        )),
        false => lines.extend([
            "  for apps of other computers, whose traffic this one forwards, either of:".to_owned(),
            iptables("-I", "PREROUTING", ""),
            nft("prerouting", ""),
        ]),
    }
    lines.push("  and to take that back, whichever it was:".to_owned());
    lines.push(iptables("-D", "OUTPUT", &but_us));
    if !is_loopback {
        lines.push(iptables("-D", "PREROUTING", ""));
    }
    lines.push(format!("    sudo nft delete table {family} mailscope"));
    lines.push(format!(
        "  connections over {other} are not caught by these"
    ));
    lines
}

/// The group that mailscope runs in.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn own_group() -> u32 {
    rustix::process::getegid().as_raw()
}

/// There are no such rules here.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn own_group() -> u32 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_that_is_told_is_taken_back() {
        for (address, chains, family) in [
            ("127.0.0.1:1111", 1, "ip"),
            ("0.0.0.0:1111", 2, "ip"),
            ("[::1]:1111", 1, "ip6"),
        ] {
            let lines = rules(address.parse().unwrap(), 987);
            let count = |part: &str| lines.iter().filter(|line| line.contains(part)).count();
            assert_eq!(count(" -I "), chains, "{lines:#?}");
            assert_eq!(count(" -D "), chains, "{lines:#?}");
            assert_eq!(count(&format!("add table {family} mailscope")), chains);
            assert_eq!(count(&format!("delete table {family} mailscope")), 1);
            assert_eq!(count("--gid-owner 987"), 2);
            assert_eq!(count("skgid != 987"), 1);
        }
    }
}
