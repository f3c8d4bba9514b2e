//! Self-relative security descriptors.

use std::{fmt, str::FromStr};

use super::{
    acl::AclState,
    control::Control,
    error::SecurityError,
    sddl::{self, SddlContext},
    sid::{self, Sid},
    stored::{DEFAULT_ORDER, HEADER_SIZE, Part, REVISION, RawDescriptor},
};

/// A security descriptor in its self-relative form, the one that is stored (MS-DTYP 2.4.6).
///
/// | offset | size | meaning |
/// |---|---|---|
/// | 0 | 1 | revision, 1 |
/// | 1 | 1 | reserved; resource manager bits if [`Control::RM_CONTROL_VALID`] is set |
/// | 2 | 2 | [`Control`] |
/// | 4 | 4 | offset of the owner SID, 0 = none |
/// | 8 | 4 | offset of the group SID, 0 = none |
/// | 12 | 4 | offset of the SACL |
/// | 16 | 4 | offset of the DACL |
/// | 20 | | the parts, in any order |
///
/// A descriptor that was read and not changed is written back byte for byte, gaps included. After a change its parts
/// are laid out anew, in the order that was read, each at a multiple of 4; the parts themselves stay as they were.
///
/// Two descriptors are equal if they say the same and their lists are stored the same; layout does not count.
///
/// ```
/// use hivesmith::security::{AclState, SecurityDescriptor, well_known};
///
/// let stored = b"\x01\x00\x04\x80\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01\0\0\0\0\0\x05\x12\0\0\0";
/// let descriptor = SecurityDescriptor::parse(stored)?;
/// assert_eq!(descriptor.owner(), Some(&well_known::LOCAL_SYSTEM));
/// assert_eq!(*descriptor.dacl(), AclState::Null);
/// assert_eq!(descriptor.to_string(), "O:SYD:NO_ACCESS_CONTROL");
/// assert_eq!(descriptor.to_bytes(), stored);
/// # Ok::<(), hivesmith::security::SecurityError>(())
/// ```
#[derive(Clone)]
pub struct SecurityDescriptor {
    resource_manager_control: u8,
    control: Control,
    owner: Option<Sid>,
    group: Option<Sid>,
    sacl: AclState,
    dacl: AclState,
    order: [Part; 4],
    /// The bytes this was read from, as long as they say the same as the fields above.
    stored: Option<Vec<u8>>,
}

impl SecurityDescriptor {
    /// A descriptor without owner, group, SACL and DACL.
    #[must_use]
    pub fn new() -> Self {
        Self {
            resource_manager_control: 0,
            control: Control::SELF_RELATIVE,
            owner: None,
            group: None,
            sacl: AclState::Absent,
            dacl: AclState::Absent,
            order: DEFAULT_ORDER,
            stored: None,
        }
    }

    /// Reads the descriptor at the start of `bytes`. It ends with its last part; bytes behind that are not kept.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](super::validate): what that accepts, this accepts.
    pub fn parse(bytes: &[u8]) -> Result<Self, SecurityError> {
        let raw = RawDescriptor::parse(bytes)?;
        let sid = |at: Option<usize>| at.and_then(|at| bytes.get(at..)).map(sid::decode);
        Ok(Self {
            resource_manager_control: raw.resource_manager_control,
            control: raw.control,
            owner: sid(raw.owner),
            group: sid(raw.group),
            sacl: raw.sacl.to_state(),
            dacl: raw.dacl.to_state(),
            order: raw.order(),
            stored: bytes.get(..raw.length).map(<[u8]>::to_vec),
        })
    }

