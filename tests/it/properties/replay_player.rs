//! The player: whatever a recording holds and an app says, it answers the same however the app's octets
//! come, and reads its own answers.

use std::io::Cursor;
use std::sync::Arc;

use mailscope::event::{Body, Event, Gate, Micros, Numbers, Peer, Secrets};
use mailscope::fault::Strikes;
use mailscope::protocol::imap::AppLeg;
use mailscope::replay::{Effect, Manner, Matching, OnMiss, Player, Script, Usage};

use super::shown;
use super::sound::sound;
use super::talk::{Reads, Step, Talk};

/// The first octet says how it is played; the recording ends where an octet is that no UTF-8 has, and
/// what the app says follows.
pub fn replay_player(data: &[u8]) {
    let Some((how, data)) = data.split_first() else {
        return;
    };
    let mut parts = data.splitn(2, |octet| *octet == 0xf7);
    let (recording, app) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let talk = Talk::of(app);
    let Some(whole) = played(*how, recording, &talk, Reads::Whole) else {
        return;
    };
    for reads in [Reads::Cut, Reads::Single] {
        let other = played(*how, recording, &talk, reads).expect("it was a recording before");
        if whole.waits && other.waits {
            assert_eq!(shown(&other.heard), shown(&whole.heard), "{reads:?}");
        }
    }
}

/// What was played.
struct Played {
    /// What the app heard.
    heard: Vec<u8>,
    /// The app waited for each answer, and was asked for nothing that it may not have waited for. One
    /// that does not wait has another session if it is read in other pieces: what it sends may be
    /// commands, a literal, or a password that was cut off.
    waits: bool,
}

/// `None` if there is no recording.
fn played(how: u8, recording: &[u8], talk: &Talk, reads: Reads) -> Option<Played> {
    let script = Script::read(Cursor::new(recording.to_vec()), "a recording").ok()?;
    let matching = match how % 2 {
        0 => Matching::State,
        _ => Matching::Strict,
    };
    let manner = Manner {
        on_miss: match how / 2 % 2 {
            0 => OnMiss::Bad,
            _ => OnMiss::Fail,
        },
        pace: 0.0,
    };
    let leg = match how / 4 % 2 {
        0 => AppLeg::Tls,
        _ => AppLeg::Cleartext,
    };
    let usage = Arc::new(Usage::new(script, matching));
    let mut heard = Vec::new();
    let mut waits = true;
    let mut drafts = Vec::new();
    // A second connection with the same octets, which what came unasked may be told to again.
    for conn in 1..=u64::from(1 + how / 8 % 2) {
        let gate = Gate::new(Secrets::Masked);
        let usage = Arc::clone(&usage);
        let mut player = Player::new(conn, usage, manner, gate, leg, Strikes::default());
        let mut effects = player.begin(Micros(0), &mut drafts);
        let mut at = 0;
        for step in talk.steps.iter().filter(|step| step.from == Peer::Client) {
            at += 1;
            for octets in step.reads(reads) {
                if !go_on(
                    &mut player,
                    std::mem::take(&mut effects),
                    &mut heard,
                    &mut drafts,
                ) {
                    break;
                }
                effects = player.hear(octets, Micros(at), &mut drafts);
            }
        }
        go_on(&mut player, effects, &mut heard, &mut drafts);
        player.end(Micros(at), &mut drafts);
        let mut numbers = Numbers::new(conn);
        let drafts = drafts.drain(..).zip(1..);
        let events: Vec<Event> = drafts.map(|(draft, n)| numbers.number(draft, n)).collect();
        sound(&events);
        waits &= !events.iter().any(is_hasty);
    }
    let report = usage.report();
    assert!(report.matched <= talk.octets() as u64 * 2);
    let asks = |line: &[u8]| line.starts_with(b"+") && line != b"+ OK\r";
    waits &= !heard.split(|octet| *octet == b'\n').any(asks);
    waits &= talk.steps.iter().all(is_one_line);
    Some(Played { heard, waits })
}

/// Whether nothing follows the end of a line before that is answered.
fn is_one_line(step: &Step) -> bool {
    let end = step.octets.iter().position(|octet| *octet == b'\n');
    end.is_none_or(|end| end + 1 == step.octets.len())
}

fn is_hasty(event: &Event) -> bool {
    matches!(&event.body, Body::Note(note) if note.id == "literal-not-awaited")
}

/// Carries effects out; whether the connection goes on.
fn go_on(
    player: &mut Player,
    mut effects: Vec<Effect>,
    heard: &mut Vec<u8>,
    drafts: &mut Vec<mailscope::event::Draft>,
) -> bool {
    while !effects.is_empty() {
        for effect in std::mem::take(&mut effects) {
            match effect {
                Effect::Say(octets) => heard.extend(octets),
                Effect::Pause { .. } => panic!("no pause was asked for"),
                Effect::StartTls => effects.extend(player.secured(Micros(0), drafts)),
                Effect::Close | Effect::Break(..) => {
                    heard.extend_from_slice(b"<closed>");
                    return false;
                }
            }
        }
    }
    true
}
