//! Listings: who may do what, line by line.

use super::{super::Accounts, rights};
use crate::security::{AccessMask, Ace, AceFlags, AceType, Acl, AclState, SecurityDescriptor};

/// The lines that `icacls PATH` prints for one object, without the empty line behind them.
///
/// A list without entries leaves the path alone on its line.
#[must_use]
pub fn listing(path: &str, descriptor: &SecurityDescriptor, accounts: &Accounts) -> Vec<String> {
    let indent = " ".repeat(path.chars().count() + 1);
    let entries = match descriptor.dacl() {
        AclState::Absent | AclState::Null => vec![NO_DACL.to_owned()],
        AclState::Present(acl) => acl.aces().iter().map(|ace| entry(ace, accounts)).collect(),
    };
    let labels = descriptor.sacl().acl().into_iter().flat_map(Acl::aces);
    let labels = labels.filter(|ace| ace.ace_type() == AceType::SYSTEM_MANDATORY_LABEL);
    let mut lines: Vec<String> = entries.into_iter().chain(labels.map(|ace| entry(ace, accounts))).collect();
    match lines.split_first_mut() {
        None => lines.push(path.to_owned()),
        Some((first, rest)) => {
            first.insert_str(0, &format!("{path} "));
            for line in rest {
                line.insert_str(0, &indent);
            }
        }
    }
    lines
}

/// The line for a file that was dealt with.
#[must_use]
pub fn processed(path: &str) -> String {
    format!("processed file: {path}\n")
}

/// The last line of each command.
#[must_use]
pub fn summary(done: usize, failed: usize) -> String {
    format!("Successfully processed {done} files; Failed processing {failed} files")
}

/// `TRUSTEE:(flags)(rights)`
fn entry(ace: &Ace, accounts: &Accounts) -> String {
    let mut flags = String::new();
    for (letters, _) in FLAGS.iter().filter(|(_, flag)| ace.flags().contains(*flag)) {
        flags.push_str(letters);
    }
    let (Some(sid), Some(mask)) = (ace.sid(), ace.mask()) else {
        // Ours: nobody has seen `icacls` list one.
        return format!("(ace of type {:#04x}):{flags}", ace.ace_type().0);
    };
    let rights = match ace.ace_type() {
        AceType::SYSTEM_MANDATORY_LABEL => policy(mask),
        AceType::ACCESS_DENIED if mask.bits() == rights::ALL || mask == AccessMask::GENERIC_ALL => "N".to_owned(),
        ace_type => {
            if ace_type.is_deny() {
                flags.push_str("(DENY)");
            }
            rights::print(mask, !is_conditional(ace_type))
        }
    };
    format!("{}:{flags}({rights})", accounts.name(sid))
}

fn is_conditional(ace_type: AceType) -> bool {
    matches!(
        ace_type,
        AceType::ACCESS_ALLOWED_CALLBACK
            | AceType::ACCESS_DENIED_CALLBACK
            | AceType::ACCESS_ALLOWED_CALLBACK_OBJECT
            | AceType::ACCESS_DENIED_CALLBACK_OBJECT
    )
}

/// What those below an integrity label may not do: write, read, execute.
fn policy(mask: AccessMask) -> String {
    let held = [("NW", 1), ("NR", 2), ("NX", 4)].into_iter().filter(|(_, bit)| mask.bits() & bit != 0);
    held.map(|(letters, _)| letters).collect::<Vec<_>>().join(",")
}

/// Windows' own words, as remembered.
const NO_DACL: &str = "No permissions are set. All users have full control.";

static FLAGS: &[(&str, AceFlags)] = &[
    ("(I)", AceFlags::INHERITED),
    ("(OI)", AceFlags::OBJECT_INHERIT),
    ("(CI)", AceFlags::CONTAINER_INHERIT),
    ("(NP)", AceFlags::NO_PROPAGATE_INHERIT),
    ("(IO)", AceFlags::INHERIT_ONLY),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(sddl: &str) -> Vec<String> {
        listing("d:\\x", &sddl.parse().unwrap(), &Accounts::new())
    }

    #[test]
    fn denials_and_labels_are_listed_as_such() {
        assert_eq!(
            listed(
                "D:AI(D;OI;FW;;;WD)(D;;FA;;;BG)(A;OICINPIOID;FR;;;S-1-5-21-1-2-3-4)S:(ML;OICI;NWNR;;;HI)(AU;SA;FA;;;WD)"
            ),
            [
                "d:\\x Everyone:(OI)(DENY)(W,Rc)",
                "     BUILTIN\\Guests:(N)",
                "     S-1-5-21-1-2-3-4:(I)(OI)(CI)(NP)(IO)(R)",
                "     Mandatory Label\\High Mandatory Level:(OI)(CI)(NW,NR)",
            ]
        );
    }

    #[test]
    fn a_list_without_entries_is_not_the_same_as_none() {
        assert_eq!(listed("D:"), ["d:\\x"]);
        assert_eq!(listed("O:SY"), ["d:\\x No permissions are set. All users have full control."]);
        assert_eq!(listed("D:NO_ACCESS_CONTROL"), listed("O:SY"));
        assert_eq!(summary(2, 1), "Successfully processed 2 files; Failed processing 1 files");
    }

    #[test]
    fn following_lines_are_indented_by_characters() {
        let lines = listing("ä", &"D:(A;;FA;;;BA)(A;;FA;;;SY)".parse().unwrap(), &Accounts::new());
        assert_eq!(lines, ["ä BUILTIN\\Administrators:(F)", "  NT AUTHORITY\\SYSTEM:(F)"]);
    }
}
