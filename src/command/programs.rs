//! The programs whose commands may follow one another, to notice where two of them were run together.

use super::{Word, diagnostic::Fault, word::shown};

/// Programs with the words that may stand right behind them.
const PROGRAMS: &[(&str, &[&str])] = &[
    (
        "reg",
        &[
            "add", "delete", "query", "load", "unload", "copy", "compare", "export", "import", "save", "restore",
            "flags",
        ],
    ),
    ("sc", &["start", "stop", "config", "query", "qc", "create", "delete", "failure"]),
    ("net", &["start", "stop", "user", "localgroup"]),
    (
        "bcdedit",
        &[
            "/store",
            "/set",
            "/deletevalue",
            "/enum",
            "/ems",
            "/emssettings",
            "/bootems",
            "/create",
            "/copy",
            "/delete",
            "/default",
            "/displayorder",
            "/timeout",
            "/debug",
            "/export",
            "/import",
            "/createstore",
        ],
    ),
    ("takeown", &["/f"]),
    ("wevtutil", &["qe", "el", "gl", "epl"]),
    ("gpupdate", &["/force"]),
];

/// The error for a second command inside the words of another, if there is one.
pub(super) fn run_together(words: &[Word]) -> Option<Fault> {
    words.windows(2).find(|pair| begins_command(&pair[0], &pair[1])).map(|pair| second_command(&pair[0]))
}

/// Whether these two words begin a command.
pub(super) fn begins_command(program: &Word, next: &Word) -> bool {
    let known = PROGRAMS.iter().find(|(name, _)| program.is(name));
    !program.quoted && known.is_some_and(|(_, verbs)| verbs.iter().any(|verb| next.is(verb)))
}

pub(super) fn second_command(word: &Word) -> Fault {
    let message = format!("a second command, `{}`, begins here without a line break before it", shown(&word.text));
    Fault::new(word.span, message).hint("break the line before it; two commands were run together here")
}
