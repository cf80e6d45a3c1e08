// Starting a child the way systemd starts a service, and holding it by a descriptor instead of by a number.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/// Descriptors one child may be given. systemd's own default store is 4096; Octavo hands over three or four.
#define OCTAVO_SPAWN_MAX_DESCRIPTORS 64

/// Bytes reserved after `LISTEN_PID=` for the child's pid and its NUL: pid_max is at most 4194304, seven digits.
#define OCTAVO_SPAWN_PID_BYTES 12

/// What the child was doing when it failed. OCTAVO_SPAWN_FORK and before happen in the parent.
enum octavo_spawn_step {
    OCTAVO_SPAWN_NONE = 0,
    OCTAVO_SPAWN_REQUEST,      // the request itself: too many descriptors
    OCTAVO_SPAWN_RESOURCES,    // pipe, thread or memory
    OCTAVO_SPAWN_FORK,
    OCTAVO_SPAWN_SIGNALS,
    OCTAVO_SPAWN_GROUP,        // setpgid
    OCTAVO_SPAWN_DESCRIPTORS,  // moving, opening or closing descriptors
    OCTAVO_SPAWN_IDENTITY,     // setgroups, setgid, setuid
    OCTAVO_SPAWN_DEATH_SIGNAL, // prctl, or the parent was already gone
    OCTAVO_SPAWN_DIRECTORY,
    OCTAVO_SPAWN_EXEC,
} __attribute__((enum_extensibility(closed)));

/// Everything is borrowed for the length of the call.
struct octavo_spawn_request {
    const char *path;                  // no search along PATH
    char *const *arguments;            // NULL at the end
    char *const *environment;          // NULL at the end
    char *listen_pid;                  // inside `environment`: OCTAVO_SPAWN_PID_BYTES to fill; NULL for none
    const char *directory;             // NULL keeps the parent's
    const int *descriptors;            // become 3, 4, …
    size_t descriptor_count;
    int standard_input;                // -1 is /dev/null
    int standard_output;               // -1 keeps the parent's
    int standard_error;                // -1 keeps the parent's
    int death_signal;                  // sent to the child when the parent dies; 0 for none
    bool own_process_group;            // a terminal's Ctrl-C then reaches the parent only
    bool change_identity;              // the four below count only when set
    uid_t user;
    gid_t group;
    const gid_t *supplementary_groups;
    size_t supplementary_group_count;
};

struct octavo_spawn_result {
    pid_t pid;                         // 0 when the child never ran
    int pidfd;                         // close-on-exec, the caller's to close; -1 when the child never ran
    enum octavo_spawn_step failed_step;
    int error;                         // errno of the failed step
};

/// Forks and executes. Returns once execve(2) succeeded, or with the step that failed and its errno; a child that
/// failed has been reaped. Blocks for as long as fork and exec take, about a millisecond.
struct octavo_spawn_result octavo_spawn(const struct octavo_spawn_request *request);

/// A descriptor that names the process and is readable once it has ended (pidfd_open(2), close-on-exec). -1 and errno.
int octavo_pidfd_open(pid_t pid);

/// Sends `signal` to the process the descriptor names, never to another that was given its number since. -1 and errno.
int octavo_pidfd_signal(int pidfd, int signal);

/// How a child ended.
struct octavo_exit {
    bool signalled;                    // true: `value` is a signal; false: an exit code
    int value;
};

/// Waits for the end of a child and reaps it. Blocks. 0, or -1 and errno.
int octavo_pidfd_wait(int pidfd, struct octavo_exit *how);

/// What an errno means ("No such file or directory"); NULL for an unknown one. Unlike strerror(3) it shares no buffer.
const char *octavo_error_text(int error);

/// What a signal means ("Terminated"); NULL for an unknown one.
const char *octavo_signal_text(int signal);
