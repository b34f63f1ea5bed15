//! Where an app meant to go whose connection the system redirected to us (Linux).
//!
//! A redirect rule of the packet filter changes the destination of a connection and remembers the
//! original one, which `SO_ORIGINAL_DST` tells. Other systems have no such option.

use std::net::SocketAddr;

use tokio::net::TcpStream;

/// Why the original destination is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRedirected {
    /// The app connected to mailscope itself.
    Direct,
    /// The system does not tell.
    Unknown {
        /// In words.
        why: String,
    },
}

/// Where the connection was going before it was redirected.
///
/// # Errors
///
/// It was not redirected, or the system does not tell.
pub fn original_destination(app: &TcpStream) -> Result<SocketAddr, NotRedirected> {
    let unknown = |error: std::io::Error| NotRedirected::Unknown {
        why: error.to_string(),
    };
    let local = app.local_addr().map_err(unknown)?;
    let Some(original) = asked(app, local).map_err(unknown)? else {
        return Err(NotRedirected::Direct);
    };
    let original = SocketAddr::new(original.ip().to_canonical(), original.port());
    match original == SocketAddr::new(local.ip().to_canonical(), local.port()) {
        true => Err(NotRedirected::Direct),
        false => Ok(original),
    }
}

/// What the system says; none where it has nothing to say of this connection.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn asked(app: &TcpStream, local: SocketAddr) -> std::io::Result<Option<SocketAddr>> {
    use rustix::io::Errno;

    let socket = socket2::SockRef::from(app);
    let original = match local.ip().to_canonical().is_ipv4() {
        true => socket.original_dst_v4(),
        false => socket.original_dst_v6(),
    };
    match original {
        Ok(original) => Ok(original.as_socket()),
        // The connection is not tracked, or nothing on this computer tracks connections.
        Err(error)
            if matches!(
                Errno::from_io_error(&error),
                Some(Errno::NOENT | Errno::NOPROTOOPT)
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn asked(_: &TcpStream, _: SocketAddr) -> std::io::Result<Option<SocketAddr>> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_connection_that_was_not_redirected_is_told_from_others() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            // Where there is no IPv6, there is nothing to look at.
            let Ok(listener) = TcpListener::bind(address).await else {
                continue;
            };
            let bound = listener.local_addr().unwrap();
            let _app = TcpStream::connect(bound).await.unwrap();
            let (came, _) = listener.accept().await.unwrap();
            assert_eq!(original_destination(&came), Err(NotRedirected::Direct));
        }
    }
}
