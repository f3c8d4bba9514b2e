//! The integrity level of an object.

use super::{
    super::{
        access_mask::AccessMask,
        ace::Ace,
        ace_type::{AceFlags, AceType},
        acl::{Acl, AclState},
        descriptor::SecurityDescriptor,
        error::SecurityError,
        inheritance::ListKind,
        object_kind::ObjectKind,
        sid::Sid,
    },
    Edited, HANDED_ON,
};

/// The integrity levels that `icacls` gives to objects (MS-DTYP 2.4.4.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IntegrityLevel {
    /// What sandboxed programs run at.
    Low,
    /// What users' programs run at, and what an object without a label counts as.
    Medium,
    /// What administrators' programs run at.
    High,
}

impl IntegrityLevel {
    /// The SID that stands for the level.
    #[must_use]
    pub fn sid(self) -> Sid {
        match self {
            Self::Low => Sid::known(16, [4096]),
            Self::Medium => Sid::known(16, [8192]),
            Self::High => Sid::known(16, [12_288]),
        }
    }
}

impl SecurityDescriptor {
    /// Labels the object: programs below the level may not write to it (`icacls /setintegritylevel`). Takes the place
    /// of the label that is there; an inherited one stays behind it, where Windows does not look. Nothing is changed on
    /// error.
    ///
    /// # Errors
    ///
    /// [`SecurityError::TooLarge`] if the list would exceed [`Acl::MAX_SIZE`].
    pub fn set_integrity_level(
        &mut self,
        level: IntegrityLevel,
        inheritance: AceFlags,
        object: ObjectKind,
    ) -> Result<Edited, SecurityError> {
        let flags = if object.container { inheritance & HANDED_ON } else { AceFlags::empty() };
        let label = Ace::new(AceType::SYSTEM_MANDATORY_LABEL, flags, NO_WRITE_UP, level.sid(), &[])?;
        if self.sacl().acl().is_none() {
            self.set_sacl(AclState::Present(Acl::new(vec![label])?));
            return Ok(Edited::Changed);
        }
        self.edit(ListKind::Sacl, |aces| {
            let is_label = |ace: &Ace| ace.ace_type() == AceType::SYSTEM_MANDATORY_LABEL && !ace.is_inherited();
            let place = aces.iter().position(is_label).unwrap_or_default();
            aces.retain(|ace| !is_label(ace));
            aces.insert(place, label);
            Ok(())
        })
    }
}

/// `SYSTEM_MANDATORY_LABEL_NO_WRITE_UP`.
const NO_WRITE_UP: AccessMask = AccessMask::from_bits_retain(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(before: &str, inheritance: AceFlags, object: ObjectKind) -> String {
        let mut descriptor: SecurityDescriptor = before.parse().unwrap();
        assert_eq!(descriptor.set_integrity_level(IntegrityLevel::High, inheritance, object), Ok(Edited::Changed));
        assert_eq!(descriptor.set_integrity_level(IntegrityLevel::High, inheritance, object), Ok(Edited::Unchanged));
        descriptor.to_string()
    }

    #[test]
    fn a_label_takes_the_place_of_the_one_that_is_there() {
        let both = AceFlags::OBJECT_INHERIT | AceFlags::CONTAINER_INHERIT;
        assert_eq!(labelled("O:SY", both, ObjectKind::FILE), "O:SYS:(ML;;NW;;;HI)");
        assert_eq!(labelled("S:NO_ACCESS_CONTROL", both, ObjectKind::DIRECTORY), "S:(ML;OICI;NW;;;HI)");
        let before = "S:(AU;SA;FA;;;WD)(ML;;NWNR;;;LW)(ML;CI;NW;;;ME)(ML;ID;NW;;;LW)";
        assert_eq!(
            labelled(before, AceFlags::empty(), ObjectKind::FILE),
            "S:(AU;SA;FA;;;WD)(ML;;NW;;;HI)(ML;ID;NW;;;LW)"
        );
        assert_eq!(labelled("S:(ML;ID;NW;;;LW)", both, ObjectKind::FILE), "S:(ML;;NW;;;HI)(ML;ID;NW;;;LW)");
    }
}
