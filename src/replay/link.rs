//! The connection to one app, through the outlet that faults shape, if they do.

use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout_at};

use crate::net::{Delivery, Outlet, Transport};

/// The connection to one app. Octets that faults delay are on their way while it is read.
pub struct Link {
    /// The socket.
    pub transport: Transport,
    /// The way to the app, where faults shape it.
    pub outlet: Option<Outlet>,
}

impl Link {
    /// The fault that cut the connection, once it has: nothing goes to the app any more.
    pub fn cut(&self) -> Option<&str> {
        self.outlet.as_ref()?.cut()
    }

    /// Says this; waits as long as there is no room for it.
    pub async fn say(&mut self, octets: Vec<u8>) -> io::Result<()> {
        let Some(outlet) = &mut self.outlet else {
            return self.transport.write_all(&octets).await;
        };
        outlet.push(Bytes::from(octets));
        std::future::poll_fn(|cx| {
            let delivered = outlet.poll_deliver(cx, Pin::new(&mut self.transport))?;
            match delivered.is_pending() && !outlet.has_room() {
                true => Poll::Pending,
                false => Poll::Ready(Ok(())),
            }
        })
        .await
    }

    /// Writes what does not wait for its time.
    pub async fn flush(&mut self) -> io::Result<()> {
        match self.outlet {
            None => self.transport.flush().await,
            Some(_) => Ok(()),
        }
    }

    /// Waits until everything is with the app.
    pub async fn finish(&mut self) -> io::Result<()> {
        if let Some(outlet) = &mut self.outlet {
            let transport = &mut self.transport;
            std::future::poll_fn(|cx| outlet.poll_deliver(cx, Pin::new(transport))).await?;
        }
        self.transport.flush().await
    }

    /// Lets what waits for its time go to the app; comes back only if that fails.
    pub async fn deliver(&mut self) -> io::Result<()> {
        std::future::poll_fn(|cx| match &mut self.outlet {
            Some(outlet) => match outlet.poll_deliver(cx, Pin::new(&mut self.transport)) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                _ => Poll::Pending,
            },
            None => Poll::Pending,
        })
        .await
    }

    /// Waits so long, or until the app says something, if that is to be heard; what it said.
    pub async fn pause<'b>(
        &mut self,
        pause: Duration,
        hearing: Option<&'b mut [u8]>,
    ) -> io::Result<&'b [u8]> {
        self.flush().await?;
        let deadline = Instant::now() + pause;
        let Some(buffer) = hearing else {
            return match timeout_at(deadline, self.deliver()).await {
                Ok(failed) => failed.map(|()| &[][..]),
                Err(_) => Ok(&[]),
            };
        };
        match timeout_at(deadline, self.hear(buffer)).await {
            Ok(heard) => heard,
            Err(_) => Ok(&[]),
        }
    }

    /// As [`hear`](Self::hear), if the app is to be heard; else nothing is, and this does not end.
    pub async fn hear_if<'b>(
        &mut self,
        listens: bool,
        buffer: &'b mut [u8],
    ) -> io::Result<&'b [u8]> {
        match listens {
            true => self.hear(buffer).await,
            false => self.deliver().await.map(|()| &[][..]),
        }
    }

    /// What the app says; none if it says no more, or the connection was cut.
    pub async fn hear<'b>(&mut self, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
        let mut heard = ReadBuf::new(buffer);
        let outcome = std::future::poll_fn(|cx| {
            if let Some(outlet) = &mut self.outlet {
                let delivered = outlet.poll_deliver(cx, Pin::new(&mut self.transport))?;
                if delivered == Poll::Ready(Delivery::Cut) {
                    return Poll::Ready(Ok(()));
                }
            }
            Pin::new(&mut self.transport).poll_read(cx, &mut heard)
        });
        match outcome.await {
            Ok(()) => {}
            // Many peers close the connection without TLS's close_notify.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(error),
        }
        let length = heard.filled().len();
        Ok(&buffer[..length])
    }
}
