//! Condition text to tokens.

use super::{
    super::{
        super::error::SecurityError,
        SddlContext,
        cursor::{Cursor, LeadingZero, Number},
    },
    AND, ATTRIBUTES, BASE_DECIMAL, BASE_HEXADECIMAL, BASE_OCTAL, COMPOSITE, EXISTENCES, INT64, LOCAL_ATTRIBUTE,
    MAX_COMPOSITE_DEPTH, MEMBERSHIPS, NOT, OCTETS, OR, RELATIONS, SID, SIGN_MINUS, SIGN_NONE, SIGN_PLUS, SIGNATURE,
    STRING, by_word, is_local_name, is_prefixed_name,
    text::{name_units, octets, string_units},
};

/// Reads a condition in its parentheses; gives it in stored form, without the padding.
pub(in super::super) fn parse(cursor: &mut Cursor<'_>, context: &SddlContext) -> Result<Vec<u8>, SecurityError> {
    let mut parser = Parser { cursor: *cursor, context, out: SIGNATURE.to_vec() };
    parser.expression()?;
    *cursor = parser.cursor;
    Ok(parser.out)
}

struct Parser<'t, 'c> {
    cursor: Cursor<'t>,
    context: &'c SddlContext,
    out: Vec<u8>,
}

/// What waits on the operator stack for its operands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pending {
    Parenthesis,
    Operator(u8),
}

impl Parser<'_, '_> {
    /// Operator precedence with an explicit stack: `||` loosest, then `&&`, then `!`.
    fn expression(&mut self) -> Result<(), SecurityError> {
        let mut pending = vec![Pending::Parenthesis];
        self.cursor.expect("(", "`(` and a condition")?;
        loop {
            // Here an operand is due.
            self.cursor.skip_blanks();
            if self.cursor.eat("(") {
                pending.push(Pending::Parenthesis);
                continue;
            }
            if self.cursor.eat("!") {
                pending.push(Pending::Operator(NOT));
                continue;
            }
            self.term()?;
            // Here an operator is due, or the end of one or more parentheses.
            loop {
                self.cursor.skip_blanks();
                if self.cursor.eat("&&") {
                    self.emit(&mut pending, &[NOT, AND]);
                    pending.push(Pending::Operator(AND));
                    break;
                }
                if self.cursor.eat("||") {
                    self.emit(&mut pending, &[NOT, AND, OR]);
                    pending.push(Pending::Operator(OR));
                    break;
                }
                self.cursor.expect(")", "`&&`, `||` or `)`")?;
                self.emit(&mut pending, &[NOT, AND, OR]);
                pending.pop();
                if pending.is_empty() {
                    return Ok(());
                }
            }
        }
    }

    /// Writes the operators on top of the stack that bind at least as tight as the next one.
    fn emit(&mut self, pending: &mut Vec<Pending>, tighter: &[u8]) {
        while let Some(&Pending::Operator(operator)) = pending.last() {
            if !tighter.contains(&operator) {
                break;
            }
            self.out.push(operator);
            pending.pop();
        }
    }

    /// A relation, a membership, an existence, or an attribute on its own.
    fn term(&mut self) -> Result<(), SecurityError> {
        let mut ahead = self.cursor;
        let word = ahead.take_while(is_local_name);
        if let Some(operator) = by_word(MEMBERSHIPS, word) {
            self.cursor = ahead;
            self.cursor.skip_blanks();
            self.sids()?;
            self.out.push(operator);
            return Ok(());
        }
        if let Some(operator) = by_word(EXISTENCES, word) {
            self.cursor = ahead;
            self.cursor.skip_blanks();
            self.attribute("an attribute")?;
            self.out.push(operator);
            return Ok(());
        }
        self.attribute("an attribute, `!`, `(` or an operator such as Member_of")?;
        self.cursor.skip_blanks();
        let Some(operator) = self.relation()? else { return Ok(()) };
        self.cursor.skip_blanks();
        if self.cursor.sees("@") {
            self.attribute("an attribute")?;
        } else {
            self.literal(0)?;
        }
        self.out.push(operator);
        Ok(())
    }

    fn relation(&mut self) -> Result<Option<u8>, SecurityError> {
        let mut ahead = self.cursor;
        let word = ahead.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        if !word.is_empty() {
            let operator = by_word(RELATIONS, word).ok_or_else(|| self.cursor.error("an operator"))?;
            self.cursor = ahead;
            return Ok(Some(operator));
        }
        Ok(RELATIONS.iter().find(|(_, symbol)| self.cursor.eat(symbol)).map(|&(operator, _)| operator))
    }

