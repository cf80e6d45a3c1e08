#pragma once

/// Starts a detached thread with all signals blocked, so that the process's handlers run where they always did. Nobody waits for
/// it: the process ends while it runs. Returns 0 or an errno.
///
/// The name shows in `ps -L` and in debuggers: 15 bytes at most, and of a longer one the first 15.
int octavo_start_thread(const char *name, void (*body)(void *), void *argument);
