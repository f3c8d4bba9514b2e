//! What elements are called and what their values mean.

mod table;

use std::{error, fmt, str::FromStr};

use super::{Application, ObjectKind, ObjectType};

/// The code of an element: class, format and number in eight hexadecimal digits, which are also the name of its key.
///
/// The number alone is not unique, not even the whole code is: `25000004` is the boot manager's `timeout` and the
/// memory tester's `testtofail`. See [`Definition::of`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElementCode(pub u32);

impl ElementCode {
    /// `device`: what the object itself is on.
    pub const DEVICE: Self = Self(0x1100_0001);
    /// `path`
    pub const PATH: Self = Self(0x1200_0002);
    /// `description`
    pub const DESCRIPTION: Self = Self(0x1200_0004);
    /// `inherit`
    pub const INHERIT: Self = Self(0x1400_0006);
    /// `osdevice` of an OS loader.
    pub const OS_DEVICE: Self = Self(0x2100_0001);
    /// `winpe` of an OS loader.
    pub const WINPE: Self = Self(0x2600_0022);
    /// `displayorder` of a boot manager.
    pub const DISPLAY_ORDER: Self = Self(0x2400_0001);
    /// `bootsequence` of a boot manager: for the next start only.
    pub const BOOT_SEQUENCE: Self = Self(0x2400_0002);
    /// `default` of a boot manager.
    pub const DEFAULT: Self = Self(0x2300_0003);
    /// `timeout` of a boot manager.
    pub const TIMEOUT: Self = Self(0x2500_0004);
    /// `toolsdisplayorder` of a boot manager.
    pub const TOOLS_DISPLAY_ORDER: Self = Self(0x2400_0010);
    /// What the file of `bspfilepath` is called: declared a device, documented and stored as a text.
    const BSP_FILE_PATH: Self = Self(0x2100_0155);

    /// The first digit: 1 library, 2 application, 3 device, 4 template (hidden), 5 OEM.
    #[must_use]
    pub fn class(self) -> u32 {
        self.0 >> 28
    }

    /// The second digit.
    #[must_use]
    pub fn format(self) -> Format {
        if self == Self::BSP_FILE_PATH {
            return Format::String;
        }
        match self.0 >> 24 & 0xf {
            1 => Format::Device,
            2 => Format::String,
            3 => Format::Object,
            4 => Format::ObjectList,
            5 => Format::Integer,
            6 => Format::Boolean,
            7 => Format::IntegerList,
            8 => Format::Binary,
            other => Format::Unknown(other as u8),
        }
    }
}

impl fmt::Display for ElementCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:08x}", self.0)
    }
}

impl fmt::Debug for ElementCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ElementCode({self})")
    }
}

impl FromStr for ElementCode {
    type Err = NoElementCode;

    /// Eight hexadecimal digits, any case, with or without `0x`.
    fn from_str(text: &str) -> Result<Self, NoElementCode> {
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        if digits.len() != 8 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NoElementCode);
        }
        u32::from_str_radix(digits, 16).map(Self).map_err(|_| NoElementCode)
    }
}

/// A text that is no code of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoElementCode;

impl fmt::Display for NoElementCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("not the code of an element: eight hexadecimal digits")
    }
}

impl error::Error for NoElementCode {}

/// What kind of value an element has: the second digit of its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// 1, `REG_BINARY`
    Device,
    /// 2, `REG_SZ`
    String,
    /// 3, `REG_SZ` with a GUID in braces
    Object,
    /// 4, `REG_MULTI_SZ` of those
    ObjectList,
    /// 5, `REG_BINARY` of 8 bytes
    Integer,
    /// 6, `REG_BINARY` of 1 byte
    Boolean,
    /// 7, `REG_BINARY` of 8 bytes each
    IntegerList,
    /// 8, `REG_BINARY`
    Binary,
    /// Another digit.
    Unknown(u8),
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Device => "device",
            Self::String => "string",
            Self::Object => "object",
            Self::ObjectList => "object list",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::IntegerList => "integer list",
            Self::Binary => "binary",
            Self::Unknown(_) => "unknown",
        })
    }
}

/// Which objects an element is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// Class 1: every object.
    Library,
    /// Class 2 codes that mean the same for every application.
    AnyApplication,
    /// Class 4: templates that installing copies from; may stand in any object.
    Template,
    /// The boot managers of Windows and of the firmware.
    BootManager,
    /// OS loaders and their settings.
    OsLoader,
    /// Resume loaders and their settings.
    Resume,
    /// The memory tester.
    MemoryTester,
    /// Loaders of Windows before Vista.
    LegacyLoader,
    /// `startup.com`
    Startup,
    /// Other boot applications.
    BootApplication,
    /// Class 3: options of devices.
    DeviceOptions,
}

