//! A position in SDDL text, and the small things that are read at many places.

use super::{
    super::{
        error::SecurityError,
        sid::{MAX_AUTHORITY, Sid},
        well_known::RelativeAlias,
    },
    SddlContext,
};

/// A position in the text. Reading moves it on, an error names it.
#[derive(Clone, Copy)]
pub(in super::super) struct Cursor<'t> {
    text: &'t str,
    position: usize,
}

/// An unsigned number, and how it was written.
#[derive(Clone, Copy)]
pub(super) struct Number {
    pub(super) value: u64,
    pub(super) radix: u32,
}

/// Whether a leading 0 makes a number octal. In a SID it does not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LeadingZero {
    Octal,
    Decimal,
}

impl<'t> Cursor<'t> {
    pub(in super::super) fn new(text: &'t str) -> Self {
        Self { text, position: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(in super::super) fn at_end(&self) -> bool {
        self.position >= self.text.len()
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.position..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.position += next.len_utf8();
        Some(next)
    }

    pub(super) fn skip_blanks(&mut self) {
        self.take_while(|c| c.is_ascii_whitespace());
    }

    /// Takes the characters up to the first that is not `wanted`.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = rest.split_once(|c| !wanted(c)).map_or(rest, |(taken, _)| taken);
        self.position += taken.len();
        taken
    }

    /// Whether `token` stands here, in either case.
    pub(super) fn sees(&self, token: &str) -> bool {
        self.rest().get(..token.len()).is_some_and(|here| here.eq_ignore_ascii_case(token))
    }

    /// Takes `token`, in either case, if it stands here.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        let seen = self.sees(token);
        if seen {
            self.position += token.len();
        }
        seen
    }

    /// Takes `token` or says that `expected` was.
    pub(super) fn expect(&mut self, token: &str, expected: &'static str) -> Result<(), SecurityError> {
        if self.eat(token) { Ok(()) } else { Err(self.error(expected)) }
    }

    /// Takes a letter pair that `find` knows.
    pub(super) fn eat_pair<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        let found = self.rest().get(..2).and_then(find)?;
        self.position += 2;
        Some(found)
    }

    pub(in super::super) fn error(&self, expected: &'static str) -> SecurityError {
        const EXCERPT: usize = 20;
        let found = self.rest().chars().take(EXCERPT).collect();
        SecurityError::Sddl { position: self.position, expected, found }
    }

    pub(super) fn error_at(&self, position: usize, expected: &'static str) -> SecurityError {
        Self { position, ..*self }.error(expected)
    }

    /// Reads a number of at most 64 bits: decimal, `0x` hexadecimal or, with a leading 0, octal.
    pub(super) fn number(&mut self, leading_zero: LeadingZero) -> Result<Number, SecurityError> {
        let start = self.position;
        let radix = if self.eat("0x") {
            16
        } else if leading_zero == LeadingZero::Octal && self.sees("0") {
            // A zero alone reads the same in both, and prints as it was written if taken as decimal.
            let digits = self.rest().get(1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            if digits { 8 } else { 10 }
        } else {
            10
        };
        let mut value: Option<u64> = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(radix)) {
            // `S-1-5-32-0x220D:` could be read two ways: the next part wins.
            if self.sees("D:") {
                break;
            }
            let grown = value.unwrap_or(0).checked_mul(u64::from(radix)).and_then(|v| v.checked_add(u64::from(digit)));
            value = Some(grown.ok_or_else(|| self.error_at(start, "a number of at most 64 bits"))?);
            self.bump();
        }
        let value = value.ok_or_else(|| self.error("a digit"))?;
        Ok(Number { value, radix })
    }

    /// Reads a number of at most 32 bits.
    pub(super) fn number_u32(&mut self, leading_zero: LeadingZero) -> Result<u32, SecurityError> {
        let start = self.position;
        let number = self.number(leading_zero)?;
        u32::try_from(number.value).map_err(|_| self.error_at(start, "a number of at most 32 bits"))
    }

    /// Reads a SID: `S-1-...`, or an alias of two letters.
    pub(super) fn sid(&mut self, context: &SddlContext) -> Result<Sid, SecurityError> {
        self.skip_blanks();
        let position = self.position;
        if self.sees("S-") {
            return self.numeric_sid();
        }
        if let Some(sid) = self.eat_pair(Sid::from_sddl_alias) {
            return Ok(sid);
        }
        match self.eat_pair(RelativeAlias::find) {
            Some(alias) => context.resolve(alias, position),
            None => Err(self.error("a sid or the alias of one")),
        }
    }

    /// Reads `S-1-...`.
    pub(in super::super) fn numeric_sid(&mut self) -> Result<Sid, SecurityError> {
        self.expect("S-", "a sid")?;
        let start = self.position;
        if self.number(LeadingZero::Decimal)?.value != 1 {
            return Err(self.error_at(start, "sid revision 1"));
        }
        self.expect("-", "the identifier authority of the sid")?;
        let start = self.position;
        let authority = self.number(LeadingZero::Decimal)?.value;
        if authority > MAX_AUTHORITY {
            return Err(self.error_at(start, "an identifier authority of at most 48 bits"));
        }
        let mut sid = Sid::new(authority, &[])?;
        while self.eat("-") {
            let start = self.position;
            let sub_authority = self.number_u32(LeadingZero::Decimal)?;
            sid = sid.with_rid(sub_authority).map_err(|_| self.error_at(start, "at most 15 sub-authorities"))?;
        }
        Ok(sid)
    }
}
