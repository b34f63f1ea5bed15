//! What every connection is set to, an app's as well as a server's.

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use crate::limits;

/// Sets a connection up: what is written leaves at once, and a peer that is gone without a word (a
/// cable that was pulled, a computer that lost its power) is found out while nothing is said.
pub fn set_up(stream: &TcpStream) {
    // Both fail on a connection that is dead already, which the first read will tell; else it works
    // all the same, if not as well.
    let _ = stream.set_nodelay(true);
    let probes = TcpKeepalive::new()
        .with_time(limits::PROBED_AFTER)
        .with_interval(limits::PROBED_EVERY);
    #[cfg(any(
        target_os = "linux",
        target_os = "android",
        target_vendor = "apple",
        windows
    ))]
    let probes = probes.with_retries(limits::PROBES);
    let _ = SockRef::from(stream).set_tcp_keepalive(&probes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_silent_peer_is_probed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        set_up(&stream);
        assert!(stream.nodelay().unwrap());
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), limits::PROBED_AFTER);
        assert_eq!(
            socket.tcp_keepalive_interval().unwrap(),
            limits::PROBED_EVERY
        );
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), limits::PROBES);
    }
}
