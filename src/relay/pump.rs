//! One direction of a connection: read, observe, write, until it ends.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::tap::Tap;
use crate::event::Peer;
use crate::limits;

/// How a direction ended.
#[derive(Debug)]
pub enum End {
    /// The sender said that it will send no more, and that was passed on.
    HalfClosed,
    /// The sender is gone.
    ReadFailed(io::Error),
    /// The receiver is gone.
    WriteFailed(io::Error),
}

/// Passes on what `from` sends until it ends. `moved` counts the octets.
pub async fn pump(
    tap: &Tap,
    from: Peer,
    mut reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
    moved: &AtomicU64,
) -> End {
    // Most connections idle most of the time; only a busy one gets a large buffer.
    const SMALL: usize = 8 * 1024;
    let mut buffer = vec![0; SMALL];
    let end = loop {
        let length = match reader.read(&mut buffer).await {
            // Many peers close the connection without TLS's close_notify; to an IMAP session
            // that is an end like any other.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break End::HalfClosed,
            Err(error) => break End::ReadFailed(error),
            Ok(0) => break End::HalfClosed,
            Ok(length) => length,
        };
        tap.read(from, &buffer[..length]);
        if let Err(error) = pass_on(&mut writer, &buffer[..length]).await {
            break End::WriteFailed(error);
        }
        moved.fetch_add(length as u64, Ordering::Relaxed);
        tap.room().await;
        if length == buffer.len() && length < limits::READ {
            buffer.resize(2 * length, 0);
        }
    };
    tap.ended(from);
    // It may be gone already; then there is nobody to tell.
    let _ = writer.shutdown().await;
    end
}

async fn pass_on(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    writer.write_all(bytes).await?;
    writer.flush().await
}
