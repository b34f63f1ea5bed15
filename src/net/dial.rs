//! The TCP connection to the server.
//!
//! Every address of the name is tried, IPv6 and IPv4 in turn; the next one starts as soon as one
//! fails or a little later anyway, so that a broken IPv6 costs a moment and not a timeout
//! (RFC 8305, "Happy Eyeballs"). The first to connect wins.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use super::{Ours, ServerAddress, set_up};
use crate::error::Error;
use crate::limits;

/// Why there is no connection to the server.
#[derive(Debug)]
pub struct Unreachable {
    /// In one word.
    pub cause: Cause,
    /// In words for people.
    pub error: Error,
}

/// What kept a connection from coming about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The name does not exist.
    NotFound,
    /// Nobody listens there.
    Refused,
    /// No way leads to its network.
    NetworkUnreachable,
    /// It is not there, or does not answer.
    HostUnreachable,
    /// It is mailscope itself.
    Ourselves,
    /// Something else, or different things for different addresses.
    Other,
}

impl From<Unreachable> for Error {
    fn from(unreachable: Unreachable) -> Self {
        unreachable.error
    }
}

/// Connects to the server, within [`limits::DIAL`] in all, and [sets it up](set_up). Our own
/// listeners are not connected to.
///
/// # Errors
///
/// The name is not found, or no address of it can be connected to; the cause says which of
/// refused, unreachable and timed out each address was, so that it stands alone as a note.
pub async fn dial(server: &ServerAddress, ours: &Ours) -> Result<TcpStream, Unreachable> {
    let mut refusals = Refusals(Vec::new());
    let attempt = async {
        let found = look_up(server).await?;
        let (own, others): (Vec<_>, Vec<_>) = found.partition(|&address| ours.is_listener(address));
        if others.is_empty() && !own.is_empty() {
            return Err(ourselves(server));
        }
        Ok(connect(interleaved(others.into_iter()), &mut refusals).await)
    };
    let stream = match timeout(limits::DIAL, attempt).await {
        Ok(Ok(Some(stream))) => stream,
        Ok(Ok(None)) => return Err(refusals.error(server)),
        Ok(Err(error)) => return Err(error),
        Err(_) => return Err(too_late(server, &refusals)),
    };
    set_up(&stream);
    Ok(stream)
}

/// Finds out early whether the server's name is spelt wrong. It is looked up again for each connection.
///
/// # Errors
///
/// It is not found now.
pub async fn find(server: &ServerAddress) -> Result<(), Error> {
    match look_up(server).await {
        Ok(_) => Ok(()),
        Err(unreachable) => Err(unreachable.error),
    }
}

/// The server's addresses. What is an address itself is not looked up.
async fn look_up(server: &ServerAddress) -> Result<impl Iterator<Item = SocketAddr>, Unreachable> {
    static AT_ONCE: Semaphore = Semaphore::const_new(limits::LOOKUPS);
    let _one = AT_ONCE.acquire().await;
    tokio::net::lookup_host((server.host(), server.port()))
        .await
        .map_err(|error| not_found(server, &error))
}

/// Families in turn, starting with the one that the resolver put first (RFC 8305, section 4).
fn interleaved(found: impl Iterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let found: Vec<_> = found.collect();
    let first_is_v6 = found.first().is_some_and(SocketAddr::is_ipv6);
    let (mut first, mut second): (VecDeque<_>, VecDeque<_>) = found
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut order = VecDeque::new();
    while !(first.is_empty() && second.is_empty()) {
        order.extend(first.pop_front());
        order.extend(second.pop_front());
    }
    order
}

type Attempt = (SocketAddr, io::Result<TcpStream>);

/// The first connection that comes about; `None` when all have failed.
async fn connect(mut waiting: VecDeque<SocketAddr>, refusals: &mut Refusals) -> Option<TcpStream> {
    let mut attempts: JoinSet<Attempt> = JoinSet::new();
    loop {
        if let Some(address) = waiting.pop_front() {
            attempts.spawn(async move { (address, TcpStream::connect(address).await) });
        }
        let ended = if waiting.is_empty() {
            Some(attempts.join_next().await)
        } else {
            tokio::select! {
                ended = attempts.join_next() => Some(ended),
                () = sleep(limits::ATTEMPT_DELAY) => None,
            }
        };
        match ended {
            // The delay is over: start the next one beside those under way.
            None => {}
            // One was started above if there was one, so none is left.
            Some(None) => return None,
            Some(Some(ended)) => {
                if let Some(stream) = refusals.sort(ended) {
                    return Some(stream);
                }
            }
        }
    }
}

