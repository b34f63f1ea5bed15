//! Pages: what a browser, headless Chromium, makes of them.

use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::Trial;
use serde_json::json;
use tempfile::TempDir;

use super::support::mailscope::run;
use super::support::patience::InTime;
use super::support::programs::{CHROMIUM, needing};
use super::support::{PATIENCE, trials, wait_for};

pub fn trials() -> Vec<Trial> {
    let mut all = needing(
        &[CHROMIUM],
        trials!("page";
            a_command_is_shown_with_its_answers,
            a_filter_leaves_what_fits,
            hostile_mail_is_shown_and_not_run,
            ten_thousand_events,
            ten_thousand_events_are_smooth,
            keys_go_from_command_to_command,
        ),
    );
    all.extend(trials!("page"; a_page_is_one_file_that_fetches_nothing));
    all
}

struct Page {
    path: PathBuf,
    folder: TempDir,
}

fn exported(transcript: &Path) -> Page {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let (from, to) = (transcript.to_str().unwrap(), path.to_str().unwrap());
    let output = run(&["export", from, "--to", "html", "-o", to]);
    assert!(output.status.success(), "{output:?}");
    Page { path, folder }
}

/// A transcript of these events.
fn transcript(folder: &TempDir, server: &str, events: Vec<serde_json::Value>) -> PathBuf {
    let path = folder.path().join("session.json");
    let header = json!({"format": 1, "started": "2026-11-23T12:00:00.000Z", "server": server});
    let document = json!({"mailscope": header, "events": events});
    std::fs::write(&path, document.to_string()).unwrap();
    path
}

impl Page {
    /// The document when its script has run, at this place of it, and rows were drawn. What is in view is built
    /// with the browser's next picture, which one that is short of time may not draw before it ends.
    fn document(&self, place: &str) -> String {
        const TIMES: usize = 6;
        let is_drawn = |document: &String| {
            ["class=\"row", "Nothing fits."]
                .iter()
                .any(|drawn| document.contains(drawn))
        };
        let mut documents = (1..=TIMES).filter_map(|_| self.document_now(place));
        let drawn = documents.find(is_drawn);
        drawn.unwrap_or_else(|| panic!("nothing was drawn, {TIMES} times"))
    }

    fn document_now(&self, place: &str) -> Option<String> {
        let output = self
            .browser()
            .args(["--virtual-time-budget=5000", "--dump-dom"])
            .arg(format!("file://{}{place}", self.path.display()))
            .output_within(PATIENCE / 2)
            .unwrap()?;
        let document = String::from_utf8_lossy(&output.stdout);
        assert!(document.contains("</html>"), "{output:?}");
        // Without the data, which stands in it as well.
        let (before, behind) = document.split_once("<script type=").unwrap();
        let rest = behind.rsplit_once("</script>").unwrap().1;
        Some(format!("{before}{rest}"))
    }

