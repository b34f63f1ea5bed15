//! Completions and manual pages, as the shells and the readers of manuals that they are for take them.

use std::path::Path;
use std::process::{Command, Output};

use libtest_mimic::Trial;

use super::support::mailscope::{binary, run};
use super::support::patience::InTime;
use super::support::programs::{FISH, GROFF, MAN, MANDOC, ZSH, needing};
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("shipping";
        bash_completes_commands_options_and_values,
        every_shell_gets_every_command,
        every_command_has_a_page,
        a_page_that_there_is_not_is_told,
    );
    trials.extend(needing(
        &[ZSH],
        trials!("shipping"; zsh_takes_its_completions),
    ));
    trials.extend(needing(
        &[FISH],
        trials!("shipping"; fish_completes_commands_options_and_values),
    ));
    trials.extend(needing(
        &[MAN, GROFF, MANDOC],
        trials!("shipping"; the_pages_are_read_without_a_warning),
    ));
    trials
}

const COMMANDS: [&str; 14] = [
    "ca",
    "completions",
    "demo",
    "diff",
    "explain",
    "export",
    "import",
    "lint",
    "man",
    "record",
    "replay",
    "scrub",
    "show",
    "stats",
];

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn script(shell: &str) -> String {
    let output = run(&["completions", shell]);
    assert_eq!(output.stderr, b"");
    text(&output)
}

/// A command line with its last word begun, and some of what can stand there.
const COMPLETED: [(&[&str], &[&str]); 8] = [
    (&["re"], &["record", "replay"]),
    (&["ca", ""], &["export", "path", "trust"]),
    (&["record", "--allow"], &["--allow-remote"]),
    (&["record", "gm"], &["gmail", "gmx"]),
    (
        &["replay", "--fault", ""],
        &["latency", "reset", "uidvalidity"],
    ),
    (&["record", "--hide-capability", "CONDS"], &["CONDSTORE"]),
    (
        &["lint", "--allow", "ambiguous-p"],
        &["ambiguous-pipelining"],
    ),
    (&["show", "--color", ""], &["always", "never"]),
];

fn bash_completes_commands_options_and_values() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mailscope.bash");
    std::fs::write(&file, script("bash")).unwrap();
    // What bash does when Tab is pressed.
    let complete = "source \"$0\"; COMP_WORDS=(mailscope \"$@\"); COMP_CWORD=$#; \
        _mailscope mailscope \"${COMP_WORDS[-1]}\" \"${COMP_WORDS[-2]}\"; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let offered = |words: &[&str]| {
        let mut bash = Command::new("bash");
        bash.current_dir(folder.path());
        text(
            &bash
                .args(["-uc", complete])
                .arg(&file)
                .args(words)
                .output_in_time()
                .unwrap(),
        )
    };
    for (words, expected) in COMPLETED {
        let offered = offered(words);
        for value in expected {
            assert!(
                offered.lines().any(|line| line == *value),
                "{words:?}: {offered}"
            );
        }
    }
    let explained = offered(&["explain", "UIDV"]);
    assert_eq!(explained.lines().collect::<Vec<_>>(), ["UIDVALIDITY"]);
    // Where nothing is known, bash offers files.
    assert_eq!(offered(&["show", "mail"]).trim(), "");
    let spec = "complete -F _mailscope -o nosort -o bashdefault -o default mailscope";
    assert!(std::fs::read_to_string(&file).unwrap().contains(spec));
}

fn zsh_takes_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("_mailscope"), script("zsh")).unwrap();
    let check = "fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; \
        autoload +X -Uz _mailscope && print -r -- \"$_comps[mailscope]\"";
    let mut zsh = Command::new("zsh");
    zsh.current_dir(folder.path()).args(["-fc", check]);
    assert_eq!(text(&zsh.output_in_time().unwrap()), "_mailscope\n");
}

