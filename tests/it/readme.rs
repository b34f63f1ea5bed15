//! The README shows what mailscope prints, not what somebody remembers that it printed.

use libtest_mimic::Trial;

use super::support::mailscope::run;
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    trials!("readme"; what_it_quotes_is_what_is_printed, the_picture_is_of_real_output)
}

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{ROOT}/{path}")).unwrap()
}

/// What a command of the README prints, its paths being those of the project's folder.
fn output(command: &str) -> String {
    let words = command.strip_prefix("mailscope ").unwrap().split(' ');
    let words: Vec<String> = words
        .map(|word| match word.contains('/') {
            true => format!("{ROOT}/{word}"),
            false => word.to_owned(),
        })
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = run(&words);
    let tells = ["mailscope diff ", "mailscope lint "];
    let finds = tells.iter().any(|tells| command.starts_with(tells));
    let found = finds && output.status.code() == Some(1);
    assert!(output.status.success() || found, "{command}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every block is announced by a comment that says where it is from:
/// `<!-- output: mailscope show X -->` or `<!-- file: X -->`.
fn what_it_quotes_is_what_is_printed() {
    let readme = read("README.md");
    let mut quoted = 0;
    for announced in readme.split("<!-- ").skip(1) {
        let (source, rest) = announced.split_once(" -->\n").unwrap();
        let (_, block) = rest.split_once('\n').unwrap();
        let (block, _) = block.split_once("```").unwrap();
        let whole = match source.split_once(": ").unwrap() {
            ("output", command) => output(command),
            ("file", path) => read(path),
            (kind, _) => panic!("nobody knows what {kind} is"),
        };
        assert!(whole.contains(block), "not in {source}:\n{block}");
        quoted += 1;
    }
    assert!(quoted >= 3, "{quoted}");
}

/// Each of its rows is a row of `show`, white space apart.
fn the_picture_is_of_real_output() {
    let shown = output("mailscope show recordings/tour.json");
    let visible = |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
    let shown: Vec<String> = shown.lines().map(visible).collect();
    let picture = read("recordings/tour.svg");
    let rows: Vec<String> = picture
        .lines()
        .filter(|line| line.starts_with("<text "))
        .map(|line| {
            let parts = line.split('<').filter_map(|tag| tag.split_once('>'));
            let text: String = parts.map(|(_, text)| text).collect();
            let text = text.replace("&lt;", "<").replace("&gt;", ">");
            visible(&text.replace("&quot;", "\"").replace("&amp;", "&"))
        })
        .collect();
    assert!(rows.len() > 30, "{}", rows.len());
    for row in rows {
        assert!(row == "…" || shown.contains(&row), "{row}");
    }
}
