//! Objects that have the same identifier in every store, and what bcdedit calls them.

use super::ObjectType;
use crate::Guid;

/// An object with a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WellKnown {
    /// The name, without braces.
    pub alias: &'static str,
    /// The identifier.
    pub id: Guid,
    /// The type that bcdedit gives it; none for names that stand for whatever the store says.
    pub object_type: Option<ObjectType>,
}

impl WellKnown {
    /// `{bootmgr}`
    pub const BOOT_MANAGER: Guid = Guid::from_u128(0x9dea862c_5cdd_4e70_acc1_f32b344d4795);
    /// `{fwbootmgr}`
    pub const FIRMWARE_BOOT_MANAGER: Guid = Guid::from_u128(0xa5a30fa2_3d06_4e9f_b5f4_a01df9d1fcba);
    /// `{globalsettings}`
    pub const GLOBAL_SETTINGS: Guid = Guid::from_u128(0x7ea2e1ac_2e61_4728_aaa3_896d9d0a9f0e);
    /// `{emssettings}`
    pub const EMS_SETTINGS: Guid = Guid::from_u128(0x0ce4991b_e6b3_4b16_b23c_5e0d9250e5d9);
    /// `{dbgsettings}`
    pub const DEBUGGER_SETTINGS: Guid = Guid::from_u128(0x4636856e_540f_4170_a130_a84776f4c654);
    /// `{hypervisorsettings}`
    pub const HYPERVISOR_SETTINGS: Guid = Guid::from_u128(0x7ff607e0_4395_11db_b0de_0800200c9a66);
    /// `{bootloadersettings}`
    pub const BOOT_LOADER_SETTINGS: Guid = Guid::from_u128(0x6efb52bf_1766_41db_a6b3_0ee5eff72bd7);
    /// `{badmemory}`
    pub const BAD_MEMORY: Guid = Guid::from_u128(0x5189b25c_5558_4bf2_bca4_289b11bd29e2);
    /// `{ramdiskoptions}`
    pub const RAMDISK_OPTIONS: Guid = Guid::from_u128(0xae5534e0_a924_466c_b836_758539a3ee3a);
    /// `{default}`: never the name of an object on disk.
    pub const DEFAULT: Guid = Guid::from_u128(0x1cae1eb7_a0df_4d4d_9851_4860e34ef535);
    /// `{current}`: never the name of an object on disk.
    pub const CURRENT: Guid = Guid::from_u128(0xfa926493_6f1c_4193_a414_58f0b2456d1e);

    /// All of them. Of two names for one object the first is the one that is printed.
    #[must_use]
    pub fn all() -> &'static [Self] {
        ALL
    }

    /// By its name, with or without braces, in any case.
    #[must_use]
    pub fn named(alias: &str) -> Option<&'static Self> {
        let alias = alias.strip_prefix('{').and_then(|alias| alias.strip_suffix('}')).unwrap_or(alias);
        ALL.iter().find(|known| known.alias.eq_ignore_ascii_case(alias))
    }

    /// By its identifier.
    #[must_use]
    pub fn of(id: Guid) -> Option<&'static Self> {
        ALL.iter().find(|known| known.id == id)
    }
}

const fn row(alias: &'static str, id: Guid, object_type: u32) -> WellKnown {
    let object_type = if object_type == 0 { None } else { Some(ObjectType(object_type)) };
    WellKnown { alias, id, object_type }
}

/// Identifiers as Microsoft documents them; types as bcdedit and bcdboot make these objects.
const ALL: &[WellKnown] = &[
    row("bootmgr", WellKnown::BOOT_MANAGER, 0x1010_0002),
    row("fwbootmgr", WellKnown::FIRMWARE_BOOT_MANAGER, 0x1010_0001),
    row("memdiag", Guid::from_u128(0xb2721d73_1db4_4c62_bf78_c548a880142d), 0x1020_0005),
    row("ntldr", Guid::from_u128(0x466f5a88_0af2_4f76_9038_095b170dc21c), 0x1030_0006),
    row("legacy", Guid::from_u128(0x466f5a88_0af2_4f76_9038_095b170dc21c), 0x1030_0006),
    row("globalsettings", WellKnown::GLOBAL_SETTINGS, 0x2010_0000),
    row("bootloadersettings", WellKnown::BOOT_LOADER_SETTINGS, 0x2020_0003),
    row("resumeloadersettings", Guid::from_u128(0x1afa9c49_16ab_4a5c_901b_212802da9460), 0x2020_0004),
    row("emssettings", WellKnown::EMS_SETTINGS, 0x2010_0000),
    row("dbgsettings", WellKnown::DEBUGGER_SETTINGS, 0x2010_0000),
    row("eventsettings", WellKnown::DEBUGGER_SETTINGS, 0x2010_0000),
    row("badmemory", WellKnown::BAD_MEMORY, 0x2010_0000),
    row("hypervisorsettings", WellKnown::HYPERVISOR_SETTINGS, 0x2020_0003),
    row("kerneldbgsettings", Guid::from_u128(0x313e8eed_7098_4586_a9bf_309c61f8d449), 0x2020_0003),
    row("ramdiskoptions", WellKnown::RAMDISK_OPTIONS, 0x3000_0000),
    row("default", WellKnown::DEFAULT, 0),
    row("current", WellKnown::CURRENT, 0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_the_first_is_printed() {
        assert_eq!(WellKnown::named("{BootMgr}").unwrap().id, WellKnown::BOOT_MANAGER);
        assert_eq!(WellKnown::named("legacy").unwrap().id, WellKnown::named("ntldr").unwrap().id);
        assert_eq!(WellKnown::of(WellKnown::DEBUGGER_SETTINGS).unwrap().alias, "dbgsettings");
        assert_eq!(WellKnown::named("{nonsense}"), None);
    }
}
