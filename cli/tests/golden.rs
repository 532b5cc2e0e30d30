//! Every command as a person types it: `tests/golden/*.txt` are transcripts, with the output, what is said on the standard
//! error (`! `), and the exit code. `ESCLUSA_BLESS=1` writes them anew.

#![allow(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs one line of a transcript in a folder.
fn run(line: &str, folder: &Path) -> String {
    let (line, input) = line.split_once(" < ").unwrap_or((line, ""));
    let mut words = words(line).into_iter().peekable();
    let mut command = Command::new(env!("CARGO_BIN_EXE_esclusa"));
    command
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("ESCLUSA_TOKEN")
        .env_remove("COLUMNS");
    while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
        command.env(name, value);
        words.next();
    }
    assert_eq!(words.next().as_deref(), Some("esclusa"), "{line}");
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    if !input.is_empty() {
        let bytes = fs::read(folder.join(input)).unwrap();
        child.stdin.as_mut().unwrap().write_all(&bytes).unwrap();
    }
    drop(child.stdin.take());
    let done = child.wait_with_output().unwrap();
    let (out, talk) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
    let here = folder.to_str().unwrap();
    let (out, talk) = (out.replace(here, "/folder"), talk.replace(here, "/folder"));
    let talk: String = talk.lines().map(|line| format!("! {line}\n")).collect();
    let end = if out.is_empty() || out.ends_with('\n') { "" } else { "\n" };
    format!("{out}{end}{talk}= {}\n", done.status.code().unwrap())
}

/// The words of a line; what is in single quotes is one.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quoted, mut word, mut is_word) = (Vec::new(), false, String::new(), false);
    for letter in line.chars() {
        match letter {
            '\'' => (quoted, is_word) = (!quoted, true),
            ' ' if !quoted => {
                if is_word {
                    words.push(std::mem::take(&mut word));
                }
                is_word = false;
            }
            other => {
                word.push(other);
                is_word = true;
            }
        }
    }
    if is_word {
        words.push(word);
    }
    words
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn commands_do_what_the_transcripts_say() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut wrong = Vec::new();
    let mut files: Vec<_> = fs::read_dir(&golden).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "txt"));
    files.sort();
    assert!(files.len() >= 4, "no transcripts");
    for file in files {
        // Commands of one transcript see what the ones before them have written.
        let folder = tempfile::tempdir().unwrap();
        copy(&golden.join("files"), folder.path());
        let expected = fs::read_to_string(&file).unwrap().replace("\r\n", "\n");
        // What follows a command up to its exit code is its output.
        let mut is_output = false;
        let lines = expected.lines().filter(|line| {
            let is_line = !is_output && (line.starts_with("$ ") || line.starts_with("# "));
            is_output = line.starts_with("$ ") || (is_output && !line.starts_with("= "));
            is_line
        });
        let found: String = lines
            .map(|line| match line.strip_prefix("$ ") {
                Some(command) => format!("{line}\n{}\n", run(command, folder.path())),
                None => format!("{line}\n"),
            })
            .collect();
        if std::env::var_os("ESCLUSA_BLESS").is_some() {
            fs::write(&file, found).unwrap();
        } else if expected != found {
            wrong.push(format!("--- {}\n{}", file.display(), difference(&expected, &found)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn difference(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let same = expected.iter().zip(&found).take_while(|(one, other)| one == other).count();
    let show = |lines: &[&str]| lines.iter().skip(same).take(12).copied().collect::<Vec<_>>().join("\n");
    format!("from line {}:\nexpected\n{}\nfound\n{}", same + 1, show(&expected), show(&found))
}
