//! Which command a line is, by its first word.

use super::{
    glyph::{Glyph, text},
    line::Command,
    online,
};
use crate::command::{
    Accounts, Span, Word,
    bcdedit::BcdEdit,
    diagnostic::Fault,
    icacls::IcaclsCommand,
    nearest::nearest,
    programs::run_together,
    reg::{RegCommand, placeholder},
    sc::ScCommand,
    takeown::TakeownCommand,
    word::shown,
};

pub(super) enum Meaning {
    /// `exit`: what follows is not run.
    End,
    Command(Box<Command>, Vec<Fault>),
}

/// Reads a command from its program and words; `glyphs` is its text as written and `end` the end of its line.
pub(super) fn classify(program: &Word, words: &[Word], end: Span, glyphs: &[Glyph]) -> Result<Meaning, Fault> {
    let name = base_name(&program.text);
    let command = match name.as_str() {
        "exit" => return Ok(Meaning::End),
        "reg" => {
            let (command, warnings) = RegCommand::from_words(words, end)?;
            return Ok(Meaning::Command(Box::new(Command::Reg(command)), warnings));
        }
        "bcdedit" => Command::BcdEdit(BcdEdit::from_words(words, end)?),
        "icacls" => Command::Icacls(IcaclsCommand::from_words(words, end, &Accounts::new())?),
        "takeown" => Command::Takeown(TakeownCommand::from_words(words, end)?),
        "sc" if words.first().is_some_and(starts_or_stops) && run_together(words).is_none() => {
            Command::Online { what: text(glyphs), instead: online::SERVICES }
        }
        "sc" => Command::Sc(ScCommand::from_words(words, end)?),
        "md" | "mkdir" => make_directory(words, end)?,
        "if" | "for" | "goto" | "else" | "shift" => {
            let message = format!("`{name}` decides while it runs, which is not supported");
            return Err(Fault::new(program.span, message).hint("leave only the commands that are to be carried out"));
        }
        "call" | "start" | "cmd" => {
            let fault = Fault::new(program.span, format!("`{name}` runs another program, which is not supported"));
            return Err(fault.hint("write that program's command itself"));
        }
        _ if name.starts_with('(') || name == ")" => {
            return Err(Fault::new(program.span, "blocks between parentheses are not supported"));
        }
        "wevtutil" => other_command("wevtutil", words)?,
        _ => match online::instead(&name) {
            Some(instead) => Command::Online { what: text(glyphs), instead },
            None => return Err(unknown(program, &name)),
        },
    };
    Ok(Meaning::Command(Box::new(command), Vec::new()))
}

/// `"C:\Windows\System32\REG.EXE"` is `reg`.
fn base_name(program: &str) -> String {
    let name = program.rsplit(['\\', '/']).next().unwrap_or_default().to_ascii_lowercase();
    name.strip_suffix(".exe").map_or(name.clone(), str::to_owned)
}

fn make_directory(words: &[Word], end: Span) -> Result<Command, Fault> {
    if let Some(word) = words.iter().find(|word| word.placeholder) {
        return Err(placeholder(word));
    }
    if words.is_empty() {
        return Err(Fault::new(end, "`md` needs a directory"));
    }
    Ok(Command::MakeDirectory { paths: words.iter().map(|word| word.text.clone()).collect() })
}

/// A program whose grammar is not known here.
fn other_command(program: &'static str, words: &[Word]) -> Result<Command, Fault> {
    if let Some(fault) = run_together(words) {
        return Err(fault);
    }
    if let Some(word) = words.iter().find(|word| word.placeholder) {
        return Err(placeholder(word));
    }
    Ok(Command::Other { program, words: words.to_vec() })
}

fn starts_or_stops(word: &Word) -> bool {
    ["start", "stop", "pause", "continue"].iter().any(|verb| word.is(verb))
}

fn unknown(program: &Word, name: &str) -> Fault {
    let fault = Fault::new(program.span, format!("`{}` is no command that is known here", shown(&program.text)));
    let known = ["reg", "bcdedit", "icacls", "takeown", "sc", "wevtutil", "md", "mkdir", "echo", "net", "netstat"];
    match nearest(name, known) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault,
    }
}
