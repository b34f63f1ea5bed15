//! The connection to one app, through the outlet that faults shape, if they do.

use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout, timeout_at};

use crate::limits;
use crate::net::{Delivery, Outlet, Transport};

/// The connection to one app. Octets that faults delay are on their way while it is read.
pub struct Link {
    /// The socket.
    pub transport: Transport,
    /// The way to the app, where faults shape it.
    pub outlet: Option<Outlet>,
}

/// How a pause ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// When it was over.
    Whole,
    /// When the app had nothing more to say: it is gone, or waits for the rest of its answers.
    AppIsDone,
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

    /// Waits so long, or until the app says something; what it said.
    pub async fn idle<'b>(
        &mut self,
        pause: Duration,
        buffer: &'b mut [u8],
    ) -> io::Result<&'b [u8]> {
        self.flush().await?;
        match timeout(pause, self.hear(buffer)).await {
            Ok(heard) => heard,
            Err(_) => Ok(&[]),
        }
    }

    /// Waits so long, or until the app says no more. What it says meanwhile is added to `ahead`, one
    /// [read](limits::READ) of it and no more.
    pub async fn pause(
        &mut self,
        pause: Duration,
        buffer: &mut [u8],
        ahead: &mut Vec<u8>,
    ) -> io::Result<Waited> {
        self.flush().await?;
        let deadline = Instant::now() + pause;
        loop {
            let listens = ahead.len() < limits::READ;
            match timeout_at(deadline, self.hear_if(listens, buffer)).await {
                Err(_) => return Ok(Waited::Whole),
                Ok(heard) => match heard? {
                    [] => return Ok(Waited::AppIsDone),
                    heard => ahead.extend_from_slice(heard),
                },
            }
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

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    async fn connected() -> (Link, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let app = TcpStream::connect(listener.local_addr().unwrap()).await;
        let (stream, _) = listener.accept().await.unwrap();
        let link = Link {
            transport: Transport::Plain(stream),
            outlet: None,
        };
        (link, app.unwrap())
    }

    #[tokio::test]
    async fn a_pause_ends_when_the_app_is_gone_and_nothing_that_it_said_is_lost() {
        let (mut link, mut app) = connected().await;
        app.write_all(b"a NOOP\r\nb NOOP\r\n").await.unwrap();
        drop(app);
        let mut ahead = Vec::new();
        let waited = link.pause(LONG, &mut [0; 5], &mut ahead).await.unwrap();
        assert_eq!(waited, Waited::AppIsDone);
        assert_eq!(ahead, b"a NOOP\r\nb NOOP\r\n");
    }

    #[tokio::test]
    async fn a_pause_is_whole_while_the_app_is_there_and_holds_one_read_of_it() {
        let (mut link, mut app) = connected().await;
        let says = tokio::spawn(async move {
            let _ = app.write_all(&vec![b'x'; 8 * limits::READ]).await;
            app
        });
        let mut ahead = Vec::new();
        let mut buffer = vec![0; limits::READ];
        while ahead.len() < limits::READ {
            let pause = Duration::from_millis(1);
            let waited = link.pause(pause, &mut buffer, &mut ahead).await.unwrap();
            assert_eq!(waited, Waited::Whole);
        }
        let before = ahead.len();
        let pause = Duration::from_millis(1);
        link.pause(pause, &mut buffer, &mut ahead).await.unwrap();
        assert_eq!(ahead.len(), before);
        says.abort();
    }
}
