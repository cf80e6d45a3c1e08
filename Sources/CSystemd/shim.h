// The three calls that `Systemd` makes are sd_listen_fds_with_names(3), sd_notify(3) and sd_watchdog_enabled(3).
#pragma once
#include <systemd/sd-daemon.h>
