//! Logging in: LOGIN and AUTHENTICATE do the same where no secret is needed for the server's part, so
//! that an app may do it in another way than the recorded one.
//!
//! ```text
//! recorded  C: a LOGIN alice secret
//! live      C: b AUTHENTICATE PLAIN       the same
//!           S: +
//!           C: AGFsaWNlAHNlY3JldA==
//! ```

use super::script::{Exchange, Going, Turn};
use crate::event::{Reading, Said, Value};
use crate::protocol::imap::sameness::Difference;

/// What the server says before a SASL response (the last two are draft-murchison-sasl-login's).
const PLAIN: &[&[u8]] = &[b"+ \r\n"];
const LOGIN: &[&[u8]] = &[b"+ VXNlcm5hbWU6\r\n", b"+ UGFzc3dvcmQ6\r\n"];

/// Whether a command logs in.
fn is_login(said: &Said) -> bool {
    matches!(&said.reading, Reading::Command { name: Some(name), .. }
        if matches!(&**name, "LOGIN" | "AUTHENTICATE"))
}

/// What the app is to be told before each of its responses, where it logs in in a way that needs
/// nothing of the recording; `None` for another way, or another command.
fn prompts(live: &Said) -> Option<&'static [&'static [u8]]> {
    let Reading::Command {
        name: Some(name),
        mechanism,
        ..
    } = &live.reading
    else {
        return None;
    };
    let prompts = match (&**name, mechanism.as_deref()) {
        ("LOGIN", _) => return has_user_and_password(live).then_some(&[]),
        ("AUTHENTICATE", Some("PLAIN" | "EXTERNAL" | "OAUTHBEARER" | "XOAUTH2")) => PLAIN,
        ("AUTHENTICATE", Some("LOGIN")) => LOGIN,
        _ => return None,
    };
    // An initial response is one response less.
    Some(&prompts[usize::from(has_initial(live))..])
}

/// `AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==`
fn has_initial(said: &Said) -> bool {
    let is_authenticate = matches!(&said.reading, Reading::Command { name: Some(name), .. }
        if &**name == "AUTHENTICATE");
    is_authenticate && said.arguments().len() > 1
}

/// Whether it has what LOGIN takes: two strings (RFC 9051, section 6.2.3).
fn has_user_and_password(said: &Said) -> bool {
    let arguments = said.arguments();
    let is_string = |value: &Value<'_>| !matches!(value, Value::List(_) | Value::Text(_));
    arguments.len() == 2 && arguments.iter().all(is_string)
}

/// What a continuation of a command leads to.
pub fn going(continuation: &Said) -> Going {
    match continuation.wire.bytes().trim_ascii_end() {
        b"*" => Going::Back,
        _ => Going::On,
    }
}

/// Another user than the recorded one, as far as both are known.
pub fn another_user(recorded: &Exchange, live: &Said) -> Option<Difference> {
    let Reading::Command {
        identity: Some(user),
        ..
    } = &live.reading
    else {
        return None;
    };
    let known = recorded.identity.as_ref().filter(|known| *known != user)?;
    (is_login(&recorded.command) && is_login(live)).then(|| Difference {
        argument: "user name".into(),
        recorded: known.clone(),
        live: user.clone(),
    })
}

/// Whether both log in, however they do it, and the live one can be answered.
pub fn is_another_way(recorded: &Exchange, live: &Said) -> bool {
    let recorded_logs_in = match recorded.name() {
        "LOGIN" => has_user_and_password(&recorded.command),
        _ => is_login(&recorded.command),
    };
    recorded_logs_in && prompts(live).is_some()
}

/// Where in a login's turns to begin, and what the app is to be told before them.
///
/// A SASL mechanism's first response may come with the command or behind a `+` (RFC 9051, section
/// 6.2.2), in the recording and now.
pub fn first_turn(recorded: &Exchange, live: &Said) -> (usize, &'static [&'static [u8]]) {
    if !is_login(live) {
        return (0, &[]);
    }
    let way = |said: &Said| match &said.reading {
        Reading::Command {
            name, mechanism, ..
        } => (name.clone(), mechanism.clone()),
        _ => (None, None),
    };
    if way(&recorded.command) != way(live) {
        let last = recorded
            .turns
            .iter()
            .rposition(|turn| matches!(turn, Turn::Await(_)));
        let behind = last.map_or(0, |last| last + 1);
        return (behind, prompts(live).unwrap_or_default());
    }
    match (has_initial(&recorded.command), has_initial(live)) {
        (true, false) => (0, PLAIN),
        (false, true) => match recorded.turns.first_chunk::<2>() {
            Some([Turn::Say { .. }, Turn::Await(_)]) => (2, &[]),
            _ => (0, &[]),
        },
        _ => (0, &[]),
    }
}