    /// The stored form. Empty, it takes 20 bytes; with two full ACLs some 128 KiB.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.stored.clone().unwrap_or_else(|| self.rebuild())
    }

    /// Reads SDDL. Aliases relative to a domain or machine need the context to hold its SID.
    ///
    /// # Errors
    ///
    /// [`SecurityError::Sddl`] with the position of the first error, [`SecurityError::DomainSidRequired`] for an alias
    /// that the context cannot resolve.
    pub fn from_sddl(text: &str, context: &SddlContext) -> Result<Self, SecurityError> {
        sddl::parse(text, context)
    }

    /// The descriptor as SDDL that reads back, or the reason why there is no such text.
    ///
    /// `Display` prints the same text; where this fails, it prints `(0x04;flags;body)` with the body in hexadecimal,
    /// for the reader's eyes only.
    ///
    /// # Errors
    ///
    /// [`SecurityError::NotRepresentable`] for an ACE that SDDL has no words for.
    pub fn to_sddl(&self) -> Result<String, SecurityError> {
        sddl::print(self)
    }

    /// The control bits.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control
    }

    /// Sets the control bits, except those that follow from the parts: present bits and [`Control::SELF_RELATIVE`].
    pub fn set_control(&mut self, control: Control) {
        let kept = Control::DACL_PRESENT | Control::SACL_PRESENT | Control::SELF_RELATIVE;
        let control = control.difference(kept) | self.control.intersection(kept);
        if control != self.control {
            self.control = control;
            self.stored = None;
        }
    }

    /// The owner.
    #[must_use]
    pub fn owner(&self) -> Option<&Sid> {
        self.owner.as_ref()
    }

    /// Sets the owner. One that differs no longer comes from a default.
    pub fn set_owner(&mut self, owner: Option<Sid>) {
        if owner != self.owner {
            self.owner = owner;
            self.changed(Control::OWNER_DEFAULTED);
        }
    }

    /// The primary group.
    #[must_use]
    pub fn group(&self) -> Option<&Sid> {
        self.group.as_ref()
    }

    /// Sets the primary group. One that differs no longer comes from a default.
    pub fn set_group(&mut self, group: Option<Sid>) {
        if group != self.group {
            self.group = group;
            self.changed(Control::GROUP_DEFAULTED);
        }
    }

    /// The DACL: who may do what.
    #[must_use]
    pub fn dacl(&self) -> &AclState {
        &self.dacl
    }

    /// Sets the DACL and its present bit. One that differs no longer comes from a default.
    pub fn set_dacl(&mut self, dacl: AclState) {
        if dacl != self.dacl {
            self.control.set(Control::DACL_PRESENT, dacl != AclState::Absent);
            self.dacl = dacl;
            self.changed(Control::DACL_DEFAULTED);
        }
    }

    /// The SACL: what is audited, and the integrity label.
    #[must_use]
    pub fn sacl(&self) -> &AclState {
        &self.sacl
    }

    /// Sets the SACL and its present bit. One that differs no longer comes from a default.
    pub fn set_sacl(&mut self, sacl: AclState) {
        if sacl != self.sacl {
            self.control.set(Control::SACL_PRESENT, sacl != AclState::Absent);
            self.sacl = sacl;
            self.changed(Control::SACL_DEFAULTED);
        }
    }

    /// Meaningful to whoever set [`Control::RM_CONTROL_VALID`]; else reserved and 0.
    #[must_use]
    pub fn resource_manager_control(&self) -> u8 {
        self.resource_manager_control
    }

    fn changed(&mut self, defaulted: Control) {
        self.control.remove(defaulted);
        self.stored = None;
    }

    fn rebuild(&self) -> Vec<u8> {
        let mut out = vec![REVISION, self.resource_manager_control];
        out.extend_from_slice(&self.control.bits().to_le_bytes());
        out.resize(HEADER_SIZE, 0);
        for part in self.order {
            let start = out.len();
            match part {
                Part::Owner => self.owner.iter().for_each(|sid| sid.write_to(&mut out)),
                Part::Group => self.group.iter().for_each(|sid| sid.write_to(&mut out)),
                Part::Sacl => self.sacl.acl().into_iter().for_each(|acl| acl.write_to(&mut out)),
                Part::Dacl => self.dacl.acl().into_iter().for_each(|acl| acl.write_to(&mut out)),
            }
            if out.len() > start {
                let field = part.offset_field();
                if let Some(offset) = out.get_mut(field..field + 4) {
                    offset.copy_from_slice(&(start as u32).to_le_bytes());
                }
                out.resize(out.len().next_multiple_of(4), 0);
            }
        }
        out
    }
}

impl Default for SecurityDescriptor {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for SecurityDescriptor {
    fn eq(&self, other: &Self) -> bool {
        self.resource_manager_control == other.resource_manager_control
            && self.control == other.control
            && self.owner == other.owner
            && self.group == other.group
            && self.sacl == other.sacl
            && self.dacl == other.dacl
    }
}

impl Eq for SecurityDescriptor {}

impl fmt::Debug for SecurityDescriptor {
    /// Control bits and SDDL: the fields, and the stored bytes beside them, would fill pages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityDescriptor")
            .field("control", &self.control)
            .field("sddl", &format_args!("{self}"))
            .finish_non_exhaustive()
    }
}

impl fmt::Display for SecurityDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        sddl::display(self, f)
    }
}

impl FromStr for SecurityDescriptor {
    type Err = SecurityError;

