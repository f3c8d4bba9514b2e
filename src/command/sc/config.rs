//! The options of `sc config`.

use crate::command::{Span, Word, diagnostic::Fault, nearest::nearest, word::shown};

/// What a service is to have; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceConfig {
    /// `type=`: the value `Type`, `SERVICE_…` of winnt.h.
    pub kind: Option<u32>,
    /// `start=`
    pub start: Option<Start>,
    /// `error=`: the value `ErrorControl`.
    pub error_control: Option<u32>,
    /// `binPath=`: the value `ImagePath`.
    pub image_path: Option<String>,
    /// `group=`: the value `Group`; empty for none.
    pub group: Option<String>,
    /// `depend=`: services that start first; none for an empty list.
    pub depend_on_services: Option<Vec<String>>,
    /// Groups that start first, those of `depend=` with a `+` in front.
    pub depend_on_groups: Option<Vec<String>>,
    /// `obj=`: the value `ObjectName`, the account it runs as.
    pub account: Option<String>,
    /// `DisplayName=`
    pub display_name: Option<String>,
}

/// When a service starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Start {
    /// Loaded by the boot loader; drivers only.
    Boot,
    /// By the kernel while it comes up; drivers only.
    System,
    /// By the service manager.
    Auto,
    /// By the service manager, some time after the others; services only.
    DelayedAuto,
    /// When somebody asks for it.
    Demand,
    /// Never.
    Disabled,
}

impl Start {
    /// The value `Start`, `SERVICE_…_START` of winnt.h.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Boot => 0,
            Self::System => 1,
            Self::Auto | Self::DelayedAuto => 2,
            Self::Demand => 3,
            Self::Disabled => 4,
        }
    }
}

const STARTS: [(&str, Start); 6] = [
    ("boot", Start::Boot),
    ("system", Start::System),
    ("auto", Start::Auto),
    ("delayed-auto", Start::DelayedAuto),
    ("demand", Start::Demand),
    ("disabled", Start::Disabled),
];

const KINDS: [(&str, u32); 9] = [
    ("kernel", 0x01),
    ("filesys", 0x02),
    ("adapt", 0x04),
    ("rec", 0x08),
    ("own", 0x10),
    ("share", 0x20),
    ("userown", 0x50),
    ("usershare", 0x60),
    ("interact", 0x100),
];

const ERRORS: [(&str, u32); 4] = [("ignore", 0), ("normal", 1), ("severe", 2), ("critical", 3)];

const OPTIONS: [&str; 10] =
    ["type", "start", "error", "binpath", "group", "tag", "depend", "obj", "displayname", "password"];

/// An option and its value: `start= auto`, as Windows wants it, or `start=auto`. None for a word that is no option.
pub(super) fn option<'w>(
    word: &'w Word,
    rest: &mut std::slice::Iter<'w, Word>,
    end: Span,
) -> Result<Option<(String, Word)>, Fault> {
    let Some((name, value)) = word.text.split_once('=') else { return Ok(None) };
    let name = name.to_ascii_lowercase();
    if !value.is_empty() {
        return Ok(Some((name, Word { text: value.to_owned(), ..word.clone() })));
    }
    match rest.next() {
        Some(value) => Ok(Some((name, value.clone()))),
        None => Err(Fault::new(end, format!("`{name}=` needs a value behind it"))),
    }
}

