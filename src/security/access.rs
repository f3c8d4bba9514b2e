//! What somebody may do, and what stands in the way.

use super::{
    access_mask::AccessMask, ace_type::AceType, acl::AclState, descriptor::SecurityDescriptor, object_kind::ObjectKind,
    sid::Sid, well_known,
};

/// Somebody who opens an object: an account and the groups that hold it.
///
/// Groups that hold an account on each Windows are known: Everyone, Authenticated Users, Administrators for SYSTEM,
/// Users and SERVICE for service accounts. Membership in others stands in the installation's account database:
/// [`Subject::member_of`] adds it.
///
/// ```
/// use hivesmith::security::{Subject, well_known};
///
/// let system = Subject::new(well_known::LOCAL_SYSTEM);
/// assert!(system.is(&well_known::EVERYONE) && system.is(&well_known::ADMINISTRATORS));
/// assert!(!system.is(&well_known::NETWORK_SERVICE));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    sids: Vec<Sid>,
}

impl Subject {
    /// An account, with the groups that always hold it; or all members of a group, as far as they are alike.
    #[must_use]
    pub fn new(account: Sid) -> Self {
        let mut subject = Self { sids: vec![account] };
        let service_sid = account.authority() == 5 && account.sub_authorities().first() == Some(&80);
        if account != ANONYMOUS {
            subject = subject.member_of(well_known::EVERYONE);
        }
        if account != ANONYMOUS && account != well_known::EVERYONE {
            subject = subject.member_of(well_known::AUTHENTICATED_USERS);
        }
        if account == well_known::LOCAL_SYSTEM {
            subject = subject.member_of(well_known::ADMINISTRATORS);
        }
        if service_sid || account == well_known::LOCAL_SERVICE || account == well_known::NETWORK_SERVICE {
            subject = subject.member_of(SERVICE).member_of(well_known::USERS);
        }
        subject
    }

    /// Held by one more group.
    #[must_use]
    pub fn member_of(mut self, group: Sid) -> Self {
        if !self.is(&group) {
            self.sids.push(group);
        }
        self
    }

    /// Whether an entry for this SID is about the subject.
    #[must_use]
    pub fn is(&self, sid: &Sid) -> bool {
        self.sids.contains(sid)
    }
}

/// What a DACL lets somebody do: the answer of [`SecurityDescriptor::access`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The rights that are granted.
    pub granted: AccessMask,
    /// The entries that withhold rights, in the order in which they are asked.
    pub denials: Vec<Denial>,
    /// Entries, counted from 0, that may grant or withhold more: their condition or type cannot be judged here.
    pub undecided: Vec<usize>,
    /// What kind of list that is.
    pub dacl: DaclKind,
}

impl Access {
    /// Which of these rights are not granted. Generic rights are granted as what they stand for: map them first.
    #[must_use]
    pub fn withheld(&self, wanted: AccessMask) -> AccessMask {
        wanted.difference(self.granted)
    }
}

/// An entry that withholds rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Denial {
    /// Which, counted from 0.
    pub index: usize,
    /// Whom it is about: the account, or a group that holds it.
    pub trustee: Sid,
    /// The rights that it takes, and no entry in front of it had granted.
    pub mask: AccessMask,
    /// Whether it was inherited: then it can only be removed above, or outdone by an own grant in front of it.
    pub inherited: bool,
}

/// The kinds of DACL, told apart by what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DaclKind {
    /// The descriptor has none: everybody may do everything.
    Absent,
    /// It is NULL: everybody may do everything.
    Null,
    /// It holds no entry: nobody may do anything, except the owner change it.
    Empty,
    /// It holds entries.
    Listed,
}

