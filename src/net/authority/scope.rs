//! What an authority may vouch for, as X.509 name constraints, as a folder's name, and in words.
//!
//! A constraint on a DNS name permits the names below it too (RFC 5280, section 4.2.1.10); there
//! is no standard way to permit the name alone.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use rcgen::{CidrSubnet, GeneralSubtree, NameConstraints};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Certificate;

use super::certificate;
use super::host::Host;

/// The longest name of a folder. File systems take 255 octets, encrypted ones 143, and the path
/// before it counts on Windows.
const FOLDER_LENGTH: usize = 100;

/// The longest common name (RFC 5280, appendix A.1, `ub-common-name`).
const COMMON_NAME: usize = 64;

/// Before the names of hosts in a folder's name, so that `nul`, which is a host's name but on
/// Windows no folder's, makes one.
const AS: &str = "as-";

/// Which servers an authority may vouch for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This computer alone: `localhost`, 127.0.0.0/8 and `::1`.
    Local,
    /// These hosts, the names below them, and this computer. Never empty, see [`Scope::of`].
    Hosts(BTreeSet<Host>),
    /// Any server.
    Unconstrained,
}

impl Scope {
    /// These hosts and this computer; [`Scope::Local`] if there is no other among them.
    pub fn of(hosts: impl IntoIterator<Item = Host>) -> Self {
        let hosts: BTreeSet<_> = hosts
            .into_iter()
            .filter(|host| !host.is_this_computer())
            .collect();
        match hosts.is_empty() {
            true => Self::Local,
            false => Self::Hosts(hosts),
        }
    }