    /// Reads SDDL without any domain: see [`SecurityDescriptor::from_sddl`].
    fn from_str(text: &str) -> Result<Self, SecurityError> {
        sddl::parse(text, &SddlContext::default())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Acl, bytes::u32_at, validate, well_known},
        *,
    };

    /// Owner, group and an empty DACL in this order, with a gap of 4 bytes before the group.
    fn owner_first() -> Vec<u8> {
        let mut bytes = vec![1, 0, 4, 0x80, 20, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0];
        well_known::LOCAL_SYSTEM.write_to(&mut bytes);
        bytes.extend([0xAA; 4]);
        well_known::EVERYONE.write_to(&mut bytes);
        bytes.extend([2, 0, 8, 0, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn an_unchanged_descriptor_keeps_its_gaps() {
        let bytes = owner_first();
        let mut descriptor = SecurityDescriptor::parse(&bytes).unwrap();
        descriptor.set_owner(Some(well_known::LOCAL_SYSTEM));
        assert_eq!(descriptor.to_bytes(), bytes);
    }

    #[test]
    fn a_change_keeps_the_order_of_the_parts() {
        let mut descriptor = SecurityDescriptor::parse(&owner_first()).unwrap();
        descriptor.set_owner(Some(well_known::ADMINISTRATORS));
        descriptor.set_sacl(AclState::Present(Acl::new(Vec::new()).unwrap()));
        let bytes = descriptor.to_bytes();
        let offsets: Vec<_> = [4, 8, 12, 16].map(|field| u32_at(&bytes, field).unwrap()).to_vec();
        assert_eq!(offsets, [28, 44, 20, 56]);
        assert_eq!(SecurityDescriptor::parse(&bytes).unwrap(), descriptor);
    }

    #[test]
    fn absent_null_and_empty_stay_apart() {
        let mut descriptor = SecurityDescriptor::new();
        assert_eq!((descriptor.to_bytes().len(), descriptor.to_string()), (20, String::new()));
        descriptor.set_dacl(AclState::Null);
        assert_eq!(descriptor.to_string(), "D:NO_ACCESS_CONTROL");
        descriptor.set_dacl(AclState::Present(Acl::new(Vec::new()).unwrap()));
        assert_eq!(descriptor.to_string(), "D:");
        assert!(descriptor.control().contains(Control::DACL_PRESENT));
        descriptor.set_dacl(AclState::Absent);
        assert!(!descriptor.control().contains(Control::DACL_PRESENT));
    }

    #[test]
    fn owner_and_group_may_share_their_bytes() {
        let mut bytes = vec![1, 0, 0, 0x80, 20, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        well_known::LOCAL_SYSTEM.write_to(&mut bytes);
        let mut descriptor = SecurityDescriptor::parse(&bytes).unwrap();
        assert_eq!(descriptor.to_bytes(), bytes);
        descriptor.set_group(Some(well_known::EVERYONE));
        assert_eq!(descriptor.to_string(), "O:SYG:WD");
    }

    #[test]
    fn bytes_behind_the_last_part_do_not_belong_to_the_descriptor() {
        let mut bytes = owner_first();
        bytes.extend([0xEE; 5]);
        assert_eq!(SecurityDescriptor::parse(&bytes).unwrap().to_bytes(), owner_first());
    }

    #[test]
    fn errors_name_the_part_and_its_offset() {
        let message = |change: fn(&mut Vec<u8>)| {
            let mut bytes = owner_first();
            change(&mut bytes);
            validate(&bytes).unwrap_err().to_string()
        };
        assert_eq!(message(|b| b.truncate(19)), "security descriptor at 0x0: needs 20 bytes, 19 left");
        assert_eq!(message(|b| b[0] = 2), "security descriptor at 0x0: unknown revision 2");
        assert_eq!(message(|b| b[3] = 0), "security descriptor: control 0x0004 lacks the self-relative bit 0x8000");
        assert_eq!(message(|b| b[4] = 16), "security descriptor: owner offset 0x10 is not within 0x14 and 0x38");
        assert_eq!(message(|b| b[8] = 56), "security descriptor: group offset 0x38 is not within 0x14 and 0x38");
        assert_eq!(message(|b| b[50] = 12), "dacl at 0x30: needs 12 bytes, 8 left");
        assert_eq!(message(|b| b[21] = 99), "sid at 0x14: 99 sub-authorities exceed the limit of 15");
    }

    #[test]
    fn a_stale_offset_without_its_present_bit_is_ignored() {
        let mut bytes = owner_first();
        bytes[12] = 0xFF;
        let descriptor = SecurityDescriptor::parse(&bytes).unwrap();
        assert_eq!(*descriptor.sacl(), AclState::Absent);
        assert_eq!(descriptor.to_bytes(), bytes);
    }
}
