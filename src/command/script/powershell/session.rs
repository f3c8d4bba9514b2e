//! Statements carried from text to commands, with the variables they set.

use std::collections::HashMap;

use super::{
    super::{
        glyph::{Glyph, span, text},
        line::Command,
        online,
    },
    ProviderCommand,
    arguments::{Bound, Spec},
    lexer::{Kind, Raw, Token, statements},
    paths::{Place, place},
};
use crate::{
    ValueType,
    command::{Span, diagnostic::Fault, word::shown},
    name::NameBuf,
};

/// A value of a PowerShell command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemValue {
    /// Digits without quotes.
    Number(u64),
    /// Everything else.
    Text(String),
}

impl ItemValue {
    /// The type and bytes to store, for a value that has `existing` type now; none for a value that is new.
    ///
    /// `asked` is `-Type`. Without it an existing value keeps its type, a new one is `REG_DWORD` for a number that fits,
    /// `REG_QWORD` for a larger one and `REG_SZ` for text. None when the value does not fit the type.
    ///
    /// ```
    /// use hivesmith::{ValueType, command::script::powershell::ItemValue};
    /// let port = ItemValue::Number(3389);
    /// assert_eq!(port.stored(None, Some(ValueType::DWORD)), Some((ValueType::DWORD, vec![0x3d, 0x0d, 0, 0])));
    /// assert_eq!(ItemValue::Text("x".into()).stored(Some(ValueType::DWORD), None), None);
    /// ```
    #[must_use]
    pub fn stored(&self, asked: Option<ValueType>, existing: Option<ValueType>) -> Option<(ValueType, Vec<u8>)> {
        let kind = asked.or(existing).unwrap_or(match self {
            Self::Number(number) if *number <= u32::MAX.into() => ValueType::DWORD,
            Self::Number(_) => ValueType::QWORD,
            Self::Text(_) => ValueType::SZ,
        });
        let number = match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => number(text),
        };
        let text = match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        };
        let units = |text: &str, nuls: usize| {
            let nuls = std::iter::repeat_n(0, nuls);
            text.encode_utf16().chain(nuls).flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
        };
        let data = match kind {
            ValueType::DWORD => u32::try_from(number?).ok()?.to_le_bytes().to_vec(),
            ValueType::QWORD => number?.to_le_bytes().to_vec(),
            ValueType::SZ | ValueType::EXPAND_SZ => units(&text, 1),
            ValueType::MULTI_SZ if text.is_empty() => units("", 1),
            ValueType::MULTI_SZ => units(&text, 2),
            _ => return None,
        };
        Some((kind, data))
    }
}

/// A statement that was understood.
pub(in super::super) struct Statement {
    pub(in super::super) span: Span,
    pub(in super::super) command: Command,
    pub(in super::super) warnings: Vec<Fault>,
    pub(in super::super) paged: bool,
}

/// The variables set so far.
#[derive(Default)]
pub(in super::super) struct Session {
    variables: HashMap<String, String>,
    /// Characters that variables have put into commands.
    spent: usize,
}

impl Session {
    pub(in super::super) fn statements(&mut self, glyphs: &[Glyph]) -> Result<Vec<Statement>, Fault> {
        let begin = glyphs.iter().position(|glyph| !glyph.is_blank()).unwrap_or(glyphs.len());
        let glyphs = &glyphs[begin..];
        if glyphs.first().is_some_and(|glyph| glyph.c == '$') {
            self.assign(glyphs)?;
            return Ok(Vec::new());
        }
        statements(glyphs)?.into_iter().map(|raw| self.statement(&raw)).collect()
    }

