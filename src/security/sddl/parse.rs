//! SDDL to descriptor.

use super::{
    super::{
        access_mask::AccessMask,
        ace::Ace,
        ace_type::{AceFlags, AceType},
        acl::{Acl, AclState},
        control::Control,
        descriptor::SecurityDescriptor,
        error::SecurityError,
        guid::{self, Guid},
        well_known,
    },
    SddlContext, claim, condition,
    cursor::{Cursor, LeadingZero},
    letters::{self, Data, TypeLetters},
};

/// Reads a whole descriptor: parts in any order, each at most once, letters of either case, blanks between tokens.
pub(in super::super) fn parse(text: &str, context: &SddlContext) -> Result<SecurityDescriptor, SecurityError> {
    let mut parser = Parser { cursor: Cursor::new(text), context };
    let mut descriptor = SecurityDescriptor::new();
    let mut control = Control::empty();
    loop {
        parser.cursor.skip_blanks();
        let start = parser.cursor.position();
        let first;
        if parser.cursor.at_end() {
            break;
        } else if parser.cursor.eat("O:") {
            first = descriptor.owner().is_none();
            descriptor.set_owner(Some(parser.cursor.sid(context)?));
        } else if parser.cursor.eat("G:") {
            first = descriptor.group().is_none();
            descriptor.set_group(Some(parser.cursor.sid(context)?));
        } else if parser.cursor.eat("D:") {
            first = *descriptor.dacl() == AclState::Absent;
            let (dacl, flags) = parser.acl(&DACL_FLAGS)?;
            descriptor.set_dacl(dacl);
            control |= flags;
        } else if parser.cursor.eat("S:") {
            first = *descriptor.sacl() == AclState::Absent;
            let (sacl, flags) = parser.acl(&SACL_FLAGS)?;
            descriptor.set_sacl(sacl);
            control |= flags;
        } else {
            return Err(parser.cursor.error("one of O: G: D: S:"));
        }
        if !first {
            return Err(parser.cursor.error_at(start, "each part only once"));
        }
    }
    descriptor.set_control(control);
    Ok(descriptor)
}

struct Parser<'t, 'c> {
    cursor: Cursor<'t>,
    context: &'c SddlContext,
}

impl Parser<'_, '_> {
    fn acl(&mut self, known_flags: &[(&str, Control)]) -> Result<(AclState, Control), SecurityError> {
        let mut flags = Control::empty();
        loop {
            self.cursor.skip_blanks();
            if self.cursor.eat(NO_ACCESS_CONTROL) {
                return Ok((AclState::Null, flags));
            }
            if self.at_part() || !self.cursor.peek().is_some_and(char::is_alphanumeric) {
                break;
            }
            let flag = known_flags.iter().find(|(letters, _)| self.cursor.eat(letters));
            flags |= flag.ok_or_else(|| self.cursor.error("one of the acl flags P AR AI"))?.1;
        }
        let mut acl = Acl::new(Vec::new())?;
        while self.cursor.sees("(") {
            let start = self.cursor.position();
            let ace = self.ace()?;
            acl.push(ace).map_err(|_| self.cursor.error_at(start, "an acl of at most 65532 bytes"))?;
            self.cursor.skip_blanks();
        }
        Ok((AclState::Present(acl), flags))
    }

    /// Whether the next part of the descriptor starts here. No ACL flag looks like one.
    fn at_part(&self) -> bool {
        ["O:", "G:", "D:", "S:"].iter().any(|part| self.cursor.sees(part))
    }

    fn ace(&mut self) -> Result<Ace, SecurityError> {
        let start = self.cursor.position();
        self.cursor.expect("(", "an ace")?;
        let kind = self.ace_type()?;
        let flags = self.flags(kind.ace_type)?;
        let mask = self.mask(kind)?;
        let object_type = self.guid(kind)?;
        let inherited_object_type = self.guid(kind)?;
        let trustee = self.cursor.position();
        let sid = self.cursor.sid(self.context)?;
        if kind.data == Data::Claim && sid != well_known::EVERYONE {
            return Err(self.cursor.error_at(trustee, "WD, the only trustee of a resource attribute"));
        }
        let data = self.data(kind)?;
        self.cursor.skip_blanks();
        self.cursor.expect(")", "`)` at the end of the ace")?;
        let ace = if kind.object {
            Ace::object(kind.ace_type, flags, mask, object_type, inherited_object_type, sid, &data)
        } else {
            Ace::new(kind.ace_type, flags, mask, sid, &data)
        };
        ace.map_err(|_| self.cursor.error_at(start, "an ace of at most 65532 bytes"))
    }

