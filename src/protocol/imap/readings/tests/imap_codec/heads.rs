//! Greetings, and what a client says that is no command, as `imap-codec` has them.

use arbitrary::{Arbitrary, Unstructured};
use imap_codec::decode::Decoder;
use imap_codec::encode::Encoder;
use imap_codec::imap_types::auth::AuthenticateData;
use imap_codec::imap_types::extensions::idle::IdleDone;
use imap_codec::imap_types::response::Greeting;
use imap_codec::{AuthenticateDataCodec, GreetingCodec, IdleDoneCodec};

use super::super::greeted;
use super::{Peer, Reading, Tally, assert_same, said, seed, status};

#[test]
fn greetings_are_read_as_imap_codec_reads_them() {
    let mut tally = Tally::default();
    for number in 0..2_000 {
        let octets = seed(number);
        let Ok(greeting) = Greeting::arbitrary(&mut Unstructured::new(&octets)) else {
            continue;
        };
        let wire = GreetingCodec::default().encode(&greeting).dump();
        let Ok((b"", parsed)) = GreetingCodec::default().decode(&wire) else {
            continue;
        };
        let expected = status::greeting(&parsed);
        let heard = greeted(&wire);
        let shown = String::from_utf8_lossy(&wire);
        assert_same(&status::ours(&heard, &expected), &expected, &shown);
        tally.add(expected["status"].as_str().unwrap());
    }
    tally.assert_complete(&["OK", "PREAUTH", "BYE"]);
}

/// What a client says that is no command: SASL responses, which are masked, `*`, and DONE.
#[test]
fn continuations_are_read_as_imap_codec_reads_them() {
    let mut counts = [0; 2];
    for number in 0..500 {
        let octets = seed(number);
        let Ok(given) = AuthenticateData::arbitrary(&mut Unstructured::new(&octets)) else {
            continue;
        };
        let wire = AuthenticateDataCodec::default().encode(&given).dump();
        let Ok((b"", parsed)) = AuthenticateDataCodec::default().decode(&wire) else {
            continue;
        };
        let heard = said(&[
            (Peer::Client, b"a AUTHENTICATE X-TEST\r\n"),
            (Peer::Server, b"+ \r\n"),
            (Peer::Client, &wire),
        ]);
        let last = heard.last().unwrap();
        assert!(matches!(last.reading, Reading::Continuation { .. }));
        match parsed {
            AuthenticateData::Cancel => {
                assert_eq!(last.wire.bytes(), b"*\r\n");
                counts[0] += 1;
            }
            AuthenticateData::Continue(octets) => {
                let is_masked = last.wire.bytes() != wire || octets.declassify().is_empty();
                assert!(is_masked, "{:?}", last.wire.bytes());
                counts[1] += 1;
            }
        }
    }
    assert!(counts.iter().all(|count| *count > 5), "{counts:?}");
    let done = IdleDoneCodec::default().encode(&IdleDone).dump();
    let heard = said(&[
        (Peer::Client, b"a IDLE\r\n"),
        (Peer::Server, b"+ idling\r\n"),
        (Peer::Client, &done),
    ]);
    let reading = &heard.last().unwrap().reading;
    assert!(matches!(
        reading,
        Reading::Continuation { idled: Some(_), .. }
    ));
}