    /// `$name = value`
    fn assign(&mut self, glyphs: &[Glyph]) -> Result<(), Fault> {
        let not_understood = |glyphs: &[Glyph]| {
            Fault::new(span(glyphs), "this expression is not understood").hint("write the value itself in its place")
        };
        let Some(equals) = glyphs.iter().position(|glyph| glyph.c == '=') else { return Err(not_understood(glyphs)) };
        let name = text(&glyphs[1..equals]).trim().to_lowercase();
        let value = &glyphs[equals + 1..];
        // Where nothing stands behind the sign, the sign is the place to point at.
        let place = if value.is_empty() { &glyphs[equals..] } else { value };
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(not_understood(glyphs));
        }
        let value = match certificates_of(&text(value)) {
            Some(path) => path,
            None => match statements(value)?.as_slice() {
                [Raw { tokens, pipe: None, .. }] => match tokens.as_slice() {
                    [Token { text, kind: Kind::Quoted, .. }] => text.clone(),
                    _ => return Err(not_understood(place)),
                },
                _ => return Err(not_understood(place)),
            },
        };
        self.variables.insert(name, value);
        Ok(())
    }

    fn statement(&mut self, raw: &Raw<'_>) -> Result<Statement, Fault> {
        let place = span(raw.glyphs);
        let Some((cmdlet, arguments)) = raw.tokens.split_first() else {
            return Err(Fault::new(place, "no command stands here"));
        };
        let name = cmdlet.text.to_ascii_lowercase();
        if let Some(instead) = online::instead(&name) {
            let command = Command::Online { what: text(raw.glyphs), instead };
            return Ok(Statement { span: place, command, warnings: Vec::new(), paged: raw.pipe.is_some() });
        }
        let paged = match raw.pipe.as_deref() {
            None => false,
            Some([pager])
                if ["more", "out-null", "out-host"].iter().any(|name| pager.text.eq_ignore_ascii_case(name)) =>
            {
                true
            }
            Some(_) => return Err(Fault::new(place, "output into another command is not supported, only into `more`")),
        };
        let mut warnings = Vec::new();
        let arguments = arguments.iter().map(|token| self.resolve(token)).collect::<Result<Vec<_>, _>>()?;
        let end = Span { column: place.column.saturating_add(place.length), length: 1, ..place };
        let command = match name.as_str() {
            "set-itemproperty" | "sp" | "new-itemproperty" => set_property(&arguments, end, &mut warnings)?,
            "remove-itemproperty" => remove_property(&arguments, end, &mut warnings)?,
            "new-item" => new_item(&arguments, end, &mut warnings)?,
            "remove-item" => remove_item(&arguments, end, &mut warnings)?,
            _ => {
                let message = format!("`{}` is no command that is known here", shown(&cmdlet.text));
                return Err(Fault::new(cmdlet.span, message));
            }
        };
        Ok(Statement { span: place, command: Command::Provider(command), warnings, paged })
    }

    /// A variable's text in its place; what cannot be known is an error.
    fn resolve(&mut self, token: &Token) -> Result<Token, Fault> {
        match token.kind {
            Kind::Bare | Kind::Quoted => Ok(token.clone()),
            Kind::Variable => match self.variables.get(&token.text.to_lowercase()) {
                Some(text) => {
                    self.spent += text.len();
                    if self.spent > MOST {
                        return Err(Fault::new(token.span, "variables of this script take more than a mebibyte"));
                    }
                    Ok(Token { text: text.clone(), kind: Kind::Quoted, ..token.clone() })
                }
                None => Err(Fault::new(token.span, format!("`${}` is not set in this script", shown(&token.text)))),
            },
            // `-Confirm:$false` and its like
            Kind::Expression if token.text.to_ascii_lowercase().starts_with("-confirm:") => Ok(token.clone()),
            Kind::Expression => {
                Err(Fault::new(token.span, "this expression is not understood")
                    .hint("write the value itself in its place"))
            }
            Kind::Placeholder => {
                let message = format!("`{}` is a placeholder of the documentation", shown(&token.text));
                Err(Fault::new(token.span, message).hint("write in its place what it stands for"))
            }
        }
    }
}

/// The path of a store when the expression means all its certificates.
fn certificates_of(expression: &str) -> Option<String> {
    let (path, rest) = expression.trim().strip_prefix('\'')?.split_once('\'')?;
    let dense = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    let whole = format!("+((Get-ChildItem -Path '{path}').thumbprint)");
    (dense(rest) == dense(&whole)).then(|| path.to_owned())
}

