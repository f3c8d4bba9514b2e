reg add "HKLM\BROKENSYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp" /v 'KeepAliveTimeout' /t REG_DWORD /d 1 /f
reg add "HKLM\BROKENSYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp" /v " MaxIdleTime" /t REG_DWORD /d 0 /f
