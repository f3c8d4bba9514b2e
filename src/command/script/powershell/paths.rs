//! Paths of PowerShell's registry and certificate providers.

use super::lexer::Token;
use crate::command::{diagnostic::Fault, reg::RegPath, word::shown};

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A key; the flag says that the colon of the drive was missing.
    Key(RegPath, bool),
    /// A store of the local machine, and one certificate in it.
    Certificates { store: String, thumbprint: Option<String> },
}

/// Reads a path: `HKLM:\...`, `Registry::HKEY_LOCAL_MACHINE\...`, `Cert:\LocalMachine\...`, and the documents' `HKLM\...`.
pub(super) fn place(token: &Token) -> Result<Place, Fault> {
    let text = token.text.as_str();
    if let Some(path) = strip_prefix(text, "cert:") {
        return certificates(path).ok_or_else(|| {
            Fault::new(token.span, "only stores of the local machine can be reached, as Cert:\\LocalMachine\\My")
        });
    }
    let path = strip_prefix(text, "microsoft.powershell.core\\").unwrap_or(text);
    let provider = strip_prefix(path, "registry::");
    let path = provider.unwrap_or(path);
    let (root, below) = path.split_once('\\').unwrap_or((path, ""));
    let drive = root.strip_suffix(':');
    let key: RegPath = format!("{}\\{below}", drive.unwrap_or(root)).parse().map_err(|error| {
        Fault::new(token.span, format!("`{}` is no registry or certificate path: {error}", shown(text)))
    })?;
    if below.contains(['*', '?']) {
        return Err(Fault::new(token.span, "wildcards in key paths are not supported"));
    }
    Ok(Place::Key(key, drive.is_none() && provider.is_none()))
}

fn certificates(path: &str) -> Option<Place> {
    let store = strip_prefix(path.trim_start_matches('\\'), "localmachine\\")?;
    let (store, thumbprint) = store.split_once('\\').unwrap_or((store, ""));
    let known = thumbprint.len() == 40 && thumbprint.bytes().all(|byte| byte.is_ascii_hexdigit());
    let thumbprint = match thumbprint {
        "" | "*" => None,
        thumbprint if known => Some(thumbprint.to_ascii_uppercase()),
        _ => return None,
    };
    (!store.is_empty()).then(|| Place::Certificates { store: store.to_owned(), thumbprint })
}

/// What follows a prefix in any case.
fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}
