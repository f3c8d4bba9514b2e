sc config gpsvc start= auto sc start gpsvc

gpupdate /force