    fn ace_type(&mut self) -> Result<&'static TypeLetters, SecurityError> {
        self.cursor.skip_blanks();
        let start = self.cursor.position();
        let letters = self.cursor.take_while(|c| c.is_ascii_alphanumeric());
        let kind = TypeLetters::find(letters).ok_or_else(|| self.cursor.error_at(start, "an ace type"))?;
        self.end_of_field()?;
        Ok(kind)
    }

    fn flags(&mut self, ace_type: AceType) -> Result<AceFlags, SecurityError> {
        let mut flags = AceFlags::empty();
        loop {
            self.cursor.skip_blanks();
            if self.cursor.eat(";") {
                return Ok(flags);
            }
            let flag = self.cursor.eat_pair(|letters| letters::flag(letters, ace_type));
            flags |= flag.ok_or_else(|| self.cursor.error("an ace flag or `;`"))?;
        }
    }

    fn mask(&mut self, kind: &TypeLetters) -> Result<AccessMask, SecurityError> {
        self.cursor.skip_blanks();
        let start = self.cursor.position();
        let mut mask = AccessMask::empty();
        if self.cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
            mask = AccessMask::from_bits_retain(self.cursor.number_u32(LeadingZero::Octal)?);
            self.end_of_field()?;
        } else {
            loop {
                self.cursor.skip_blanks();
                if self.cursor.eat(";") {
                    break;
                }
                let right = self.cursor.eat_pair(|letters| letters::right(letters, kind.ace_type));
                mask |= right.ok_or_else(|| self.cursor.error("an access right or `;`"))?;
            }
        }
        if kind.data == Data::Claim && !mask.is_empty() {
            return Err(self.cursor.error_at(start, "no rights in a resource attribute"));
        }
        Ok(mask)
    }

    fn guid(&mut self, kind: &TypeLetters) -> Result<Option<Guid>, SecurityError> {
        self.cursor.skip_blanks();
        let start = self.cursor.position();
        let text = self.cursor.take_while(|c| !c.is_ascii_whitespace() && !";()".contains(c));
        let guid = match text {
            "" => None,
            _ if !kind.object => return Err(self.cursor.error_at(start, "no guid in an ace of this type")),
            text => Some(guid::from_text(text).ok_or_else(|| self.cursor.error_at(start, "a guid without braces"))?),
        };
        self.end_of_field()?;
        Ok(guid)
    }

    fn data(&mut self, kind: &TypeLetters) -> Result<Vec<u8>, SecurityError> {
        self.cursor.skip_blanks();
        match kind.data {
            Data::Nothing => return Ok(Vec::new()),
            Data::OptionalCondition if !self.cursor.sees(";") => return Ok(Vec::new()),
            Data::Condition | Data::OptionalCondition => self.cursor.expect(";", "`;` and a condition")?,
            Data::Claim => self.cursor.expect(";", "`;` and a resource attribute")?,
        }
        self.cursor.skip_blanks();
        if kind.data == Data::Claim {
            claim::parse(&mut self.cursor, self.context)
        } else {
            condition::parse(&mut self.cursor, self.context)
        }
    }

    fn end_of_field(&mut self) -> Result<(), SecurityError> {
        self.cursor.skip_blanks();
        self.cursor.expect(";", "`;` at the end of the field")
    }
}

pub(super) const NO_ACCESS_CONTROL: &str = "NO_ACCESS_CONTROL";

/// In the order in which they are printed.
pub(super) const DACL_FLAGS: [(&str, Control); 3] =
    [("P", Control::DACL_PROTECTED), ("AR", Control::DACL_AUTO_INHERIT_REQ), ("AI", Control::DACL_AUTO_INHERITED)];

/// In the order in which they are printed.
pub(super) const SACL_FLAGS: [(&str, Control); 3] =
    [("P", Control::SACL_PROTECTED), ("AR", Control::SACL_AUTO_INHERIT_REQ), ("AI", Control::SACL_AUTO_INHERITED)];
