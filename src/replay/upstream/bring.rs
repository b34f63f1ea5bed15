//! How a session with the real server is brought to where the live app's session stands, before a
//! command is passed on; and when it cannot be, so that the command would mean something else there.
//!
//! ```text
//! app's session               to the server, if its session is not there yet
//! logged in                   the app's own LOGIN or AUTHENTICATE
//! enabled CONDSTORE           the app's own ENABLE
//! INBOX selected              the app's own SELECT, with its parameters
//! no mailbox selected         UNSELECT, or a new connection; never CLOSE, which expunges
//! ```
//!
//! What the recording alone has answered is not repeated: a STORE, an EXPUNGE, an APPEND of it never
//! happened on the server. Nothing is passed where UIDVALIDITY is another than the app was told, nor
//! a command with message sequence numbers where the mailbox has another number of messages.

use std::sync::Arc;

use super::super::raw::Raw;
use super::super::standing::{Login, Selected, Standing};
use super::leg::{Answer, Leg, Speaker};
use super::{Denied, Errand, Upstream};
use crate::event::{Gate, Status};
use crate::protocol::imap::State;

/// Why a command is not passed on, and the connection, if it is of use still.
pub struct Refused {
    /// For people.
    pub why: String,
    /// The connection.
    pub leg: Option<Leg>,
}

/// Brings a session to where the app's stands: the one that is there, or a new one.
pub async fn to(
    leg: Option<Leg>,
    upstream: &Arc<Upstream>,
    gate: &Gate,
    errand: &Errand,
) -> Result<Leg, Refused> {
    let lost = |why| Refused { why, leg: None };
    let mut leg = match usable(leg, errand).await {
        Some(leg) => leg,
        None => Leg::connect(upstream, gate, Speaker::Mailscope)
            .await
            .map_err(lost)?,
    };
    let brought = match brought(&mut leg, errand, &upstream.denied).await {
        Ok(()) => understands(&mut leg, &errand.command).await,
        refused => refused,
    };
    // It may be in another state than anybody thinks, if it ended in the middle.
    match brought {
        Ok(()) => Ok(leg),
        Err(why) => Err(Refused {
            why,
            leg: Some(leg).filter(Leg::is_usable),
        }),
    }
}

/// The session that is there, if it can be gone on with.
async fn usable(leg: Option<Leg>, errand: &Errand) -> Option<Leg> {
    let mut leg = leg?;
    if !leg.is_there().await {
        return None;
    }
    if can_become(&leg, errand) {
        return Some(leg);
    }
    leg.leave().await;
    None
}

/// Whether this session can be brought there without beginning anew.
fn can_become(leg: &Leg, errand: &Errand) -> bool {
    let (here, there) = (leg.standing(), &errand.standing);
    let is_same_user = match (is_logged_in(leg), errand.is_authenticated) {
        (true, false) => false,
        (true, true) => match (&here.login, &there.login) {
            (Some(here), Some(there)) => here.is(there),
            (None, None) => true,
            _ => false,
        },
        (false, _) => true,
    };
    let is_enabled = |raw: &Raw| there.enabled.iter().any(|other| other.says_the_same(raw));
    let can_leave = there.selected.is_some()
        || here.selected.is_none()
        || selects(errand)
        || ["UNSELECT", "IMAP4REV2"]
            .iter()
            .any(|capability| leg.has(capability));
    leg.is_usable() && is_same_user && here.enabled.iter().all(is_enabled) && can_leave
}

fn is_logged_in(leg: &Leg) -> bool {
    matches!(leg.state(), State::Authenticated | State::Selected)
}

/// Whether the command leaves the selected mailbox for another one by itself.
fn selects(errand: &Errand) -> bool {
    matches!(&*errand.name, "SELECT" | "EXAMINE")
}

async fn brought(leg: &mut Leg, errand: &Errand, denied: &Denied) -> Result<(), String> {
    let there = &errand.standing;
    if errand.is_authenticated && !is_logged_in(leg) {
        log_in(leg, there.login.as_ref(), denied).await?;
    }
    for enable in &there.enabled {
        let is_it = |raw: &Raw| raw.says_the_same(enable);
        if !leg.standing().enabled.iter().any(is_it) {
            asked(leg, enable, "ENABLE").await?;
        }
    }
    if selects(errand) {
        return Ok(());
    }
    match &there.selected {
        Some(selected) => {
            select(leg, selected).await?;
            is_the_same(leg, selected, errand)
        }
        None if leg.standing().selected.is_some() => {
            asked(leg, &Raw::own("UNSELECT"), "UNSELECT").await
        }
        None => Ok(()),
    }
}

