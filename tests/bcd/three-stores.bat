set guid={19260817-6666-8888-abcd-000000000000}

set bcdfile=/store bcdwim
bcdedit /createstore bcdwim
bcdedit %bcdfile% /create {bootmgr} /d "LOADER"
bcdedit %bcdfile% /set {bootmgr} timeout 1
bcdedit %bcdfile% /set {bootmgr} locale en-us
bcdedit %bcdfile% /set {bootmgr} displaybootmenu true
bcdedit %bcdfile% /create {ramdiskoptions}
bcdedit %bcdfile% /set {ramdiskoptions} ramdisksdidevice "boot"
bcdedit %bcdfile% /set {ramdiskoptions} ramdisksdipath \boot\boot.sdi
bcdedit %bcdfile% /create %guid% /d "WIM" /application OSLOADER
bcdedit %bcdfile% /set %guid% device ramdisk=[C:]\LONG.wim,{ramdiskoptions}
bcdedit %bcdfile% /set %guid% osdevice ramdisk=[C:]\LONG.wim,{ramdiskoptions}
bcdedit %bcdfile% /set %guid% path \WINLOAD
bcdedit %bcdfile% /set %guid% locale en-us
bcdedit %bcdfile% /set %guid% systemroot \WINDIR
bcdedit %bcdfile% /set %guid% detecthal true
bcdedit %bcdfile% /set %guid% winpe true
bcdedit %bcdfile% /set %guid% testsigning true
bcdedit %bcdfile% /set %guid% pae default
bcdedit %bcdfile% /set %guid% nx OptIn
bcdedit %bcdfile% /set %guid% highestmode true
bcdedit %bcdfile% /set %guid% nointegritychecks true
bcdedit %bcdfile% /set %guid% loadoptions DDISABLE_INTEGRITY_CHECKS
bcdedit %bcdfile% /displayorder %guid% /addlast

set bcdfile=/store bcdvhd
bcdedit /createstore bcdvhd
bcdedit %bcdfile% /create {bootmgr} /d "LOADER"
bcdedit %bcdfile% /set {bootmgr} timeout 1
bcdedit %bcdfile% /set {bootmgr} locale en-us
bcdedit %bcdfile% /set {bootmgr} displaybootmenu true
bcdedit %bcdfile% /create {globalsettings}
bcdedit %bcdfile% /set {globalsettings} optionsedit true
bcdedit %bcdfile% /set {globalsettings} advancedoptions true
bcdedit %bcdfile% /create %guid% /d "VHD" /application OSLOADER
bcdedit %bcdfile% /set %guid% device vhd=[C:]\LONG.vhd
bcdedit %bcdfile% /set %guid% osdevice vhd=[C:]\LONG.vhd
bcdedit %bcdfile% /set %guid% path \WINLOAD
bcdedit %bcdfile% /set %guid% locale en-us
bcdedit %bcdfile% /set %guid% systemroot \WINDIR
bcdedit %bcdfile% /set %guid% detecthal true
bcdedit %bcdfile% /set %guid% winpe true
bcdedit %bcdfile% /set %guid% testsigning true
bcdedit %bcdfile% /set %guid% pae default
bcdedit %bcdfile% /set %guid% nx OptIn
bcdedit %bcdfile% /set %guid% highestmode true
bcdedit %bcdfile% /set %guid% nointegritychecks true
bcdedit %bcdfile% /set %guid% loadoptions DDISABLE_INTEGRITY_CHECKS
bcdedit %bcdfile% /displayorder %guid% /addlast

set bcdfile=/store bcdwin
bcdedit /createstore bcdwin
bcdedit %bcdfile% /create {bootmgr} /d "LOADER"
bcdedit %bcdfile% /set {bootmgr} timeout 1
bcdedit %bcdfile% /set {bootmgr} locale en-us
bcdedit %bcdfile% /set {bootmgr} displaybootmenu true
bcdedit %bcdfile% /create %guid% /d "OS" /application OSLOADER
bcdedit %bcdfile% /set %guid% device partition=C:
bcdedit %bcdfile% /set %guid% osdevice partition=C:
bcdedit %bcdfile% /set %guid% inherit {bootloadersettings}
bcdedit %bcdfile% /set %guid% path \WINLOAD
bcdedit %bcdfile% /set %guid% locale en-us
bcdedit %bcdfile% /set %guid% systemroot \WINDIR
bcdedit %bcdfile% /set %guid% detecthal true
bcdedit %bcdfile% /set %guid% winpe true
bcdedit %bcdfile% /set %guid% testsigning true
bcdedit %bcdfile% /set %guid% pae default
bcdedit %bcdfile% /set %guid% nx OptIn
bcdedit %bcdfile% /set %guid% highestmode true
bcdedit %bcdfile% /set %guid% nointegritychecks true
bcdedit %bcdfile% /set %guid% loadoptions DDISABLE_INTEGRITY_CHECKS
bcdedit %bcdfile% /displayorder %guid% /addlast
