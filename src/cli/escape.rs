//! Text from a hive, made safe for a terminal and for line-based files.
