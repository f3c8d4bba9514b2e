//! [`Rule`]: the catalogue of what is checked.

use std::fmt;

use super::Severity::{self, Fatal, Healed, Odd, Tolerated};

/// Declares the rules: the letter says what a rule is about, the number keeps ids stable.
macro_rules! rules {
    ($($rule:ident $severity:ident $title:literal)*) => {
        /// The rules that a hive is checked by: H base block, B bins, C cells, S security, K keys, V values, L subkeys
        /// lists.
        ///
        /// Ids are stable; the gaps are rules that follow from others.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $title] $rule,)*
        }

        impl Rule {
            /// All rules, in the order of their ids.
            pub const ALL: &[Self] = &[$(Self::$rule),*];

            /// The id, like `L9`.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self {
                    $(Self::$rule => stringify!($rule),)*
                }
            }

            /// What the rule demands, in one line.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$rule => $title,)*
                }
            }

            /// What Windows usually makes of a hive that breaks the rule.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self {
                    $(Self::$rule => $severity,)*
                }
            }
        }
    };
}

rules! {
    H1 Fatal "a hive has a base block and at least one bin"
    H2 Fatal "the base block begins with \"regf\""
    H3 Fatal "the major version is 1"
    H4 Fatal "the minor version is 3 to 6"
    H5 Fatal "the file type is 0"
    H6 Fatal "the file format is 1"
    H7 Fatal "the clustering factor is 1"
    H8 Healed "the checksum is that of the base block"
    H9 Healed "the sequence numbers are equal"
    H10 Fatal "the hive bins length is a multiple of 4096 above 0 and within the file"
    H11 Fatal "the root is an allocated key node"
    H12 Odd "transaction manager ids come with their signature"
    H13 Tolerated "neither hive nor keys are layered"
    H14 Odd "the first bin repeats the time stamp of the base block"
    B1 Healed "a bin begins with \"hbin\""
    B2 Healed "a bin names its own position"
    B3 Healed "a bin's size is a multiple of 4096 above 0"
    B4 Fatal "bins end where the hive bins end"
    C1 Fatal "no cell has size 0"
    C2 Fatal "a cell ends within its bin"
    C3 Fatal "a cell's size is a multiple of 8"
    C5 Tolerated "no free cell follows a free cell"
    C6 Tolerated "an allocated cell is referred to"
    C7 Fatal "a cell is referred to once"
    C8 Tolerated "an allocated cell has at most 1 MiB"
    S1 Healed "a key has a key security record"
    S2 Healed "key security records form one ring, linked alike both ways"
    S3 Healed "a key's security record is in the ring"
    S4 Healed "a security descriptor is well-formed"
    S5 Healed "a reference count is not lower than the number of keys"
    S6 Tolerated "a reference count is not higher than the number of keys"
    S7 Tolerated "no two records hold the same descriptor"
    K1 Healed "a subkey is an allocated cell"
    K2 Healed "a key node has at most 0x45C bytes"
    K3 Healed "a key has a name"
    K4 Healed "a key's name fits its cell and has at most 255 units"
    K5 Healed "a key names its parent"
    K6 Healed "a subkey begins with \"nk\""
    K8 Healed "a class name has an allocated cell that it fits"
    K10 Tolerated "a key without subkeys has no list"
    K11 Odd "no volatile subkeys are counted on disk"
    K13 Fatal "the root has a name that fits its cell"
    K14 Fatal "keys nest at most 510 deep"
    K16 Tolerated "no volatile key and no mount point is on disk"
    K17 Tolerated "a key's name has no backslash"
    K18 Tolerated "the largest lengths that a key notes are not too small"
    K19 Tolerated "the root, and no other key, is a hive entry"
    K20 Tolerated "a key's name that fits Latin-1 is stored so"
    V1 Healed "a values list is an allocated cell"
    V2 Healed "a values list holds as many entries as the key counts"
    V3 Healed "an entry of a values list is not empty"
    V4 Healed "a value is an allocated cell"
    V5 Healed "a value's name fits its cell and has at most 16383 units"
    V6 Healed "a value without data has no data cell"
    V7 Healed "value data is an allocated cell"
    V8 Healed "big data has its record, its list and the segments that its length needs"
    V9 Healed "a value begins with \"vk\""
    V10 Healed "at most 4 bytes stand in the value itself"
    V11 Healed "value data fits its cell"
    V12 Tolerated "no two values of a key have the same name"
    V13 Tolerated "a value is stored in its shortest form"
    V14 Tolerated "a key without values has no list"
    V15 Odd "a key is no predefined handle"
    L1 Healed "a subkeys list is an allocated cell"
    L2 Healed "a subkeys list begins with \"li\", \"lf\", \"lh\" or \"ri\""
    L3 Healed "a leaf has as many elements as the key counts"
    L4 Healed "a leaf is an allocated cell"
    L5 Healed "an \"ri\" lists leaves"
    L6 Healed "the leaves have as many elements as the key counts"
    L7 Fatal "the elements of a list fit its cell"
    L8 Fatal "a list has elements"
    L9 Healed "a hash or hint is that of the name"
    L10 Healed "subkeys are in strict order of their names"
    L11 Tolerated "leaves are of the kind that the version calls for"
    L12 Tolerated "a leaf has no more elements than Windows puts in one"
    L13 Fatal "a key, and a leaf, is listed once"
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_knows_its_id_title_and_severity() {
        assert_eq!((Rule::L9.to_string().as_str(), Rule::L9.severity()), ("L9", Healed));
        assert!(Rule::ALL.iter().all(|rule| rule.title().len() < 100));
    }
}