    /// A browser that shows a page, and speaks to nobody else.
    fn browser(&self) -> Command {
        let mut browser = Command::new(CHROMIUM.path().unwrap());
        browser
            .args(["--headless", "--no-sandbox", "--disable-gpu"])
            .args(["--window-size=1200,800", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--disable-quic"])
            .arg(format!("--user-data-dir={}", self.folder.path().display()));
        browser
    }
}

fn tour() -> Page {
    exported(&Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/tour.json"))
}

fn a_command_is_shown_with_its_answers() {
    let document = tour().document("#42");
    assert!(document.contains("<title>mailscope: imap.example.com:993</title>"));
    assert_eq!(document.matches("class=\"row").count(), 11, "commands");
    assert_eq!(document.matches("row chosen").count(), 1);
    // The command, two messages and the answer; what came unsolicited between them is not its own.
    assert_eq!(document.matches(" mine\"").count(), 4);
    assert!(document.matches("unsolicited\"").count() >= 2);
    assert!(document.contains("{116}</button>"), "literals are folded");
    assert!(!document.contains("Grace Hopper"));
}

fn a_filter_leaves_what_fits() {
    let document = tour().document("#filter=status:NO%20command:LOGIN");
    let count = document.split("id=\"count\">").nth(1).unwrap();
    assert!(count.starts_with("2 of 59 events"), "{}", &count[..40]);
    assert_eq!(document.matches("class=\"row").count(), 1);
    assert!(document.contains("Invalid credentials"));
    let nothing = tour().document("#filter=nothing-is-called-so");
    assert!(nothing.contains("Nothing fits."));
}

fn hostile_mail_is_shown_and_not_run() {
    const RUNS: &str =
        "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
    let folder = tempfile::tempdir().unwrap();
    let client = |wire: String| json!({"conn": 1, "from": "client", "wire": [wire]});
    let server = |wire: String| json!({"conn": 1, "from": "server", "wire": [wire]});
    let mail =
        format!("Subject: {RUNS}\r\nContent-Type: text/html\r\n\r\n{RUNS}\u{202e}\x1b[2J\r\n");
    let events = vec![
        server(format!("* PREAUTH {RUNS}\r\n")),
        client(format!(
            "a{} SELECT \"{}\"\r\n",
            "</script>",
            RUNS.replace('"', "\\\"")
        )),
        server(format!("* OK [X{RUNS}] {RUNS}\r\n")),
        json!({"conn": 1, "from": "client", "wire": ["b FETCH 1 BODY[]\r\n"]}),
        json!({"conn": 1, "from": "server",
            "wire": ["* 1 FETCH (BODY[] ", {"literal": mail}, ")\r\n"]}),
        json!({"conn": 1, "kind": "note", "id": RUNS, "text": RUNS}),
        json!({"conn": 1, "kind": "closed", "reason": RUNS}),
    ];
    let page = exported(&transcript(&folder, RUNS, events));
    let document = page.document("#5");
    let title = document.split("<title>").nth(1).unwrap();
    assert!(title.starts_with("mailscope: &lt;img"), "{}", &title[..60]);
    assert!(!document.contains("<img"));
    assert!(document.contains("&lt;img src=x onerror="));
    let written = std::fs::read_to_string(&page.path).unwrap();
    assert!(!written.contains(['\u{202e}', '\u{1b}']));
}

/// As many as a busy day has; the browser builds those alone that are in view.
fn ten_thousand_events() {
    let folder = tempfile::tempdir().unwrap();
    let mut events = vec![json!({"conn": 1, "from": "server", "wire": ["* PREAUTH hi\r\n"]})];
    for n in 0..5_000 {
        let at = f64::from(n) / 10.0;
        events.push(json!({"conn": 1 + n % 3, "at": at, "from": "client",
            "wire": [format!("t{n} NOOP\r\n")]}));
        events.push(json!({"conn": 1 + n % 3, "at": at + 0.01, "from": "server",
            "wire": [format!("t{n} OK done\r\n")]}));
    }
    let page = exported(&transcript(&folder, "x:993", events));
    let document = page.document("");
    assert!(document.contains("10001 events"));
    assert!(document.contains("5000 commands"));
    let built = document.matches("class=\"row").count();
    assert!((50..1_000).contains(&built), "{built}");
}

/// What a script says (`tell`) that follows the page's own, which its policy would not let run. Time is
/// real.
fn driven(page: &Page, script: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let written = std::fs::read_to_string(&page.path).unwrap();
    let (before, policy) = written.split_once("<meta http-equiv").unwrap();
    let (_, behind) = policy.split_once('>').unwrap();
    let address = listener.local_addr().unwrap();
    let tell = format!(
        "const tell = (told) => {{ new Image().src = 'http://{address}/' + encodeURIComponent(told); }};"
    );
    let driven = page.folder.path().join("driven.html");
    let script = format!("{before}{behind}<script>{tell}{script}</script>");
    std::fs::write(&driven, script).unwrap();
    let mut browser = page
        .browser()
        .arg("--remote-debugging-port=0")
        .arg(format!("file://{}", driven.display()))
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    listener.set_nonblocking(true).unwrap();
    // A browser that is short of time opens a second connection, and says something on one of them.
    let mut connections = Vec::new();
    let told = wait_for("the page to tell", || {
        if let Ok((socket, _)) = listener.accept() {
            socket.set_nonblocking(true).unwrap();
            connections.push((socket, Vec::new()));
        }
        connections.iter_mut().find_map(|(socket, request)| {
            let _ = socket.read_to_end(request); // as far as it came
            let request = String::from_utf8_lossy(request);
            let (line, _) = request.split_once("\r\n")?;
            line.split(' ').nth(1).map(str::to_owned)
        })
    });
    browser.kill().unwrap();
    browser.wait().unwrap();
    percent_decoded(&told[1..])
}

fn percent_decoded(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        let digits = (octet == b'%').then(|| [rest.next().unwrap(), rest.next().unwrap()]);
        octets.push(digits.map_or(octet, |digits| {
            let digits = std::str::from_utf8(&digits).unwrap().to_owned();
            u8::from_str_radix(&digits, 16).unwrap()
        }));
    }
    String::from_utf8(octets).unwrap()
}

fn busy(count: u32) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let mut events = vec![json!({"conn": 1, "from": "server", "wire": ["* PREAUTH hi\r\n"]})];
    for n in 0..count {
        let at = f64::from(n) / 10.0;
        events.push(json!({"conn": 1 + n % 3, "at": at, "from": "client",
            "wire": [format!("t{n} FETCH {n} (FLAGS)\r\n")]}));
        events.push(json!({"conn": 1 + n % 3, "at": at + 0.01, "from": "server",
            "wire": [format!("t{n} OK done\r\n")]}));
    }
    let path = transcript(&folder, "x:993", events);
    (folder, path)
}

/// Real time, on a machine that may be busy: what takes a person's breath away, not what could be better.
fn ten_thousand_events_are_smooth() {
    let (_folder, path) = busy(5_000);
    let told = driven(
        &exported(&path),
        r"
        const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
        const $ = (id) => document.getElementById(id);
        (async () => {
          const typed = [];
          for (const text of ['f', 'fe', 'fetch', 'fetch 12', 'status:ok', '']) {
            const begun = performance.now();
            $('filter').value = text;
            $('filter').dispatchEvent(new Event('input'));
            // 60 ms after the last key it is looked for.
            await new Promise((done) => setTimeout(done, 61));
            await frame();
            typed.push(performance.now() - begun - 61);
          }
          const scrolled = [];
          for (const list of [$('commands'), $('conversation')]) {
            for (let place = 0; place < 60; place += 1) {
              const begun = performance.now();
              list.scrollTop = list.scrollHeight * place / 60;
              await frame();
              scrolled.push(performance.now() - begun);
            }
          }
          const worst = (times) => Math.max(...times).toFixed(0);
          const middle = (times) => times.sort((a, b) => a - b)[times.length >> 1].toFixed(0);
          tell([worst(typed), middle(typed), worst(scrolled), middle(scrolled), $('count').textContent].join(';'));
        })();",
    );
    let figures: Vec<&str> = told.split(';').collect();
    assert_eq!(figures[4], "10001 events", "{told}");
    let figure = |place: usize| -> u32 { figures[place].parse().unwrap() };
    assert!(figure(0) < 4_000 && figure(1) < 1_000, "typed: {told}");
    assert!(figure(2) < 2_000 && figure(3) < 500, "scrolled: {told}");
    if std::env::var_os("MAILSCOPE_TOLD").is_some() {
        eprintln!("ms to filter, worst and median; ms to scroll, worst and median: {told}");
    }
}

fn keys_go_from_command_to_command() {
    let told = driven(
        &tour(),
        r"
        const press = (key) => document.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        const chosen = () => (document.querySelector('.row.chosen .what') || {}).textContent;
        const seen = [];
        for (const key of ['j', 'j', 'k', 'ArrowDown', 'Enter', 'u', '/']) {
          press(key);
          seen.push(`${key}: ${chosen()}`);
        }
        seen.push(document.activeElement.id);
        seen.push([...document.querySelectorAll('.mine')].map((row) => row.id).join());
        document.activeElement.value = 'logout';
        document.activeElement.dispatchEvent(new Event('input'));
        setTimeout(() => {
          seen.push(document.getElementById('count').textContent);
          document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
          seen.push(document.getElementById('count').textContent);
          tell(seen.join('|'));
        }, 200);",
    );
    let seen: Vec<&str> = told.split('|').collect();
    assert!(seen[0].starts_with("j: #5 CAPABILITY"), "{told}");
    assert!(seen[1].starts_with("j: #8 LOGIN"), "{told}");
    assert!(seen[2].starts_with("k: #5 CAPABILITY"), "{told}");
    assert!(seen[3].starts_with("ArrowDown: #8 LOGIN"), "{told}");
    assert_eq!(seen[7], "filter", "{told}");
    assert_eq!(seen[8], "e45", "the first unsolicited response: {told}");
    assert!(seen[9].ends_with(" of 59 events"), "{told}");
    assert_eq!(seen[10], "59 events", "{told}");
}

fn a_page_is_one_file_that_fetches_nothing() {
    let page = std::fs::read_to_string(tour().path).unwrap();
    for word in ["http://", "https://", " src=", " href=", "url("] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("default-src 'none'"));
}