    fn attribute(&mut self, expected: &'static str) -> Result<(), SecurityError> {
        let prefix = ATTRIBUTES.iter().find(|(_, prefix)| self.cursor.eat(prefix));
        if prefix.is_none() && self.cursor.sees("@") {
            return Err(self.cursor.error("@User., @Resource. or @Device."));
        }
        let position = self.cursor.position();
        let (token, name) = match prefix {
            Some(&(token, _)) => (token, name_units(&mut self.cursor, |c| is_prefixed_name(c) || !c.is_ascii())?),
            None => (LOCAL_ATTRIBUTE, name_units(&mut self.cursor, is_local_name)?),
        };
        if name.is_empty() {
            return Err(self.cursor.error_at(position, expected));
        }
        self.units(token, &name);
        Ok(())
    }

    /// What follows a membership operator: one SID, or several in braces.
    fn sids(&mut self) -> Result<(), SecurityError> {
        if self.cursor.sees("{") { self.composite(Self::sid) } else { self.sid() }
    }

    fn literal(&mut self, depth: usize) -> Result<(), SecurityError> {
        match self.cursor.peek() {
            Some('"') => {
                let units = string_units(&mut self.cursor, false)?;
                self.units(STRING, &units);
                Ok(())
            }
            Some('#') => {
                self.cursor.bump();
                let octets = octets(&mut self.cursor);
                self.counted(OCTETS, |out| out.extend_from_slice(&octets));
                Ok(())
            }
            Some('+' | '-' | '0'..='9') => self.integer(),
            Some('{') if depth >= MAX_COMPOSITE_DEPTH => Err(self.cursor.error("no more than 8 nested braces")),
            Some('{') => self.composite(|parser| parser.literal(depth + 1)),
            Some('S' | 's') => self.sid(),
            _ => Err(self.cursor.error("a literal or an attribute with @")),
        }
    }

    fn composite(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), SecurityError>,
    ) -> Result<(), SecurityError> {
        self.cursor.expect("{", "`{`")?;
        let start = self.out.len();
        self.out.extend([COMPOSITE, 0, 0, 0, 0]);
        loop {
            self.cursor.skip_blanks();
            element(self)?;
            self.cursor.skip_blanks();
            if !self.cursor.eat(",") {
                break;
            }
        }
        self.cursor.expect("}", "`,` or `}`")?;
        self.patch_length(start);
        Ok(())
    }

    fn sid(&mut self) -> Result<(), SecurityError> {
        self.cursor.expect("SID", "SID(...)")?;
        self.cursor.skip_blanks();
        self.cursor.expect("(", "`(` and a sid")?;
        let sid = self.cursor.sid(self.context)?;
        self.cursor.skip_blanks();
        self.cursor.expect(")", "`)` after the sid")?;
        self.counted(SID, |out| sid.write_to(out));
        Ok(())
    }

    fn integer(&mut self) -> Result<(), SecurityError> {
        let start = self.cursor.position();
        let sign = if self.cursor.eat("+") {
            SIGN_PLUS
        } else if self.cursor.eat("-") {
            SIGN_MINUS
        } else {
            SIGN_NONE
        };
        let Number { value, radix } = self.cursor.number(LeadingZero::Octal)?;
        let base = match radix {
            8 => BASE_OCTAL,
            16 => BASE_HEXADECIMAL,
            _ => BASE_DECIMAL,
        };
        let mut bits = value;
        if sign == SIGN_MINUS {
            if value > i64::MIN.unsigned_abs() {
                return Err(self.cursor.error_at(start, "a number of at most 64 bits"));
            }
            bits = value.wrapping_neg();
        }
        self.out.push(INT64);
        self.out.extend_from_slice(&bits.to_le_bytes());
        self.out.extend([sign, base]);
        Ok(())
    }

    fn units(&mut self, token: u8, units: &[u16]) {
        self.counted(token, |out| out.extend(units.iter().flat_map(|unit| unit.to_le_bytes())));
    }

    /// Writes a token with a length before its body.
    fn counted(&mut self, token: u8, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.out.len();
        self.out.extend([token, 0, 0, 0, 0]);
        write(&mut self.out);
        self.patch_length(start);
    }

    /// Writes the length of the body into the token at `start`. Nothing near 4 GiB ever fits into an ACE.
    fn patch_length(&mut self, start: usize) {
        let body = start + 5;
        let length = (self.out.len() - body) as u32;
        if let Some(field) = self.out.get_mut(start + 1..body) {
            field.copy_from_slice(&length.to_le_bytes());
        }
    }
}