/// What became of the addresses that failed.
struct Refusals(Vec<(SocketAddr, io::Error)>);

impl Refusals {
    fn sort(&mut self, ended: Result<Attempt, JoinError>) -> Option<TcpStream> {
        match ended {
            Ok((_, Ok(stream))) => Some(stream),
            Ok((address, Err(error))) => {
                self.0.push((address, error));
                None
            }
            // Only a runtime that is being shut down cancels an attempt.
            Err(_) => None,
        }
    }

    fn words(&self) -> String {
        let each: Vec<_> = self
            .0
            .iter()
            .map(|(address, error)| match error.kind() {
                io::ErrorKind::ConnectionRefused => format!("{address} refused the connection"),
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                    format!("{address} is unreachable ({error})")
                }
                io::ErrorKind::TimedOut => format!("{address} did not answer in time"),
                _ => format!("{address}: {error}"),
            })
            .collect();
        each.join("; ")
    }

    /// What all addresses have in common.
    fn cause(&self) -> Cause {
        let of = |error: &io::Error| match error.kind() {
            io::ErrorKind::ConnectionRefused => Cause::Refused,
            io::ErrorKind::NetworkUnreachable => Cause::NetworkUnreachable,
            io::ErrorKind::HostUnreachable | io::ErrorKind::TimedOut => Cause::HostUnreachable,
            _ => Cause::Other,
        };
        let mut causes = self.0.iter().map(|(_, error)| of(error));
        let Some(first) = causes.next() else {
            return Cause::NotFound;
        };
        match causes.all(|cause| cause == first) {
            true => first,
            false => Cause::Other,
        }
    }

    fn error(&self, server: &ServerAddress) -> Unreachable {
        let cause = self.cause();
        if self.0.is_empty() {
            let error = cannot(server, "the name has no address")
                .hint("check the spelling of the server's name");
            return Unreachable { cause, error };
        }
        let unreachable = [
            io::ErrorKind::HostUnreachable,
            io::ErrorKind::NetworkUnreachable,
        ];
        let is_unreachable =
            |(_, error): &(SocketAddr, io::Error)| unreachable.contains(&error.kind());
        let hint = if self.0.iter().any(|(_, error)| is_out_of_files(error)) {
            MORE_FILES.into()
        } else if cause == Cause::Refused {
            format!(
                "check the port: nothing listens on {} there (IMAP over TLS: 993, cleartext: 143)",
                server.port()
            )
        } else if self.0.iter().all(is_unreachable) {
            "check that this computer is online and may reach that network".into()
        } else {
            "check host and port, and that no firewall stands between".into()
        };
        let error = cannot(server, self.words()).hint(hint);
        Unreachable { cause, error }
    }
}

fn cannot(server: &ServerAddress, why: impl std::fmt::Display) -> Error {
    Error::new(format!("connect to {server}"), why)
}

/// What to try where the system has no file left for a socket.
const MORE_FILES: &str = "let the app open fewer connections, or allow more files (ulimit -n)";

/// Whether the process, or the whole system, has as many files open as it may.
fn is_out_of_files(error: &io::Error) -> bool {
    /// ENFILE, EMFILE; WSAEMFILE.
    const NONE_LEFT: &[i32] = match cfg!(windows) {
        true => &[10024],
        false => &[23, 24],
    };
    error
        .raw_os_error()
        .is_some_and(|code| NONE_LEFT.contains(&code))
}

fn not_found(server: &ServerAddress, error: &io::Error) -> Unreachable {
    if is_out_of_files(error) {
        let why = format!("the name {} cannot be looked up ({error})", server.host());
        return Unreachable {
            cause: Cause::Other,
            error: cannot(server, why).hint(MORE_FILES),
        };
    }
    let error = cannot(
        server,
        format!("the name {} is not found ({error})", server.host()),
    )
    .hint("check the spelling of the server's name, and that this computer is online");
    Unreachable {
        cause: Cause::NotFound,
        error,
    }
}

fn ourselves(server: &ServerAddress) -> Unreachable {
    let error = cannot(server, "that is mailscope's own listener")
        .hint("the real server's name and port, or another port for mailscope to listen on");
    Unreachable {
        cause: Cause::Ourselves,
        error,
    }
}