impl Scope {
    /// Whether an object of this type may have elements of this scope.
    #[must_use]
    pub fn fits(self, object: ObjectType) -> bool {
        match (self, object.application()) {
            (Self::DeviceOptions, _) => object.kind() == ObjectKind::Device,
            (Self::AnyApplication, _) => matches!(object.kind(), ObjectKind::Application | ObjectKind::Inherit),
            (Self::Library | Self::Template, _)
            | (Self::BootManager, Some(Application::BootManager | Application::FirmwareBootManager))
            | (Self::OsLoader, Some(Application::OsLoader))
            | (Self::Resume, Some(Application::Resume))
            | (Self::MemoryTester, Some(Application::MemoryTester))
            | (Self::LegacyLoader, Some(Application::NtLoader | Application::SetupLoader))
            | (Self::Startup, Some(Application::Startup))
            | (Self::BootApplication, Some(Application::BootApplication)) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Scope {
    /// In the plural: "OS loaders and their settings".
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Library | Self::Template => "all objects",
            Self::AnyApplication => "all applications and settings",
            Self::BootManager => "the boot managers {bootmgr} and {fwbootmgr}",
            Self::OsLoader => "OS loaders such as {default}, and their settings",
            Self::Resume => "resume loaders and their settings",
            Self::MemoryTester => "the memory tester {memdiag}",
            Self::LegacyLoader => "loaders of Windows before Vista",
            Self::Startup => "startup.com",
            Self::BootApplication => "other boot applications",
            Self::DeviceOptions => "device options such as {ramdiskoptions}",
        })
    }
}

/// What is known of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Which objects it is for.
    pub scope: Scope,
    /// Its code.
    pub code: ElementCode,
    /// What bcdedit calls it; none for those that it only knows as `custom:CODE`.
    pub name: Option<&'static str>,
    /// What Microsoft's headers call it, or what it is said to be for.
    pub note: Option<&'static str>,
    /// The numbers that mean something, with their names; empty where any number does.
    pub values: &'static [(u64, &'static str)],
    /// The first Windows that knows it.
    pub since: &'static str,
}

impl Definition {
    /// Everything that is known.
    #[must_use]
    pub fn all() -> &'static [Self] {
        table::TABLE
    }

    /// What a code means in an object of this type.
    ///
    /// ```
    /// use hivesmith::bcd::{Definition, ElementCode, ObjectType};
    /// let code = ElementCode(0x2500_0004);
    /// assert_eq!(Definition::of(code, ObjectType::BOOT_MANAGER).unwrap().name, Some("timeout"));
    /// assert_eq!(Definition::of(code, ObjectType::MEMORY_TESTER).unwrap().name, Some("testtofail"));
    /// assert_eq!(Definition::of(code, ObjectType::OS_LOADER), None);
    /// ```
    #[must_use]
    pub fn of(code: ElementCode, object: ObjectType) -> Option<&'static Self> {
        Self::all().iter().find(|known| known.code == code && known.scope.fits(object))
    }

    /// What a name means in an object of this type; any case.
    #[must_use]
    pub fn named(name: &str, object: ObjectType) -> Option<&'static Self> {
        Self::all().iter().find(|known| known.is_named(name) && known.scope.fits(object))
    }

    /// Everything of this name, whatever object it is for.
    pub fn all_named(name: &str) -> impl Iterator<Item = &'static Self> + '_ {
        Self::all().iter().filter(move |known| known.is_named(name))
    }

    fn is_named(&self, name: &str) -> bool {
        self.name.is_some_and(|known| known.eq_ignore_ascii_case(name))
    }

    /// The name of a number.
    #[must_use]
    pub fn value_name(&self, number: u64) -> Option<&'static str> {
        self.values.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_table_is_whole_and_orderly() {
        let all = Definition::all();
        assert_eq!(all.len(), 316);
        assert_eq!(all.iter().map(|known| known.code).collect::<HashSet<_>>().len(), 297);
        for known in all {
            let class = match known.scope {
                Scope::Library => 1,
                Scope::Template => 4,
                Scope::DeviceOptions => 3,
                _ => 2,
            };
            assert_eq!(known.code.class(), class, "{known:?}");
            assert!(!matches!(known.code.format(), Format::Unknown(_)), "{known:?}");
            assert!(known.values.is_empty() || known.code.format() == Format::Integer, "{known:?}");
            let numbers: HashSet<u64> = known.values.iter().map(|(number, _)| *number).collect();
            let names: HashSet<String> = known.values.iter().map(|(_, name)| name.to_ascii_lowercase()).collect();
            assert_eq!((numbers.len(), names.len()), (known.values.len(), known.values.len()), "{known:?}");
        }
    }

    /// One code means one thing in one object; one name, too, but for a name that moved between Windows 7 and 8.
    #[test]
    fn nothing_is_ambiguous_within_an_object() {
        let types = [0x1010_0001, 0x1010_0002, 0x1020_0003, 0x1020_0004, 0x1020_0005, 0x1020_000a, 0x1030_0006];
        for object in types.into_iter().chain([0x1040_0009, 0x2010_0000, 0x3000_0000]).map(ObjectType) {
            let fitting = || Definition::all().iter().filter(|known| known.scope.fits(object));
            let codes: HashSet<_> = fitting().map(|known| known.code).collect();
            assert_eq!(codes.len(), fitting().count(), "{object}");
            let mut names = HashSet::new();
            for name in fitting().filter_map(|known| known.name) {
                assert!(names.insert(name) || name == "cacheenable", "{object}: {name}");
            }
        }
        assert_eq!(Definition::named("CacheEnable", ObjectType::MEMORY_TESTER).unwrap().code.0, 0x2600_0003);
    }

    #[test]
    fn codes_are_eight_digits() {
        assert_eq!("2500004D".parse(), Ok(ElementCode(0x2500_004d)));
        assert_eq!("0x2500004d".parse(), Ok(ElementCode(0x2500_004d)));
        for none in ["", "2500004", "+2500004", "25000004d", "2500004g"] {
            assert_eq!(none.parse::<ElementCode>(), Err(NoElementCode), "{none}");
        }
    }
}
