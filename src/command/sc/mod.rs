//! `sc`: services, as the keys below `Services` describe them to the next start of Windows.

mod config;

use std::sync::Arc;

pub use config::{ServiceConfig, Start};

use super::{Diagnostic, Span, Word, diagnostic::Fault, nearest::nearest, programs::run_together, reg::placeholder};
use crate::{
    command::word::shown,
    name::NameBuf,
    reg_text::{RegPath, RootKey},
};

/// One `sc` command.
///
/// ```
/// use hivesmith::command::sc::{ScCommand, Start};
///
/// let ScCommand::Config { service, change } = ScCommand::from_args(["config", "TermService", "start=", "demand"])?
/// else { unreachable!() };
/// assert_eq!((service.to_string().as_str(), change.start), ("TermService", Some(Start::Demand)));
/// # Ok::<(), hivesmith::command::Diagnostic>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScCommand {
    /// `sc config NAME OPTION= VALUE …`
    Config {
        /// The service.
        service: NameBuf,
        /// What it is to have.
        change: Box<ServiceConfig>,
    },
    /// `sc qc NAME`: how it is set up.
    QueryConfig {
        /// The service.
        service: NameBuf,
    },
    /// `sc query [NAME] [type= service|driver|all]`: what there is. Nothing runs on a disk, so all are stopped.
    Query {
        /// The service; all of the kinds asked for without one.
        service: Option<NameBuf>,
        /// Services proper.
        services: bool,
        /// Drivers.
        drivers: bool,
    },
}

impl ScCommand {
    /// Reads the words behind `sc`.
    ///
    /// # Errors
    ///
    /// A [`Diagnostic`] that shows the line with the wrong word underlined.
    pub fn from_args<I>(args: I) -> Result<Self, Diagnostic>
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let (line, words) = Word::from_args("sc", args);
        let line: Arc<str> = line.into();
        let end = words.last().map_or(Span { line: 1, column: 3, length: 1, offset: 2 }, Word::end);
        Self::from_words(&words, end).map_err(|fault| Diagnostic::new(None, &line, fault))
    }

    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        if let Some(fault) = run_together(words) {
            return Err(fault);
        }
        if let Some(word) = words.iter().find(|word| word.placeholder) {
            return Err(placeholder(word));
        }
        let Some((verb, words)) = words.split_first() else {
            return Err(Fault::new(end, "`sc` needs a command").hint("config, qc or query"));
        };
        let service = |words: &[Word]| match words.first() {
            Some(word) if !word.text.is_empty() => Ok(NameBuf::from(word.text.as_str())),
            _ => Err(Fault::new(end, format!("`sc {}` needs the name of a service", verb.text))),
        };
        match verb.text.to_ascii_lowercase().as_str() {
            "config" => {
                let service = service(words)?;
                let change = config::read(words.get(1..).unwrap_or_default(), end)?;
                Ok(Self::Config { service, change: Box::new(change) })
            }
            "qc" => {
                let service = service(words)?;
                match words.get(1) {
                    // The size of a buffer that Windows' own wants.
                    Some(extra) if extra.text.parse::<u32>().is_err() => Err(unexpected(extra)),
                    _ => Ok(Self::QueryConfig { service }),
                }
            }
            "query" | "queryex" => query(words, end),
            name if name.starts_with("\\\\") => {
                Err(Fault::new(verb.span, "another computer cannot be asked offline").hint("mount its disk here"))
            }
            name => {
                let fault = Fault::new(verb.span, format!("`sc {}` cannot be carried out on a disk", shown(name)));
                Err(match nearest(name, ["config", "query", "queryex"]) {
                    Some(near) => fault.hint(format!("did you mean `{near}`?")),
                    None => fault.hint("config, qc and query can; `reg` reaches all that a service's key holds"),
                })
            }
        }
    }

    /// The key that it is about, `HKLM\SYSTEM\CurrentControlSet\Services` or a service's below it.
    #[must_use]
    pub fn key(&self) -> RegPath {
        let services = RegPath { root: RootKey::LocalMachine, path: r"SYSTEM\CurrentControlSet\Services".into() };
        match self {
            Self::Config { service, .. }
            | Self::QueryConfig { service }
            | Self::Query { service: Some(service), .. } => services.below(&vec![service.clone()].into()),
            Self::Query { service: None, .. } => services,
        }
    }

    /// Whether it changes the hive.
    #[must_use]
    pub fn edits(&self) -> bool {
        matches!(self, Self::Config { .. })
    }
}

/// `sc query`: a name, or options that say which.
fn query(words: &[Word], end: Span) -> Result<ScCommand, Fault> {
    let (mut service, mut services, mut drivers) = (None, true, false);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let Some((name, value)) = config::option(word, &mut rest, end)? else {
            if service.replace(NameBuf::from(word.text.as_str())).is_some() {
                return Err(unexpected(word));
            }
            continue;
        };
        match (name.as_str(), value.text.to_ascii_lowercase().as_str()) {
            ("type", "service") => (services, drivers) = (true, false),
            ("type", "driver") => (services, drivers) = (false, true),
            ("type", "all") => (services, drivers) = (true, true),
            // All are inactive; which of them, how many and from where on is for a program that reads pages.
            ("state", "all" | "inactive") | ("bufsize" | "ri", _) => {}
            ("state", "active") => {
                return Err(Fault::new(value.span, "nothing is active on a disk").hint("state= all"));
            }
            ("type", _) => return Err(Fault::new(value.span, "`type=` is service, driver or all")),
            ("group", _) => return Err(Fault::new(word.span, "`group=` is not supported")),
            _ => return Err(unexpected(word)),
        }
    }
    Ok(ScCommand::Query { service, services, drivers })
}

fn unexpected(word: &Word) -> Fault {
    Fault::new(word.span, format!("unexpected argument `{}`", shown(&word.text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(words: &[&str]) -> String {
        ScCommand::from_args(words.iter().copied()).unwrap_err().render().to_string()
    }

    #[test]
    fn commands_are_read_in_any_case() {
        let service = || NameBuf::from("gpsvc");
        assert_eq!(ScCommand::from_args(["QC", "gpsvc"]).unwrap(), ScCommand::QueryConfig { service: service() });
        assert_eq!(
            ScCommand::from_args(["qc", "gpsvc", "5000"]).unwrap(),
            ScCommand::QueryConfig { service: service() }
        );
        let query = ScCommand::from_args(["query", "type=", "all", "state=", "all"]).unwrap();
        assert_eq!(query, ScCommand::Query { service: None, services: true, drivers: true });
        let query = ScCommand::from_args(["queryex", "gpsvc"]).unwrap();
        assert_eq!(query, ScCommand::Query { service: Some(service()), services: true, drivers: false });
        assert_eq!(query.key().to_string(), r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\gpsvc");
    }

    #[test]
    fn what_is_no_command_is_said() {
        assert!(refused(&[]).starts_with("`sc` needs a command"));
        assert!(refused(&["qc"]).contains("the name of a service"));
        assert!(refused(&["confgi", "x"]).contains("did you mean `config`?"));
        assert!(refused(&["create", "x"]).contains("cannot be carried out on a disk"));
        assert!(refused(&["query", "state=", "active"]).contains("nothing is active"));
        assert!(refused(&[r"\\server", "query"]).contains("another computer"));
        assert!(refused(&["config", "gpsvc", "start=", "auto", "sc", "start", "gpsvc"]).contains("a second command"));
    }
}
