//! [`ObjectType`]: what an object is.

use std::fmt;

/// The type of an object: kind, sub-kind and application packed into 32 bits.
///
/// | bits | meaning |
/// |---|---|
/// | `0xF0000000` | 1 application, 2 inheritable settings, 3 device options |
/// | `0x00F00000` | of an application, what loads it: 1 firmware, 2 boot application, 3 loader of Windows before Vista, 4 real mode; of settings, who inherits them: 1 anybody, 2 applications, 3 devices |
/// | `0x000FFFFF` | the application |
///
/// Documented by Microsoft as `BcdObject.Type` of the BCD WMI provider.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectType(pub u32);

impl ObjectType {
    /// The firmware's own boot manager.
    pub const FIRMWARE_BOOT_MANAGER: Self = Self(0x1010_0001);
    /// Windows Boot Manager.
    pub const BOOT_MANAGER: Self = Self(0x1010_0002);
    /// An entry of the firmware's boot menu.
    pub const FIRMWARE_APPLICATION: Self = Self(0x101f_ffff);
    /// A Windows to start.
    pub const OS_LOADER: Self = Self(0x1020_0003);
    /// A Windows to wake from hibernation.
    pub const RESUME: Self = Self(0x1020_0004);
    /// The memory tester.
    pub const MEMORY_TESTER: Self = Self(0x1020_0005);
    /// A Windows before Vista.
    pub const LEGACY_LOADER: Self = Self(0x1030_0006);
    /// A boot sector in a file.
    pub const BOOT_SECTOR: Self = Self(0x1040_0008);
    /// `startup.com`, for the network.
    pub const STARTUP: Self = Self(0x1040_0009);
    /// Settings that any object may inherit.
    pub const SETTINGS: Self = Self(0x2010_0000);
    /// Settings for OS loaders.
    pub const OS_LOADER_SETTINGS: Self = Self(0x2020_0003);
    /// Settings for resume loaders.
    pub const RESUME_SETTINGS: Self = Self(0x2020_0004);
    /// Options of a device.
    pub const DEVICE_OPTIONS: Self = Self(0x3000_0000);

    /// Application, settings or device options.
    #[must_use]
    pub fn kind(self) -> ObjectKind {
        match self.0 >> 28 {
            1 => ObjectKind::Application,
            2 => ObjectKind::Inherit,
            3 => ObjectKind::Device,
            _ => ObjectKind::Unknown,
        }
    }

    /// The application it is, or whose settings it holds; none for settings of anybody, and for devices.
    #[must_use]
    pub fn application(self) -> Option<Application> {
        let of_applications = match self.kind() {
            ObjectKind::Application => true,
            ObjectKind::Inherit => self.0 >> 20 & 0xf == 2,
            ObjectKind::Device | ObjectKind::Unknown => false,
        };
        if of_applications { Application::from_number(self.0 & 0xf_ffff) } else { None }
    }
}

impl fmt::Display for ObjectType {
    /// As eight digits, the way bcdedit names types.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:08x}", self.0)
    }
}

impl fmt::Debug for ObjectType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ObjectType({self})")
    }
}

/// The first digit of an object's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectKind {
    /// Something that runs.
    Application,
    /// Settings that other objects inherit.
    Inherit,
    /// Options of a device, such as of a RAM disk.
    Device,
    /// None of these.
    Unknown,
}

/// Which program an object is for: decides what its elements of class 2 mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Application {
    /// 1
    FirmwareBootManager,
    /// 2
    BootManager,
    /// 3
    OsLoader,
    /// 4
    Resume,
    /// 5
    MemoryTester,
    /// 6
    NtLoader,
    /// 7
    SetupLoader,
    /// 8
    BootSector,
    /// 9
    Startup,
    /// 0xA
    BootApplication,
}

impl Application {
    const ALL: [Self; 10] = [
        Self::FirmwareBootManager,
        Self::BootManager,
        Self::OsLoader,
        Self::Resume,
        Self::MemoryTester,
        Self::NtLoader,
        Self::SetupLoader,
        Self::BootSector,
        Self::Startup,
        Self::BootApplication,
    ];

    fn from_number(number: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(number.checked_sub(1)?).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applications_are_read_off_the_type() {
        assert_eq!(ObjectType::OS_LOADER.application(), Some(Application::OsLoader));
        assert_eq!(ObjectType::OS_LOADER_SETTINGS.application(), Some(Application::OsLoader));
        assert_eq!(ObjectType(0x1020_000a).application(), Some(Application::BootApplication));
        for none in [ObjectType::SETTINGS, ObjectType::DEVICE_OPTIONS, ObjectType::FIRMWARE_APPLICATION, ObjectType(0)]
        {
            assert_eq!(none.application(), None, "{none}");
        }
    }
}