fn too_late(server: &ServerAddress, refusals: &Refusals) -> Unreachable {
    let mut why = format!(
        "{server} did not answer within {} seconds",
        limits::DIAL.as_secs()
    );
    if !refusals.0.is_empty() {
        why = format!("{why}; {}", refusals.words());
    }
    let error =
        cannot(server, why).hint("check host and port, and that no firewall stands between");
    Unreachable {
        cause: Cause::HostUnreachable,
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn server(text: &str) -> ServerAddress {
        ServerAddress::parse(text, None).unwrap()
    }

    #[test]
    fn families_take_turns() {
        let found = [
            "[::1]:1",
            "[::2]:1",
            "127.0.0.1:1",
            "[::3]:1",
            "127.0.0.2:1",
        ];
        let order = interleaved(found.iter().map(|text| text.parse().unwrap()));
        let order: Vec<_> = order.iter().map(ToString::to_string).collect();
        assert_eq!(
            order,
            [
                "[::1]:1",
                "127.0.0.1:1",
                "[::2]:1",
                "127.0.0.2:1",
                "[::3]:1"
            ]
        );
    }

    #[tokio::test]
    async fn it_connects_without_delay_set() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = dial(&server(&address.to_string()), &Ours::default())
            .await
            .unwrap();
        assert!(stream.nodelay().unwrap());
        assert_eq!(stream.peer_addr().unwrap(), address);
    }

    #[tokio::test]
    async fn the_second_address_is_tried_when_the_first_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let works = listener.local_addr().unwrap();
        // Where there is no IPv6, that is a refusal too.
        let refuses = SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, works.port()));
        let mut refusals = Refusals(Vec::new());
        let stream = connect([refuses, works].into(), &mut refusals)
            .await
            .unwrap();
        assert_eq!(stream.peer_addr().unwrap(), works);
        assert_eq!(refusals.0.len(), 1);
    }

    #[tokio::test]
    async fn a_refused_connection_says_so() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let refused = dial(&server(&address.to_string()), &Ours::default()).await;
        let Unreachable { cause, error } = refused.unwrap_err();
        assert_eq!(cause, Cause::Refused);
        assert_eq!(error.why(), format!("{address} refused the connection"));
        assert!(error.what_to_try().unwrap().contains("port"), "{error}");
    }

    #[tokio::test]
    async fn our_own_listener_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ours = Ours::listening([address]);
        let refused = dial(&server(&address.to_string()), &ours).await;
        let Unreachable { cause, error } = refused.unwrap_err();
        assert_eq!(cause, Cause::Ourselves);
        assert_eq!(error.why(), "that is mailscope's own listener");
    }

    #[test]
    fn what_addresses_have_in_common_is_their_cause() {
        use io::ErrorKind::{ConnectionRefused, NetworkUnreachable, TimedOut};
        let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
        for (kinds, cause) in [
            (&[][..], Cause::NotFound),
            (&[TimedOut], Cause::HostUnreachable),
            (
                &[NetworkUnreachable, NetworkUnreachable],
                Cause::NetworkUnreachable,
            ),
            (&[NetworkUnreachable, ConnectionRefused], Cause::Other),
        ] {
            let refusals = kinds.iter().map(|&kind| (address, kind.into()));
            assert_eq!(Refusals(refusals.collect()).cause(), cause);
        }
    }

    #[test]
    #[cfg(unix)]
    fn no_files_left_is_not_the_server_s_fault() {
        let none_left = || io::Error::from_raw_os_error(24);
        let server = server("127.0.0.1:993");
        let refusals = Refusals(vec![("127.0.0.1:993".parse().unwrap(), none_left())]);
        for Unreachable { cause, error } in
            [refusals.error(&server), not_found(&server, &none_left())]
        {
            assert_eq!(cause, Cause::Other);
            assert!(error.why().contains("Too many open files"), "{error}");
            assert_eq!(error.what_to_try(), Some(MORE_FILES));
        }
    }

    #[test]
    fn a_name_that_does_not_exist_says_so() {
        let error = not_found(
            &server("imap.exmaple.com"),
            &io::Error::other("no such name"),
        )
        .error;
        assert_eq!(
            error.why(),
            "the name imap.exmaple.com is not found (no such name)"
        );
        assert!(error.what_to_try().unwrap().contains("spelling"), "{error}");
    }
}
