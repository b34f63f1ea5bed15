//! Plays one side of a part: says what is its to say, and waits for the rest.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::part::Part;
use crate::error::{Doing, Error, Result};
use crate::event::Peer;

/// Plays `side` until the part ends and the other side has closed. Pauses are as recorded, but
/// none is longer than `longest_pause`.
///
/// # Errors
///
/// The other side says something else than the part, or is gone before its end.
pub async fn play(
    part: &Part,
    side: Peer,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    longest_pause: Duration,
) -> Result<()> {
    for (turn, n) in part.turns.iter().zip(1..) {
        let doing = || format!("play the {}, message {n}", side.name());
        if turn.from == side {
            tokio::time::sleep(turn.pause.min(longest_pause)).await;
            stream.write_all(&turn.octets).await.doing(doing)?;
            stream.flush().await.doing(doing)?;
            continue;
        }
        let mut heard = vec![0; turn.octets.len()];
        stream.read_exact(&mut heard).await.doing(doing)?;
        if heard != turn.octets {
            let live = String::from_utf8_lossy(&heard).into_owned();
            return Err(Error::new(doing(), format!("not as recorded: {live:?}")));
        }
    }
    let doing = || format!("end the {}'s part", side.name());
    stream.shutdown().await.doing(doing)?;
    // Whoever ends first still has to see the other's end.
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest).await {
        Ok(0) => Ok(()),
        Ok(_) => Err(Error::new(
            doing(),
            "the other side says more than the part",
        )),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(()),
        Err(error) => Err(Error::new(doing(), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Turn;

    fn part() -> Part {
        let turn = |from, octets: &[u8]| Turn {
            from,
            octets: octets.to_vec(),
            pause: Duration::ZERO,
        };
        Part {
            turns: vec![
                turn(Peer::Server, b"* OK hi\r\n"),
                turn(Peer::Client, b"a NOOP\r\n"),
                turn(Peer::Server, b"a OK\r\n"),
            ],
        }
    }

    #[tokio::test]
    async fn both_sides_of_one_part_get_on_with_each_other() {
        let (app, server) = tokio::io::duplex(64);
        let part = part();
        let (app, server) = tokio::join!(
            play(&part, Peer::Client, app, Duration::ZERO),
            play(&part, Peer::Server, server, Duration::ZERO),
        );
        app.unwrap();
        server.unwrap();
    }

    #[tokio::test]
    async fn a_deviation_is_told_with_the_message() {
        let (app, server) = tokio::io::duplex(64);
        let part = part();
        let mut other = part.clone();
        other.turns[1].octets = b"a QUUX\r\n".to_vec();
        let (app, server) = tokio::join!(play(&other, Peer::Client, app, Duration::ZERO), async {
            let outcome = play(&part, Peer::Server, server, Duration::ZERO).await;
            outcome.unwrap_err().to_string()
        },);
        assert!(app.is_err());
        assert!(
            server.contains("message 2") && server.contains("QUUX"),
            "{server}"
        );
    }
}