pub(super) fn read(words: &[Word], end: Span) -> Result<ServiceConfig, Fault> {
    let mut change = ServiceConfig::default();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let Some((name, value)) = option(word, &mut rest, end)? else {
            let fault = Fault::new(word.span, format!("`{}` is no option", shown(&word.text)));
            return Err(match nearest(&word.text, OPTIONS) {
                Some(near) => fault.hint(format!("write `{near}= VALUE`")),
                None => fault.hint("options are written `start= auto`, with values of several words in quotes"),
            });
        };
        let text = || Some(value.text.clone());
        match name.as_str() {
            "start" => change.start = Some(one_of(&value, &STARTS)?),
            "error" => change.error_control = Some(one_of(&value, &ERRORS)?),
            // `type= interact type= own` is both.
            "type" => change.kind = Some(change.kind.unwrap_or(0) | one_of(&value, &KINDS)?),
            "binpath" => change.image_path = text(),
            "group" => change.group = text(),
            "displayname" => change.display_name = text(),
            "obj" => change.account = text(),
            "depend" => depend(&mut change, &value.text),
            "password" => {
                let fault = Fault::new(word.span, "passwords of services are secrets of the running Windows");
                return Err(fault.hint("set it after the machine has started"));
            }
            "tag" => return Err(Fault::new(word.span, "tags are given out by the running Windows")),
            _ => {
                let fault = Fault::new(word.span, format!("`{}=` is no option", shown(&name)));
                return Err(match nearest(&name, OPTIONS) {
                    Some(near) => fault.hint(format!("did you mean `{near}=`?")),
                    None => fault.hint(format!("one of {}", OPTIONS.join("=, "))),
                });
            }
        }
    }
    if change == ServiceConfig::default() {
        return Err(Fault::new(end, "`sc config` needs something to change, such as `start= auto`"));
    }
    Ok(change)
}

fn one_of<T: Copy>(value: &Word, known: &[(&str, T)]) -> Result<T, Fault> {
    known.iter().find(|(name, _)| value.is(name)).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let fault = Fault::new(value.span, format!("`{}` is not allowed here", shown(&value.text)));
        match nearest(&value.text, names.iter().copied()) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint(format!("one of {}", names.join(", "))),
        }
    })
}

/// `RPCSS/+Network`: services and, behind a `+`, groups; `/` alone, or nothing, is none.
fn depend(change: &mut ServiceConfig, text: &str) {
    let (groups, services): (Vec<&str>, Vec<&str>) =
        text.split('/').filter(|name| !name.is_empty()).partition(|name| name.starts_with('+'));
    change.depend_on_services = Some(services.into_iter().map(str::to_owned).collect());
    change.depend_on_groups = Some(groups.into_iter().map(|name| name.trim_start_matches('+').to_owned()).collect());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::sc::ScCommand;

    fn config(words: &[&str]) -> ServiceConfig {
        let words = ["config", "x"].into_iter().chain(words.iter().copied());
        match ScCommand::from_args(words).unwrap() {
            ScCommand::Config { change, .. } => *change,
            other => panic!("{other:?}"),
        }
    }

    fn refused(words: &[&str]) -> String {
        let words = ["config", "x"].into_iter().chain(words.iter().copied());
        ScCommand::from_args(words).unwrap_err().render().to_string()
    }

    #[test]
    fn options_are_read_with_and_without_the_blank() {
        for words in [&["start=", "delayed-auto", "ERROR=", "Normal"][..], &["Start=delayed-auto", "error=normal"]] {
            let change = config(words);
            assert_eq!((change.start, change.error_control), (Some(Start::DelayedAuto), Some(1)));
        }
        let change = config(&["type=", "interact", "type=", "own", "depend=", "RPCSS/+Network/Tcpip"]);
        assert_eq!(change.kind, Some(0x110));
        assert_eq!(change.depend_on_services, Some(vec!["RPCSS".into(), "Tcpip".into()]));
        assert_eq!(change.depend_on_groups, Some(vec!["Network".into()]));
        assert_eq!(config(&["depend=", "/"]).depend_on_services, Some(Vec::new()));
        assert_eq!(config(&["obj=", r".\me=you"]).account, Some(r".\me=you".into()));
    }

    #[test]
    fn what_would_do_nothing_or_something_else_is_refused() {
        assert!(refused(&[]).contains("something to change"));
        assert!(refused(&["start", "auto"]).contains("write `start= VALUE`"));
        assert!(refused(&["start=", "automatic"]).contains("one of boot, system, auto"));
        assert!(refused(&["start=", "disable"]).contains("did you mean `disabled`?"));
        assert!(refused(&["start="]).contains("needs a value"));
        assert!(refused(&["strat=", "auto"]).contains("did you mean `start=`?"));
        assert!(refused(&["password=", "x"]).contains("secrets"));
    }
}