fn fish_completes_commands_options_and_values() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mailscope.fish");
    std::fs::write(&file, script("fish")).unwrap();
    for (words, expected) in COMPLETED {
        let complete = format!(
            "source {}; complete -C 'mailscope {}'",
            file.display(),
            words.join(" ")
        );
        // fish is given no values of what stands without an option.
        if words == ["record", "gm"] {
            continue;
        }
        let mut fish = Command::new("fish");
        fish.env("HOME", folder.path())
            .current_dir(folder.path())
            .args(["--no-config", "-c", &complete]);
        let output = fish.output_in_time().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let offered = text(&output);
        for value in expected {
            let is_it = |line: &str| line.split('\t').next() == Some(value);
            assert!(offered.lines().any(is_it), "{words:?}: {offered}");
        }
    }
}

fn every_shell_gets_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = script(shell);
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: {command}");
        }
        for part in ["allow-remote", "bandwidth", "gmail", "CONDSTORE"] {
            let is_value = part != "allow-remote";
            // clap_complete gives these two no values.
            if !(is_value && ["elvish", "powershell"].contains(&shell)) {
                assert!(script.contains(part), "{shell}: {part}");
            }
        }
    }
    let output = run(&["completions", "tcsh"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

/// All pages, in this folder.
fn pages(folder: &Path) -> Vec<String> {
    let mut command = binary();
    let output = command
        .args(["man", "--out"])
        .arg(folder)
        .output_in_time()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn every_command_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("share/man/man1");
    let names = pages(&below);
    let mut expected: Vec<String> = COMMANDS
        .iter()
        .map(|command| format!("mailscope-{command}.1"))
        .chain(["", "-ca-export", "-ca-path", "-ca-trust"].map(|end| format!("mailscope{end}.1")))
        .collect();
    expected.sort();
    assert_eq!(names, expected);
    for (arguments, name) in [
        (&["man"][..], "mailscope.1"),
        (&["man", "record"], "mailscope-record.1"),
        (&["man", "ca", "export"], "mailscope-ca-export.1"),
    ] {
        let printed = text(&run(arguments));
        let written = std::fs::read_to_string(below.join(name)).unwrap();
        assert_eq!(printed, written, "{name}");
        assert!(written.contains(".SH \"EXIT STATUS\""), "{written}");
    }
    let record = std::fs::read_to_string(below.join("mailscope-record.1")).unwrap();
    assert!(record.contains("allow\\-remote") && !record.contains("possible values: gmail"));
}

fn a_page_that_there_is_not_is_told() {
    for (arguments, parts) in [
        (&["man", "recrod"][..], ["recrod", "record"]),
        (
            &["man", "ca", "trust", "x"],
            ["trust has no command", "its page without"],
        ),
        (
            &["man", "--out", "/proc/nowhere"],
            ["/proc/nowhere", "write"],
        ),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        for part in parts {
            assert!(said.contains(part), "{said}");
        }
    }
}

fn the_pages_are_read_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    for name in pages(folder.path()) {
        let page = folder.path().join(&name);
        let mut man = Command::new("man");
        man.env("MANROFFSEQ", "")
            .env("MANWIDTH", "80")
            .env("LC_ALL", "C.UTF-8")
            .args(["--warnings", "-l"])
            .arg(&page);
        let read = man.output_in_time().unwrap();
        assert_eq!(String::from_utf8_lossy(&read.stderr), "", "man {name}");
        let shown = text(&read);
        assert!(shown.contains("EXIT STATUS"), "{shown}");
        let mut groff = Command::new(GROFF.path().unwrap());
        groff.args(["-man", "-ww", "-z", "-Tutf8"]).arg(&page);
        let output = groff.output_in_time().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "groff {name}");
        let mut mandoc = Command::new("mandoc");
        mandoc.args(["-T", "lint", "-W", "warning"]).arg(&page);
        let output = mandoc.output_in_time().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        // A page that is made anew each time has the program's version and no date.
        let warnings = said.lines().filter(|line| !line.contains("missing date"));
        assert_eq!(warnings.collect::<Vec<_>>(), [""; 0], "mandoc {name}");
    }
}
