//! Where the app connects to: `--listen-tls ADDR`, `--listen-plain ADDR`, `--listen-socks ADDR`,
//! `--listen-transparent ADDR`.
//!
//! It promises that no other machine can connect unless [`Reach::Network`] was asked for.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};

use super::set_up;
use crate::error::{Error, Result};
use crate::limits;

/// Which of the listeners; names the flag in errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// TLS from the first octet.
    Tls,
    /// Cleartext.
    Plain,
    /// SOCKS5.
    Socks,
    /// Redirected by the system.
    Transparent,
}

impl Door {
    /// `--listen-tls`, `--listen-plain`, `--listen-socks` or `--listen-transparent`.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Tls => "--listen-tls",
            Self::Plain => "--listen-plain",
            Self::Socks => "--listen-socks",
            Self::Transparent => "--listen-transparent",
        }
    }
}

/// From where a listener may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// From this machine alone: a loopback address (127.0.0.0/8, `::1`).
    ThisMachine,
    /// From wherever the address is: `--allow-remote`.
    Network,
}

/// Whether other machines can connect to a listener at this address.
///
/// An IPv4 address in IPv6's form (`::ffff:127.0.0.1`) is judged as the IPv4 address.
pub fn is_remote(address: SocketAddr) -> bool {
    !address.ip().to_canonical().is_loopback()
}