async fn log_in(leg: &mut Leg, login: Option<&Login>, denied: &Denied) -> Result<(), String> {
    let Some(login) = login else {
        return Err(format!(
            "the app has not logged in, and {} wants it",
            leg.name()
        ));
    };
    if !login.can_be_repeated() {
        return Err(format!(
            "the app logged in by {} from the recording, which cannot be repeated at {}; an app that \
             logs in by LOGIN or PLAIN can, or record everything anew (--record all)",
            login.mechanism.as_deref().unwrap_or("LOGIN"),
            leg.name()
        ));
    }
    if denied.has(login) {
        return Err(format!(
            "{} has refused the app's login before, so that it is not tried again",
            leg.name()
        ));
    }
    understands(leg, &login.command).await?;
    let answer = leg.ask(&login.command, &login.turns).await?;
    denied.note(login, &answer);
    agreed(leg, &answer, "login")
}

async fn select(leg: &mut Leg, wanted: &Selected) -> Result<(), String> {
    let is_it = |Standing { selected, .. }: &Standing| {
        let selected = selected.as_ref();
        selected.is_some_and(|selected| selected.command.says_the_same(&wanted.command))
    };
    match is_it(leg.standing()) {
        true => Ok(()),
        false => asked(leg, &wanted.command, "mailbox").await,
    }
}

async fn asked(leg: &mut Leg, command: &Raw, what: &str) -> Result<(), String> {
    understands(leg, command).await?;
    let answer = leg.ask(command, &[]).await?;
    agreed(leg, &answer, what)
}

/// Whether the server takes the app's literals, as far as it said.
async fn understands(leg: &mut Leg, command: &Raw) -> Result<(), String> {
    const OFFERS: [&str; 3] = ["LITERAL+", "LITERAL-", "IMAP4REV2"];
    if !command.is_hasty() || !leg.lists_without(&OFFERS) {
        return Ok(());
    }
    // It may offer more since the login, and not have said so.
    let _ = leg.ask(&Raw::own("CAPABILITY"), &[]).await?;
    match leg.lists_without(&OFFERS) {
        false => Ok(()),
        true => Err(format!(
            "the app sent a literal that waits for no go-ahead, which {} does not offer (LITERAL+)",
            leg.name()
        )),
    }
}

fn agreed(leg: &Leg, answer: &Answer, what: &str) -> Result<(), String> {
    match answer.status {
        Some(Status::Ok) => Ok(()),
        status => Err(format!(
            "{} answered the app's {what} with {} {}",
            leg.name(),
            status.map_or("nonsense", Status::name),
            answer.text
        )),
    }
}

/// Whether the app's numbers mean the same messages there.
fn is_the_same(leg: &Leg, told: &Selected, errand: &Errand) -> Result<(), String> {
    let Some(there) = &leg.standing().selected else {
        return Err("the server has no mailbox selected".into());
    };
    if let (Some(here), Some(there)) = (told.uid_validity, there.uid_validity)
        && here != there
    {
        return Err(format!(
            "the mailbox has UIDVALIDITY {there} at {}, and {here} in the recording: it is another \
             mailbox; record it anew (--record all)",
            leg.name()
        ));
    }
    if counts(errand)
        && let (Some(here), Some(there)) = (told.exists, there.exists)
        && here != there
    {
        return Err(format!(
            "the mailbox has {there} messages at {}, and {here} in this session, so that message \
             numbers mean others; UID commands can be passed, or record it anew (--record all)",
            leg.name()
        ));
    }
    Ok(())
}

/// Whether a command has message sequence numbers, or is answered with nothing else.
fn counts(errand: &Errand) -> bool {
    matches!(
        &*errand.name,
        "COPY" | "EXPUNGE" | "FETCH" | "MOVE" | "SEARCH" | "SORT" | "STORE" | "THREAD"
    )
}
