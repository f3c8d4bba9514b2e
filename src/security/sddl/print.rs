//! Descriptor to SDDL.

use std::fmt::{self, Write as _};

use super::{
    super::{
        ace::Ace,
        acl::{Acl, AclState},
        control::Control,
        descriptor::SecurityDescriptor,
        error::SecurityError,
        sid::Sid,
        well_known,
    },
    claim, condition,
    letters::{self, Data, TypeLetters},
    parse::{DACL_FLAGS, NO_ACCESS_CONTROL, SACL_FLAGS},
};

/// The text as Windows prints it, or why there is none.
pub(in super::super) fn print(descriptor: &SecurityDescriptor) -> Result<String, SecurityError> {
    let mut out = String::new();
    write_descriptor(&mut out, descriptor, ace_text)?;
    Ok(out)
}

/// The same text; an ACE that SDDL has no words for is shown as type, flags and body in hexadecimal.
pub(in super::super) fn display(descriptor: &SecurityDescriptor, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut out = String::new();
    let shown = |ace: &Ace| Ok::<_, fmt::Error>(ace_text(ace).unwrap_or_else(|_| ace_dump(ace)));
    write_descriptor(&mut out, descriptor, shown)?;
    f.pad(&out)
}

/// Appends a SID: its alias, else its numbers.
pub(super) fn push_sid(out: &mut String, sid: &Sid) {
    match sid.sddl_alias() {
        Some(alias) => out.push_str(alias),
        None => push(out, format_args!("{sid}")),
    }
}

/// Appends formatted text. A `String` takes all of it.
pub(super) fn push(out: &mut String, text: fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

fn write_descriptor<E>(
    out: &mut String,
    descriptor: &SecurityDescriptor,
    ace_text: impl Fn(&Ace) -> Result<String, E>,
) -> Result<(), E> {
    for (letter, sid) in [("O:", descriptor.owner()), ("G:", descriptor.group())] {
        if let Some(sid) = sid {
            out.push_str(letter);
            push_sid(out, sid);
        }
    }
    let lists = [("D:", descriptor.dacl(), &DACL_FLAGS), ("S:", descriptor.sacl(), &SACL_FLAGS)];
    for (letter, list, flags) in lists {
        if *list == AclState::Absent {
            continue;
        }
        out.push_str(letter);
        push_flags(out, descriptor.control(), flags);
        if *list == AclState::Null {
            out.push_str(NO_ACCESS_CONTROL);
        }
        for ace in list.acl().into_iter().flat_map(Acl::aces) {
            out.push_str(&ace_text(ace)?);
        }
    }
    Ok(())
}

fn push_flags(out: &mut String, control: Control, known: &[(&str, Control)]) {
    for (letters, _) in known.iter().filter(|(_, flag)| control.contains(*flag)) {
        out.push_str(letters);
    }
}

fn ace_text(ace: &Ace) -> Result<String, SecurityError> {
    let refused = |reason| SecurityError::NotRepresentable { ace_type: ace.ace_type().0, reason };
    let kind = TypeLetters::of(ace.ace_type()).ok_or_else(|| refused("no letters for this type"))?;
    let (Some(mask), Some(sid)) = (ace.mask(), ace.sid()) else { return Err(refused("no letters for this type")) };
    if kind.data == Data::Claim && (!mask.is_empty() || *sid != well_known::EVERYONE) {
        return Err(refused("a resource attribute has no rights and the trustee WD"));
    }

    let mut out = format!("({};", kind.letters);
    letters::flag_letters(ace.flags(), ace.ace_type()).for_each(|letters| out.push_str(letters));
    out.push(';');
    match letters::right_letters(mask, ace.ace_type()) {
        Some(letters) => out.push_str(&letters),
        None => push(&mut out, format_args!("{:#x}", mask.bits())),
    }
    for guid in [ace.object_type(), ace.inherited_object_type()] {
        out.push(';');
        if let Some(guid) = guid {
            push(&mut out, format_args!("{guid}"));
        }
    }
    out.push(';');
    push_sid(&mut out, sid);
    let data = match kind.data {
        Data::Nothing => String::new(),
        Data::OptionalCondition if ace.data().is_empty() => String::new(),
        Data::Condition | Data::OptionalCondition => condition::print(ace.data()).map_err(refused)?,
        Data::Claim => claim::print(ace.data()).map_err(refused)?,
    };
    if !data.is_empty() {
        push(&mut out, format_args!(";{data}"));
    }
    out.push(')');
    Ok(out)
}

fn ace_dump(ace: &Ace) -> String {
    let mut stored = Vec::with_capacity(ace.size());
    ace.write_to(&mut stored);
    let mut out = format!("({:#04x};", ace.ace_type().0);
    letters::flag_letters(ace.flags(), ace.ace_type()).for_each(|letters| out.push_str(letters));
    out.push(';');
    for byte in stored.iter().skip(4) {
        push(&mut out, format_args!("{byte:02x}"));
    }
    out.push(')');
    out
}