/// Listens on the first of these addresses that can be had.
///
/// # Errors
///
/// The system's, for the last one.
pub fn bind(addresses: &[SocketAddr]) -> io::Result<TcpListener> {
    let listen = |address: &SocketAddr| {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        // As for other servers: an address is free again when the last run is over. On Windows that would let
        // others share it.
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        socket.bind(*address)?;
        socket.listen(limits::BACKLOG)
    };
    let mut last = io::ErrorKind::InvalidInput.into();
    for address in addresses {
        match listen(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// An address to listen on: `127.0.0.1:1993`, `[::1]:0`, `localhost:1993`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    text: String,
    door: Door,
}

impl ListenAddress {
    /// Reads a flag's value; `none` turns the listener off.
    ///
    /// # Errors
    ///
    /// The text is not `host:port`.
    pub fn parse(text: &str, door: Door) -> Result<Option<Self>> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(None);
        }
        // A socket address, or a name and a port; the resolver judges the name.
        let valid = text.parse::<SocketAddr>().is_ok()
            || text.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty()
                    && !host.contains([':', '[', ']', '/', '@'])
                    && port.bytes().all(|octet| octet.is_ascii_digit())
                    && port.parse::<u16>().is_ok()
            });
        if !valid {
            let flag = door.flag();
            return Err(Error::new(
                format!("read {flag} {text:?}"),
                "it is not an address and port",
            )
            .hint(format!(
                "{flag} 127.0.0.1:0 (0: any free port), [::1]:1993, or none"
            )));
        }
        Ok(Some(Self {
            text: text.to_owned(),
            door,
        }))
    }

    /// Which listener it is for.
    pub fn door(&self) -> Door {
        self.door
    }

    /// Listens. A name is looked up once, and each of its addresses is judged before any is taken.
    ///
    /// # Errors
    ///
    /// `listen on 127.0.0.1:1993: Address already in use (os error 98)`, with what to try; or other
    /// machines could connect, and `reach` is not [`Reach::Network`].
    pub async fn listen(&self, reach: Reach) -> Result<TcpListener> {
        let cannot = |error| self.cannot(&error);
        let addresses: Vec<SocketAddr> = lookup_host(&self.text).await.map_err(cannot)?.collect();
        if reach == Reach::ThisMachine
            && let Some(remote) = addresses.iter().find(|address| is_remote(**address))
        {
            return Err(self.refused(*remote));
        }
        bind(&addresses).map_err(cannot)
    }

    fn refused(&self, remote: SocketAddr) -> Error {
        let (flag, ip) = (self.door.flag(), remote.ip().to_canonical());
        let why = match ip.is_unspecified() {
            true => format!(
                "{ip} stands for every address of this computer, so that other machines could connect"
            ),
            false => format!("{ip} is no loopback address, so that other machines could connect"),
        };
        let loopback = match ip.is_ipv4() {
            true => "127.0.0.1",
            false => "[::1]",
        };
        let port = remote.port();
        Error::new(format!("listen on {}", self.text), why).hint(format!(
            "{flag} {loopback}:{port} for apps of this computer, or --allow-remote if other machines are to connect"
        ))
    }

    fn cannot(&self, error: &io::Error) -> Error {
        let flag = self.door.flag();
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => {
                format!("another port with {flag} ADDR (port 0 takes a free one), or {flag} none")
            }
            io::ErrorKind::PermissionDenied => {
                format!("a port from 1024 up with {flag} ADDR; lower ones take special rights")
            }
            io::ErrorKind::AddrNotAvailable => format!(
                "an address of this computer with {flag} ADDR, such as 127.0.0.1:0 (0: any free port)"
            ),
            _ => format!("{flag} ADDR, such as 127.0.0.1:0 (0: any free port)"),
        };
        Error::new(format!("listen on {}", self.text), error).hint(hint)
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Takes the next connection, [set up](set_up).
///
/// # Errors
///
/// Those of the socket. Most pass (a connection aborted before it was taken, no file descriptors
/// left for now), so the caller goes on listening.
pub async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = listener.accept().await?;
    set_up(&stream);
    Ok((stream, peer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> ListenAddress {
        ListenAddress::parse(text, Door::Tls).unwrap().unwrap()
    }

    #[test]
    fn none_turns_it_off() {
        assert_eq!(ListenAddress::parse("none", Door::Plain).unwrap(), None);
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_flag_named() {
        for text in [
            "",
            "1993",
            "localhost",
            ":1993",
            "h:x",
            "h:65536",
            "::1:1993",
            "h:+1",
            "a/b:1",
        ] {
            let error = ListenAddress::parse(text, Door::Plain).unwrap_err();
            assert!(
                error.what_to_try().unwrap().contains("--listen-plain"),
                "{error}"
            );
        }
    }

    #[tokio::test]
    async fn port_zero_takes_a_free_port_of_either_spelling() {
        for text in ["127.0.0.1:0", "localhost:0"] {
            let listener = address(text).listen(Reach::ThisMachine).await.unwrap();
            let bound = listener.local_addr().unwrap();
            assert!(bound.ip().is_loopback());
            let client = TcpStream::connect(bound).await.unwrap();
            let (stream, peer) = accept(&listener).await.unwrap();
            assert_eq!(peer, client.local_addr().unwrap());
            assert!(stream.nodelay().unwrap());
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_named_with_the_flag_to_change() {
        let taken = address("127.0.0.1:0")
            .listen(Reach::ThisMachine)
            .await
            .unwrap();
        let text = taken.local_addr().unwrap().to_string();
        let error = address(&text).listen(Reach::ThisMachine).await.unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with(&format!("listen on {text}: ")),
            "{error}"
        );
        let hint = error.what_to_try().unwrap();
        assert!(
            hint.contains("--listen-tls") && hint.contains("port 0"),
            "{hint}"
        );
    }

    #[tokio::test]
    async fn other_machines_are_let_in_only_when_that_is_asked_for() {
        for text in [
            "0.0.0.0:0",
            "[::]:0",
            "192.0.2.1:0",
            "[::ffff:192.0.2.1]:0",
            "[2001:db8::1]:0",
        ] {
            let error = address(text).listen(Reach::ThisMachine).await.unwrap_err();
            assert!(error.why().contains("other machines"), "{error}");
            let hint = error.what_to_try().unwrap();
            for flag in ["--listen-tls", "--allow-remote"] {
                assert!(hint.contains(flag), "{hint}");
            }
        }
        for (text, is_there) in [("127.0.0.2:0", true), ("[::ffff:127.0.0.1]:0", false)] {
            match address(text).listen(Reach::ThisMachine).await {
                Ok(listener) => assert!(!is_remote(listener.local_addr().unwrap())),
                // Not every system has all of them; but none refuses.
                Err(error) => assert!(!is_there && !error.why().contains("machines"), "{error}"),
            }
        }
        let listener = address("0.0.0.0:0").listen(Reach::Network).await.unwrap();
        assert!(is_remote(listener.local_addr().unwrap()));
    }

    #[test]
    fn a_forbidden_port_has_its_own_hint() {
        let error = address("127.0.0.1:143").cannot(&io::ErrorKind::PermissionDenied.into());
        assert!(error.what_to_try().unwrap().contains("1024"), "{error}");
    }

    #[test]
    fn an_address_of_another_computer_has_its_own_hint() {
        let error = address("192.0.2.1:0").cannot(&io::ErrorKind::AddrNotAvailable.into());
        assert!(
            error.what_to_try().unwrap().contains("this computer"),
            "{error}"
        );
    }
}
