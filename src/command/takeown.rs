//! `takeown`: its words, and what it prints.

use std::sync::Arc;

use super::{
    Diagnostic, Span, Word, diagnostic::Fault, nearest::nearest, programs::run_together, reg::placeholder, word::shown,
};
use crate::security::Sid;

/// `takeown /f PATH [/a] [/r [/d Y|N]]`
///
/// ```
/// use hivesmith::command::takeown::TakeownCommand;
///
/// let command = TakeownCommand::from_args(["/f", "F:\\MachineKeys", "/A", "/r", "/d", "Y"])?;
/// assert_eq!(command.path, "F:\\MachineKeys");
/// assert!(command.administrators && command.recurse);
/// # Ok::<(), hivesmith::command::Diagnostic>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeownCommand {
    /// The file or folder, as written; its last part may hold `*` and `?`.
    pub path: String,
    /// `/a`: the new owner is the group of administrators, and not the caller.
    pub administrators: bool,
    /// `/r`: with all below it.
    pub recurse: bool,
}

impl TakeownCommand {
    /// Reads the words behind `takeown`.
    ///
    /// # Errors
    ///
    /// A [`Diagnostic`] that shows the line with the wrong word underlined.
    pub fn from_args<I>(args: I) -> Result<Self, Diagnostic>
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let (line, words) = Word::from_args("takeown", args);
        let line: Arc<str> = line.into();
        let end = words.last().map_or(Span { line: 1, column: 8, length: 1, offset: 7 }, Word::end);
        Self::from_words(&words, end).map_err(|fault| Diagnostic::new(None, &line, fault))
    }

    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        if let Some(fault) = run_together(words) {
            return Err(fault);
        }
        if let Some(word) = words.iter().find(|word| word.placeholder) {
            return Err(placeholder(word));
        }
        let mut path = None;
        let mut command = Self { path: String::new(), administrators: false, recurse: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            // With a dash, too, as all of Windows' older programs.
            let option = word.text.strip_prefix('-').map(|name| format!("/{name}")).unwrap_or(word.text.clone());
            match option.to_ascii_lowercase().as_str() {
                "/f" => {
                    let file = words.next().ok_or_else(|| Fault::new(end, "`/f` needs a file or folder behind it"))?;
                    if path.replace(file.text.clone()).is_some() {
                        return Err(Fault::new(word.span, "`/f` is given twice"));
                    }
                }
                "/a" => command.administrators = true,
                "/r" => command.recurse = true,
                // Links are never followed here.
                "/skipsl" => {}
                "/d" => {
                    // The answer to a question that is not asked offline: a folder that may not be listed.
                    let answer =
                        words.next().ok_or_else(|| Fault::new(end, "`/d` needs an answer behind it: Y or N"))?;
                    if answer.text.chars().count() != 1 {
                        return Err(Fault::new(answer.span, "the answer is one letter: Y or N"));
                    }
                }
                "/s" | "/u" | "/p" => {
                    let fault = Fault::new(word.span, "another computer cannot be asked offline");
                    return Err(fault.hint("mount its disk here and name the path on it"));
                }
                other => {
                    let message = format!("`takeown` does not know what `{}` is", shown(&word.text));
                    let fault = Fault::new(word.span, message);
                    return Err(match nearest(other, ["/skipsl"]) {
                        Some(near) => fault.hint(format!("did you mean `{near}`?")),
                        None => fault.hint("the path stands behind `/f`, in quotes if there are blanks in it"),
                    });
                }
            }
        }
        command.path = path.ok_or_else(|| Fault::new(end, "`takeown` needs `/f` and a file or folder"))?;
        Ok(command)
    }
}

/// What `takeown` prints for one file, with the empty line before it. `owner` is the name of the new owner.
#[must_use]
pub fn taken(path: &str, owner: &Sid, name: &str) -> String {
    let whom = if *owner == crate::security::well_known::ADMINISTRATORS {
        "the administrators group".to_owned()
    } else {
        format!("user \"{name}\"")
    };
    format!("\nSUCCESS: The file (or folder): \"{path}\" now owned by {whom}.\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::well_known;

    fn refused(words: &[&str]) -> String {
        TakeownCommand::from_args(words.iter().copied()).unwrap_err().render().to_string()
    }

    #[test]
    fn the_words_of_the_guides_are_read() {
        let command = TakeownCommand::from_args(["/f", "C:\\x", "/a", "/r"]).unwrap();
        assert!(command.administrators && command.recurse);
        let command = TakeownCommand::from_args(["/R", "-D", "N", "/SKIPSL", "-f", "C:\\x\\*"]).unwrap();
        assert_eq!(command.path, "C:\\x\\*");
        assert!(!command.administrators && command.recurse);
    }

    #[test]
    fn what_is_no_takeown_is_said() {
        assert!(refused(&["/a"]).starts_with("`takeown` needs `/f`"));
        assert!(refused(&["/f"]).starts_with("`/f` needs"));
        assert!(refused(&["/f", "x", "/f", "y"]).starts_with("`/f` is given twice"));
        assert!(refused(&["/f", "x", "/d", "yes"]).contains("one letter"));
        assert!(refused(&["/f", "x", "/s", "PC"]).contains("offline"));
        assert!(refused(&["F:\\x"]).contains("the path stands behind `/f`"));
    }

    #[test]
    fn lines_are_those_of_windows() {
        assert_eq!(
            taken("C:\\x", &well_known::ADMINISTRATORS, ""),
            "\nSUCCESS: The file (or folder): \"C:\\x\" now owned by the administrators group.\n"
        );
        assert_eq!(
            taken("C:\\x", &well_known::LOCAL_SYSTEM, "NT AUTHORITY\\SYSTEM"),
            "\nSUCCESS: The file (or folder): \"C:\\x\" now owned by user \"NT AUTHORITY\\SYSTEM\".\n"
        );
    }
}
