//! GUIDs of object ACEs: MS-DTYP 2.3.4.2, the first three fields little-endian.

pub use crate::Guid;

/// The GUID written as 8-4-4-4-12 hexadecimal digits without braces.
pub(super) fn from_text(text: &str) -> Option<Guid> {
    if text.starts_with('{') { None } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sddl_has_no_braces() {
        let text = "bf967aba-0de6-11d0-a285-00aa003049e2";
        let guid = from_text(text).unwrap();
        assert_eq!(guid.to_bytes()[..8], [0xba, 0x7a, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11]);
        assert_eq!(guid.to_string(), text);
        assert_eq!(from_text(&format!("{{{text}}}")), None);
    }
}
