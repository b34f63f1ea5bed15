//! A SOCKS5 client (RFC 1928), octet by octet.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use super::PATIENCE;

/// A connection to `host` through the proxy at this address, or the code of its refusal.
pub fn connect(proxy: &str, host: &str, port: u16) -> Result<TcpStream, u8> {
    let mut request = vec![5, 1, 0, 5, 1, 0, 3, u8::try_from(host.len()).unwrap()];
    request.extend(host.as_bytes());
    request.extend(port.to_be_bytes());
    let mut stream = TcpStream::connect(proxy).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(&request).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer[..3], [5, 0, 5]);
    match answer[3] {
        0 => Ok(stream),
        code => Err(code),
    }
}

/// What the proxy says to these octets, up to its end.
pub fn say(proxy: &str, octets: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(proxy).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(octets).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}