    /// The hosts beside this computer.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &Host> {
        match self {
            Self::Hosts(hosts) => Some(hosts),
            Self::Local | Self::Unconstrained => None,
        }
        .into_iter()
        .flatten()
    }

    /// Whether a certificate for `name` verifies: one of the hosts, a name below it, `localhost`,
    /// a name below that, or a loopback address.
    pub fn permits(&self, name: &str) -> bool {
        // An IPv4-mapped address is not within 127.0.0.0/8 (RFC 5280, 4.2.1.10).
        let this_computer = match name.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => Host::Name("localhost".to_owned()).covers(name),
        };
        *self == Self::Unconstrained || this_computer || self.hosts().any(|host| host.covers(name))
    }

    /// The flags that ask for it: `--as imap.example.com`; none for [`Scope::Local`].
    pub fn flags(&self) -> String {
        match self {
            Self::Unconstrained => "--unconstrained-ca".to_owned(),
            _ => self.flags_of_hosts().join(" "),
        }
    }

    /// The flags that ask for an authority which vouches for `name` as well.
    pub fn flags_with(&self, name: &str) -> String {
        let mut flags = self.flags_of_hosts();
        flags.push(format!("--as {name}"));
        flags.join(" ")
    }

    fn flags_of_hosts(&self) -> Vec<String> {
        self.hosts().map(|host| format!("--as {host}")).collect()
    }

    /// The folder of its authority: `local`, `as-imap.example.com+192.0.2.7`, `unconstrained`.
    pub(super) fn folder(&self) -> String {
        let Self::Hosts(hosts) = self else {
            let name = match self {
                Self::Local => "local",
                _ => "unconstrained",
            };
            return name.to_owned();
        };
        // Windows has no colons in names, DNS no equals signs.
        let names: Vec<_> = hosts
            .iter()
            .map(|host| host.to_string().replace(':', "="))
            .collect();
        let whole = format!("{AS}{}", names.join("+"));
        if whole.len() <= FOLDER_LENGTH {
            return whole;
        }
        let hash = certificate::hex(&certificate::sha256(whole.as_bytes()), "");
        let (begin, hash) = (prefix(&whole, FOLDER_LENGTH - 17), prefix(&hash, 16));
        format!("{begin}~{hash}")
    }

    /// Whether a folder of this name may hold one of our authorities.
    pub(super) fn is_folder(name: &str) -> bool {
        name == Self::Local.folder() || name == Self::Unconstrained.folder() || name.starts_with(AS)
    }

    /// The subject of its authority, by which people tell it from others in a trust store.
    pub(super) fn common_name(&self, unique: &str) -> String {
        match self {
            Self::Local => format!("mailscope local authority (this computer only) {unique}"),
            Self::Unconstrained => format!("mailscope UNCONSTRAINED authority {unique}"),
            Self::Hosts(hosts) => {
                let (begin, mut hosts) = ("mailscope authority for", hosts.iter());
                let first = hosts.next().map(Host::to_string).unwrap_or_default();
                let more = match hosts.count() {
                    0 => String::new(),
                    n => format!(" and {n} more"),
                };
                let room = COMMON_NAME.saturating_sub(begin.len() + more.len() + unique.len() + 2);
                let first = match first.len() <= room {
                    true => first,
                    // The end of a name says more than its beginning.
                    false => format!("...{}", suffix(&first, room.saturating_sub(3))),
                };
                format!("{begin} {first}{more} {unique}")
            }
        }
    }

    /// The name constraints of its authority.
    pub(super) fn constraints(&self) -> Option<NameConstraints> {
        (*self != Self::Unconstrained).then(|| NameConstraints {
            permitted_subtrees: self.subtrees(),
            excluded_subtrees: Vec::new(),
        })
    }

    fn subtrees(&self) -> Vec<GeneralSubtree> {
        let mut subtrees = vec![
            GeneralSubtree::DnsName("localhost".into()),
            GeneralSubtree::IpAddress(CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0])),
            GeneralSubtree::IpAddress(CidrSubnet::V6(Ipv6Addr::LOCALHOST.octets(), [255; 16])),
        ];
        subtrees.extend(self.hosts().map(|host| match host {
            Host::Name(name) => GeneralSubtree::DnsName(name.clone()),
            Host::Address(IpAddr::V4(address)) => {
                GeneralSubtree::IpAddress(CidrSubnet::V4(address.octets(), [255; 4]))
            }
            Host::Address(IpAddr::V6(address)) => {
                GeneralSubtree::IpAddress(CidrSubnet::V6(address.octets(), [255; 16]))
            }
        }));
        subtrees
    }

    /// The scope that a certificate has; the error says what keeps it from being one of ours.
    pub(super) fn read(certificate: &X509Certificate<'_>) -> Result<Self, &'static str> {
        let constraints = certificate
            .name_constraints()
            .map_err(|_| "its name constraints cannot be read")?;
        let Some(constraints) = constraints else {
            return Ok(Self::Unconstrained);
        };
        if !constraints.critical {
            return Err("its name constraints are not critical, so programs may pass over them");
        }
        let constraints = constraints.value;
        let permitted: Option<Vec<_>> = constraints
            .permitted_subtrees
            .iter()
            .flatten()
            .map(|permitted| subtree(&permitted.base))
            .collect();
        let foreign = "its name constraints are not such as mailscope makes";
        let permitted = permitted.ok_or(foreign)?;
        let scope = Self::of(permitted.iter().filter_map(host));
        let expected = scope.subtrees();
        let same = permitted.len() == expected.len()
            && permitted.iter().all(|one| expected.contains(one))
            && expected.iter().all(|one| permitted.contains(one));
        match same && constraints.excluded_subtrees.is_none() {
            true => Ok(scope),
            false => Err(foreign),
        }
    }
}

impl fmt::Display for Scope {
    /// `imap.example.com, 192.0.2.7, localhost and loopback addresses`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::Unconstrained {
            return f.write_str("any server");
        }
        for host in self.hosts() {
            write!(f, "{host}, ")?;
        }
        f.write_str("localhost and loopback addresses")
    }
}

/// A constraint as it was read, as the one that makes it.
fn subtree(name: &GeneralName<'_>) -> Option<GeneralSubtree> {
    match name {
        GeneralName::DNSName(name) => Some(GeneralSubtree::DnsName((*name).to_owned())),
        // The address, then the mask.
        GeneralName::IPAddress(octets) => {
            let (address, mask) = octets.split_at(octets.len() / 2);
            let network = match octets.len() {
                8 => CidrSubnet::V4(address.try_into().ok()?, mask.try_into().ok()?),
                _ => CidrSubnet::V6(address.try_into().ok()?, mask.try_into().ok()?),
            };
            Some(GeneralSubtree::IpAddress(network))
        }
        _ => None,
    }
}