fn set_property(arguments: &[Token], end: Span, warnings: &mut Vec<Fault>) -> Result<ProviderCommand, Fault> {
    const SPEC: Spec = Spec {
        values: &["path", "name", "value", "type"],
        switches: &["force", "passthru"],
        positional: &["path", "name", "value"],
    };
    let bound = Bound::new(arguments, end, &SPEC)?;
    let key = key(bound.needed("path")?, warnings)?;
    let name = property(bound.needed("name")?);
    let token = bound.needed("value")?;
    let number = number(&token.text).filter(|_| token.kind == Kind::Bare);
    let value = number.map_or_else(|| ItemValue::Text(token.text.clone()), ItemValue::Number);
    let kind = bound.value("type").map(value_kind).transpose()?;
    if kind.is_some() && value.stored(kind, None).is_none() {
        let message = format!("`{}` cannot be stored as {}", shown(&token.text), kind.unwrap_or(ValueType::NONE));
        return Err(Fault::new(token.span, message));
    }
    Ok(ProviderCommand::SetItemProperty { key, name, kind, value })
}

fn remove_property(arguments: &[Token], end: Span, warnings: &mut Vec<Fault>) -> Result<ProviderCommand, Fault> {
    const SPEC: Spec = Spec { values: &["path", "name"], switches: &["force"], positional: &["path", "name"] };
    let bound = Bound::new(arguments, end, &SPEC)?;
    let key = key(bound.needed("path")?, warnings)?;
    Ok(ProviderCommand::RemoveItemProperty { key, name: property(bound.needed("name")?) })
}

fn new_item(arguments: &[Token], end: Span, warnings: &mut Vec<Fault>) -> Result<ProviderCommand, Fault> {
    const SPEC: Spec = Spec { values: &["path", "name"], switches: &["force"], positional: &["path"] };
    let bound = Bound::new(arguments, end, &SPEC)?;
    let mut key = key(bound.needed("path")?, warnings)?;
    if let Some(name) = bound.value("name") {
        key = key.below(&name.text.as_str().into());
    }
    Ok(ProviderCommand::NewItem { key })
}

fn remove_item(arguments: &[Token], end: Span, warnings: &mut Vec<Fault>) -> Result<ProviderCommand, Fault> {
    const SPEC: Spec = Spec { values: &["path"], switches: &["force", "recurse"], positional: &["path"] };
    let bound = Bound::new(arguments, end, &SPEC)?;
    let token = bound.needed("path")?;
    if let Place::Certificates { store, thumbprint } = place(token)? {
        return Ok(ProviderCommand::RemoveCertificates { store, thumbprint });
    }
    Ok(ProviderCommand::RemoveItem { key: key(token, warnings)?, recurse: bound.has("recurse") })
}

fn key(token: &Token, warnings: &mut Vec<Fault>) -> Result<crate::command::reg::RegPath, Fault> {
    match place(token)? {
        Place::Key(key, colon_missing) => {
            if colon_missing {
                let fault = Fault::new(token.span, "the colon of the registry drive is missing (`HKLM:\\...`)");
                warnings.push(fault.hint("PowerShell would look for a file; here it is read as the key"));
            }
            Ok(key)
        }
        Place::Certificates { .. } => Err(Fault::new(token.span, "a certificate store has no keys and values here")),
    }
}

/// `(Default)` is how PowerShell calls the value without a name.
fn property(token: &Token) -> NameBuf {
    let default = token.text.eq_ignore_ascii_case("(default)");
    if default { NameBuf::default() } else { NameBuf::from(token.text.as_str()) }
}

fn value_kind(token: &Token) -> Result<ValueType, Fault> {
    Ok(match token.text.to_ascii_lowercase().as_str() {
        "string" => ValueType::SZ,
        "expandstring" => ValueType::EXPAND_SZ,
        "dword" => ValueType::DWORD,
        "qword" => ValueType::QWORD,
        "multistring" => ValueType::MULTI_SZ,
        _ => {
            let message = format!("`{}` is no type that is known here", shown(&token.text));
            return Err(Fault::new(token.span, message).hint("String, ExpandString, DWord, QWord or MultiString"));
        }
    })
}

fn number(text: &str) -> Option<u64> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = hexadecimal.map_or((text, 10), |digits| (digits, 16));
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    u64::from_str_radix(digits, radix).ok().filter(|_| plain)
}

/// Small scripts must not become large commands.
const MOST: usize = 1 << 20;