impl SecurityDescriptor {
    /// What the DACL lets somebody do, entry by entry as Windows asks them (MS-DTYP 2.5.3.2).
    ///
    /// Privileges (backup, restore, taking ownership) and the integrity label come on top and are not looked at, nor
    /// are conditions.
    ///
    /// ```
    /// use hivesmith::security::{AccessMask, ObjectKind, SecurityDescriptor, Subject, well_known};
    ///
    /// let descriptor: SecurityDescriptor = "O:SYG:SYD:(D;;DCLC;;;WD)(A;;FA;;;NS)".parse()?;
    /// let access = descriptor.access(&Subject::new(well_known::NETWORK_SERVICE), ObjectKind::FILE);
    /// assert_eq!(access.withheld(AccessMask::FILE_WRITE).bits(), 0x6);
    /// assert_eq!((access.denials[0].index, access.denials[0].trustee), (0, well_known::EVERYONE));
    /// # Ok::<(), hivesmith::security::SecurityError>(())
    /// ```
    #[must_use]
    pub fn access(&self, who: &Subject, object: ObjectKind) -> Access {
        let mut access =
            Access { granted: AccessMask::empty(), denials: Vec::new(), undecided: Vec::new(), dacl: DaclKind::Listed };
        let acl = match self.dacl() {
            AclState::Absent | AclState::Null => {
                access.granted = object.mapping.all;
                access.dacl = if *self.dacl() == AclState::Null { DaclKind::Null } else { DaclKind::Absent };
                return access;
            }
            AclState::Present(acl) => acl,
        };
        if acl.aces().is_empty() {
            access.dacl = DaclKind::Empty;
        }
        let is_owner = self.owner().is_some_and(|owner| who.is(owner));
        let in_force = || acl.aces().iter().enumerate().filter(|(_, ace)| ace.is_in_force());
        let owner_is_limited = in_force().any(|(_, ace)| ace.sid() == Some(&well_known::OWNER_RIGHTS));
        if is_owner && !owner_is_limited {
            access.granted = AccessMask::READ_CONTROL | AccessMask::WRITE_DAC;
        }
        let mut denied = AccessMask::empty();
        for (index, ace) in in_force() {
            let (Some(&trustee), Some(mask)) = (ace.sid(), ace.mask()) else {
                access.undecided.push(index);
                continue;
            };
            let as_owner = is_owner && trustee == well_known::OWNER_RIGHTS;
            if !who.is(&trustee) && !as_owner {
                continue;
            }
            let mask = object.mapping.map(mask);
            match ace.ace_type() {
                AceType::ACCESS_ALLOWED => access.granted |= mask.difference(denied),
                AceType::ACCESS_DENIED => {
                    let mask = mask.difference(access.granted | denied);
                    denied |= mask;
                    if !mask.is_empty() {
                        access.denials.push(Denial { index, trustee, mask, inherited: ace.is_inherited() });
                    }
                }
                // Conditions, object types: keys and files have none of the latter.
                _ => access.undecided.push(index),
            }
        }
        access
    }
}

const ANONYMOUS: Sid = Sid::known(5, [7]);
const SERVICE: Sid = Sid::known(5, [6]);

#[cfg(test)]
mod tests {
    use super::*;

    fn access(text: &str, who: Sid) -> Access {
        text.parse::<SecurityDescriptor>().unwrap().access(&Subject::new(who), ObjectKind::FILE)
    }

    #[test]
    fn open_and_closed_lists_are_told_apart() {
        let all = AccessMask::FILE_ALL;
        let users = well_known::USERS;
        for (text, dacl, granted) in [
            ("O:SY", DaclKind::Absent, all),
            ("O:SYD:NO_ACCESS_CONTROL", DaclKind::Null, all),
            ("O:SYD:", DaclKind::Empty, AccessMask::empty()),
            ("O:SYD:(A;;FA;;;BA)", DaclKind::Listed, AccessMask::empty()),
        ] {
            let access = access(text, users);
            assert_eq!((access.dacl, access.granted), (dacl, granted), "{text}");
        }
    }

    #[test]
    fn the_first_entry_about_a_right_decides() {
        let system = well_known::LOCAL_SYSTEM;
        let answer = access("D:(A;;FR;;;SY)(D;;FA;;;WD)(A;;FA;;;BA)", system);
        assert_eq!(answer.granted, AccessMask::FILE_READ);
        assert_eq!(answer.denials.len(), 1);
        assert_eq!(answer.denials[0].mask, AccessMask::FILE_ALL.difference(AccessMask::FILE_READ));
        assert!(access("D:(A;;FA;;;SY)(D;;FA;;;WD)", system).denials.is_empty());
    }

    #[test]
    fn an_inherited_denial_in_front_of_an_own_grant_defeats_it() {
        let answer = access("D:AI(D;ID;FA;;;AU)(A;;FA;;;NS)", well_known::NETWORK_SERVICE);
        assert_eq!(answer.withheld(AccessMask::FILE_ALL), AccessMask::FILE_ALL);
        assert!(answer.denials[0].inherited);
    }

    #[test]
    fn what_is_only_inherited_further_down_does_not_count() {
        let answer = access("D:(D;OICIIO;FA;;;SY)(A;;GR;;;SY)", well_known::LOCAL_SYSTEM);
        assert_eq!((answer.granted, answer.denials.len()), (AccessMask::FILE_READ, 0));
    }

    #[test]
    fn the_owner_may_change_the_list_unless_owner_rights_say_otherwise() {
        let users = well_known::USERS;
        assert_eq!(access("O:BUD:", users).granted, AccessMask::READ_CONTROL | AccessMask::WRITE_DAC);
        assert_eq!(access("O:BUD:(A;;RC;;;OW)", users).granted, AccessMask::READ_CONTROL);
        assert_eq!(access("O:SYD:(A;;RC;;;OW)", users).granted, AccessMask::empty());
    }

    #[test]
    fn conditions_are_left_open() {
        let answer = access("D:(XA;;FA;;;WD;(@User.a == 1))(A;;FR;;;WD)", well_known::USERS);
        assert_eq!((answer.granted, answer.undecided), (AccessMask::FILE_READ, vec![0]));
    }

    #[test]
    fn anonymous_is_not_everyone() {
        let anonymous = Sid::known(5, [7]);
        assert_eq!(access("D:(A;;FA;;;WD)(A;;FA;;;AU)", anonymous).granted, AccessMask::empty());
        assert_eq!(access("D:(A;;FA;;;AU)", well_known::EVERYONE).granted, AccessMask::empty());
    }
}