fn host(subtree: &GeneralSubtree) -> Option<Host> {
    match subtree {
        GeneralSubtree::DnsName(name) => name.parse().ok(),
        GeneralSubtree::IpAddress(CidrSubnet::V4(address, [255, 255, 255, 255])) => {
            Some(Host::Address(IpAddr::from(*address)))
        }
        GeneralSubtree::IpAddress(CidrSubnet::V6(address, mask)) if *mask == [255; 16] => {
            Some(Host::Address(IpAddr::from(*address)))
        }
        _ => None,
    }
}

/// The first characters.
fn prefix(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

/// The last characters.
fn suffix(text: &str, length: usize) -> String {
    let all = text.chars().count();
    text.chars().skip(all.saturating_sub(length)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(hosts: &[&str]) -> Scope {
        Scope::of(hosts.iter().map(|host| host.parse().unwrap()))
    }

    #[test]
    fn a_set_of_hosts_has_one_folder_whatever_its_order_and_case() {
        let one = scope(&["imap.example.com", "IMAP.example.NET.", "192.0.2.7"]);
        let other = scope(&[
            "192.0.2.7",
            "imap.example.net",
            "localhost",
            "Imap.Example.com",
        ]);
        assert_eq!(one, other);
        assert_eq!(
            one.folder(),
            "as-imap.example.com+imap.example.net+192.0.2.7"
        );
        assert_eq!(scope(&["2001:db8::1"]).folder(), "as-2001=db8==1");
        assert_eq!(scope(&["nul"]).folder(), "as-nul");
    }

    #[test]
    fn this_computer_is_in_every_scope() {
        assert_eq!(scope(&[]), Scope::Local);
        assert_eq!(
            scope(&["localhost", "127.0.0.1", "::1", "a.localhost"]),
            Scope::Local
        );
        assert_eq!(Scope::Local.folder(), "local");
        for scope in [Scope::Local, scope(&["example.com"]), Scope::Unconstrained] {
            for name in ["localhost", "a.LOCALHOST.", "127.1.2.3", "::1"] {
                assert!(scope.permits(name), "{scope} {name}");
            }
            assert!(Scope::is_folder(&scope.folder()));
        }
        assert!(!Scope::is_folder(".local-00ff"));
    }

    #[test]
    fn a_long_set_is_cut_and_told_apart_by_a_hash() {
        let hosts: Vec<_> = (0..20).map(|n| format!("host{n}.example.com")).collect();
        let mut hosts: Vec<_> = hosts.iter().map(String::as_str).collect();
        let one = scope(&hosts).folder();
        hosts.pop();
        let other = scope(&hosts).folder();
        for folder in [&one, &other] {
            assert_eq!(folder.len(), FOLDER_LENGTH, "{folder}");
            assert!(folder.starts_with("as-host0.example.com+"), "{folder}");
        }
        assert_ne!(one, other);
    }

    #[test]
    fn the_subject_is_short_and_tells_the_scopes_apart() {
        let unique = "1a2b3c4d";
        let long = format!("imap.{}.example.com", "a".repeat(60));
        for (scope, name) in [
            (
                Scope::Local,
                "mailscope local authority (this computer only) 1a2b3c4d",
            ),
            (
                Scope::Unconstrained,
                "mailscope UNCONSTRAINED authority 1a2b3c4d",
            ),
            (
                scope(&["imap.example.com"]),
                "mailscope authority for imap.example.com 1a2b3c4d",
            ),
            (
                scope(&["b.example", "a.example", "::2"]),
                "mailscope authority for a.example and 2 more 1a2b3c4d",
            ),
            (
                scope(&[&long]),
                "mailscope authority for ...aaaaaaaaaaaaaaaa.example.com 1a2b3c4d",
            ),
        ] {
            assert_eq!(scope.common_name(unique), name);
            assert!(name.len() <= COMMON_NAME, "{name}");
        }
    }

    #[test]
    fn the_flags_that_ask_for_it() {
        assert_eq!(Scope::Local.flags(), "");
        assert_eq!(Scope::Local.flags_with("a.example"), "--as a.example");
        assert_eq!(Scope::Unconstrained.flags(), "--unconstrained-ca");
        let hosts = scope(&["b.example", "::2"]);
        assert_eq!(hosts.flags(), "--as b.example --as ::2");
        assert_eq!(
            hosts.flags_with("a.example"),
            "--as b.example --as ::2 --as a.example"
        );
        assert_eq!(
            hosts.to_string(),
            "b.example, ::2, localhost and loopback addresses"
        );
    }
}
