//! A small IMAP server that notes what it is told, and can be odd.

use std::io;
use std::sync::{Arc, Mutex};

use super::super::support::noise;
use super::super::support::server::{Server, Stream, line};
use super::PASSWORD;

/// What the server was told, line by line.
pub type Told = Arc<Mutex<Vec<String>>>;

/// How the server differs from one that fits the recording.
#[derive(Clone, Copy, Default)]
pub struct Oddity {
    pub uid_validity: Option<u32>,
    pub exists: Option<u32>,
    pub without_unselect: bool,
    pub hangs_up_at: Option<&'static str>,
    pub says_bye_at: Option<&'static str>,
    pub tears_at: Option<&'static str>,
    pub leaves_after: Option<&'static str>,
    pub refuses_append: bool,
}

/// A small IMAP server: INBOX with three mails, Archive with one.
pub struct Imap {
    pub server: Server,
    pub told: Told,
}

impl Imap {
    pub fn start(oddity: Oddity) -> Self {
        let told = Told::default();
        let tell = Arc::clone(&told);
        let server = Server::plain(move |stream| serve(stream, &tell, oddity));
        Self { server, told }
    }

    /// The flags that make a replay ask it.
    pub fn flags(&self) -> Vec<String> {
        let flags = ["--on-miss", "record", "--server-tls", "none", "--server"];
        let mut flags: Vec<String> = flags.map(str::to_owned).to_vec();
        flags.push(self.server.name());
        flags
    }

    pub fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    /// The commands it was told, without their tags.
    pub fn commands(&self) -> Vec<String> {
        let told = self.told();
        let words = told
            .iter()
            .map(|line| line.split_once(' ').unwrap_or(("", line)).1);
        words.map(str::to_owned).collect()
    }
}

pub fn serve(stream: &mut dyn Stream, told: &Told, oddity: Oddity) -> io::Result<()> {
    let unselect = match oddity.without_unselect {
        true => "",
        false => " UNSELECT",
    };
    let capabilities = format!("IMAP4rev1 IDLE COMPRESS=DEFLATE{unselect}");
    stream.write_all(format!("* OK [CAPABILITY {capabilities}] ready\r\n").as_bytes())?;
    loop {
        let said = line(stream)?;
        let text = String::from_utf8_lossy(&said).trim_end().to_owned();
        let Some((tag, words)) = text.split_once(' ') else {
            return Ok(());
        };
        told.lock().unwrap().push(text.clone());
        let name = words.split(' ').next().unwrap().to_ascii_uppercase();
        if oddity.hangs_up_at == Some(&*name) {
            return stream.write_all(b"* 1 FETCH (FLAGS ())\r\n");
        }
        if oddity.says_bye_at == Some(&*name) {
            return stream.write_all(b"* BYE enough\r\n");
        }
        if oddity.tears_at == Some(&*name) {
            return stream.write_all(b"* 1 FETCH (BODY[] {10}\r\nhalf");
        }
        let answer = match &*name {
            "LOGIN" if words.contains(PASSWORD) => "OK in".to_owned(),
            "LOGIN" => "NO wrong".to_owned(),
            "AUTHENTICATE" => authenticate(stream, told)?,
            "CAPABILITY" => {
                stream.write_all(format!("* CAPABILITY {capabilities}\r\n").as_bytes())?;
                "OK these".to_owned()
            }
            "SELECT" | "EXAMINE" => {
                let is_inbox = words.to_ascii_uppercase().contains("INBOX");
                let (validity, count) = if is_inbox { (7, 3) } else { (8, 1) };
                let validity = oddity.uid_validity.unwrap_or(validity);
                let count = oddity.exists.unwrap_or(count);
                let lines = format!("* {count} EXISTS\r\n* OK [UIDVALIDITY {validity}] valid\r\n");
                stream.write_all(lines.as_bytes())?;
                "OK [READ-WRITE] selected".to_owned()
            }
            "FETCH" | "UID" if words.contains("BODY") => {
                let body =
                    String::from_utf8(noise(1, 300_000).iter().map(|o| b'a' + o % 26).collect());
                let body = body.unwrap();
                let head = format!("* 1 FETCH (BODY[] {{{}}}\r\n", body.len());
                stream.write_all(head.as_bytes())?;
                stream.write_all(body.as_bytes())?;
                stream.write_all(b")\r\n")?;
                "OK fetched".to_owned()
            }
            "FETCH" | "UID" => {
                stream.write_all(b"* 1 FETCH (UID 11 FLAGS (\\Answered))\r\n")?;
                "OK fetched".to_owned()
            }
            "APPEND" if oddity.refuses_append => "NO [TOOBIG] no".to_owned(),
            "APPEND" => append(stream, told, words)?,
            "IDLE" => {
                stream.write_all(b"+ idling\r\n* 4 EXISTS\r\n")?;
                let done = String::from_utf8(line(stream)?).unwrap();
                told.lock().unwrap().push(format!("- {}", done.trim_end()));
                "OK idled".to_owned()
            }
            "LOGOUT" => {
                stream.write_all(b"* BYE bye\r\n")?;
                "OK out".to_owned()
            }
            _ => "OK done".to_owned(),
        };
        stream.write_all(format!("{tag} {answer}\r\n").as_bytes())?;
        if oddity.leaves_after == Some(&*name) {
            stream.write_all(b"* BYE nothing happens here\r\n")?;
            stream.finish();
            told.lock().unwrap().push("- left".to_owned());
            return Ok(());
        }
        if name == "LOGOUT" {
            return Ok(());
        }
    }
}

pub fn authenticate(stream: &mut dyn Stream, told: &Told) -> io::Result<String> {
    for prompt in ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"] {
        stream.write_all(format!("+ {prompt}\r\n").as_bytes())?;
        let turn = String::from_utf8(line(stream)?).unwrap();
        told.lock().unwrap().push(format!("- {}", turn.trim_end()));
    }
    Ok("OK in".to_owned())
}

pub fn append(stream: &mut dyn Stream, told: &Told, words: &str) -> io::Result<String> {
    let count = words
        .rsplit_once('{')
        .unwrap()
        .1
        .trim_end_matches(['}', '+']);
    if words.ends_with('}') && !words.ends_with("+}") {
        stream.write_all(b"+ go\r\n")?;
    }
    let mut body = vec![0; count.parse().unwrap()];
    stream.read_exact(&mut body)?;
    let sum: u64 = body.iter().map(|octet| u64::from(*octet)).sum();
    told.lock()
        .unwrap()
        .push(format!("- {} octets, {sum}", body.len()));
    line(stream)?;
    Ok("OK [APPENDUID 8 2] appended".to_owned())
}
