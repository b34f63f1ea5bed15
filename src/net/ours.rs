//! What belongs to mailscope itself, so that it never becomes its own server.
//!
//! A loop begins in two ways: the server that is asked for is one of mailscope's own listeners, or a
//! redirect rule catches mailscope's own connections to servers. The first is known before dialling;
//! the second when the connection comes back, by the address that it was made from.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpStream;

use super::ServerAddress;

/// Our own listeners, and our own connections to servers.
#[derive(Debug, Default)]
pub struct Ours {
    listeners: Vec<SocketAddr>,
    dialled: Mutex<HashSet<SocketAddr>>,
}

impl Ours {
    /// These are our listeners.
    pub fn listening(listeners: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self {
            listeners: listeners.into_iter().collect(),
            dialled: Mutex::default(),
        }
    }

    /// Whether who connects there reaches one of our listeners.
    pub fn is_listener(&self, address: SocketAddr) -> bool {
        let address = canonical(address);
        let reaches = |listener: &SocketAddr| {
            let listener = canonical(*listener);
            listener.port() == address.port()
                && match listener.ip().is_unspecified() {
                    true => is_of_this_computer(address.ip()),
                    false => listener.ip() == address.ip(),
                }
        };
        self.listeners.iter().any(reaches)
    }

    /// Whether this server is one of our listeners, as far as that can be told without a look-up.
    pub fn are(&self, server: &ServerAddress) -> bool {
        let ip = match server.host() {
            "localhost" => Ok(IpAddr::from(Ipv4Addr::LOCALHOST)),
            host => host.parse(),
        };
        ip.is_ok_and(|ip| self.is_listener(SocketAddr::new(ip, server.port())))
    }

    /// Remembers a connection that we made, until the value is dropped.
    #[must_use = "the connection is forgotten when this is dropped"]
    pub fn dialled(self: &Arc<Self>, connection: &TcpStream) -> Option<Dialled> {
        let from = canonical(connection.local_addr().ok()?);
        self.connections().insert(from);
        Some(Dialled {
            ours: Arc::clone(self),
            from,
        })
    }

    /// Whether a connection that comes from this address is one that we made.
    pub fn has_dialled_from(&self, address: SocketAddr) -> bool {
        self.connections().contains(&canonical(address))
    }

    fn connections(&self) -> MutexGuard<'_, HashSet<SocketAddr>> {
        self.dialled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection of ours that is remembered.
#[derive(Debug)]
pub struct Dialled {
    ours: Arc<Ours>,
    from: SocketAddr,
}

impl Drop for Dialled {
    fn drop(&mut self) {
        self.ours.connections().remove(&self.from);
    }
}

/// An IPv4 address that came through an IPv6 socket is an IPv4 address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Only an address of this computer can be bound.
fn is_of_this_computer(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified() || UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[test]
    fn a_listener_is_known_by_each_address_that_reaches_it() {
        let ours = Ours::listening(["127.0.0.1:1993", "0.0.0.0:1143"].map(|a| a.parse().unwrap()));
        for (address, is_ours) in [
            ("127.0.0.1:1993", true),
            ("[::ffff:127.0.0.1]:1993", true),
            ("127.0.0.1:993", false),
            ("127.0.0.2:1993", false),
            ("127.0.0.1:1143", true),
            ("127.0.0.2:1143", true),
            ("192.0.2.1:1143", false),
        ] {
            assert_eq!(
                ours.is_listener(address.parse().unwrap()),
                is_ours,
                "{address}"
            );
        }
    }

    #[tokio::test]
    async fn a_connection_is_known_while_it_lasts() {
        let ours = Arc::new(Ours::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (_, from) = listener.accept().await.unwrap();
        assert!(!ours.has_dialled_from(from));
        let dialled = ours.dialled(&stream);
        assert!(ours.has_dialled_from(from));
        drop(dialled);
        assert!(!ours.has_dialled_from(from));
    }
}
